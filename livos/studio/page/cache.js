/**
 * Keeps fetched things as long as there is room, and drops the least recently used one first.
 * @template Value
 */
export class Cache {
  /**
   * @param {number} room bytes that all things may take together
   * @param {(value: Value) => number} sizeOf bytes that one takes
   * @param {(value: Value) => void} [drop] called with each thing that is dropped
   */
  constructor(room, sizeOf, drop = () => {}) {
    this.room = room;
    this.sizeOf = sizeOf;
    this.drop = drop;
    this.used = 0;
    /** @type {Map<string | number, Value>} the most recently used one last */
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
