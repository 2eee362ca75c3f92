/**
 * Things that are fetched by number and kept as long as there is room: the one that was not used for longest goes first.
 * @template Value
 */
export class Cache {
  /**
   * @param {number} room bytes of all things together
   * @param {(value: Value) => number} sizeOf bytes of one
   * @param {(value: Value) => void} [drop] is called with what goes
   */
  constructor(room, sizeOf, drop = () => {}) {
    this.room = room;
    this.sizeOf = sizeOf;
    this.drop = drop;
    this.used = 0;
    /** @type {Map<string | number, Value>} in the order of use */
    this.kept = new Map();
  }

  /**
   * @param {string | number} key
   * @returns {Value | undefined}
   */
  get(key) {
    const value = this.kept.get(key);
    if (value === undefined) return undefined;
    this.kept.delete(key);
    this.kept.set(key, value);
    return value;
  }

  /**
   * @param {string | number} key
   * @param {Value} value
   */
  set(key, value) {
    this.delete(key);
    this.kept.set(key, value);
    this.used += this.sizeOf(value);
    for (const oldest of this.kept.keys()) {
      if (this.used <= this.room || oldest === key) break;
      this.delete(oldest);
    }
  }

  /** @param {string | number} key */
  delete(key) {
    const value = this.kept.get(key);
    if (value === undefined) return;
    this.kept.delete(key);
    this.used -= this.sizeOf(value);
    this.drop(value);
  }

  clear() {
    for (const key of [...this.kept.keys()]) this.delete(key);
  }
}
