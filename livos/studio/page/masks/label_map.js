/**
 * Which object each pixel of a frame belongs to, at the full size of the frame: 0 is background, 1 to 255 are objects.
 */

/**
 * An area of whole pixels; the right and lower edges are outside.
 * @typedef {{ left: number, top: number, right: number, bottom: number }} Rect
 */

/** The largest id of an object: a label takes one byte. */
export const LARGEST_ID = 255;

export class LabelMap {
  /**
   * @param {number} width in pixels
   * @param {number} height in pixels
   * @param {Uint8Array} [labels] row by row, `width * height` of them; all background if not given
   */
  constructor(width, height, labels) {
    if (!(Number.isInteger(width) && Number.isInteger(height) && width > 0 && height > 0)) {
      throw new RangeError(`a label map of ${width} x ${height} pixels`);
    }
    if (labels && labels.length !== width * height) {
      throw new RangeError(`${labels.length} labels for a map of ${width} x ${height} pixels`);
    }
    this.width = width;
    this.height = height;
    this.labels = labels ?? new Uint8Array(width * height);
  }

  /** @returns {LabelMap} a copy that shares nothing with this one */
  copy() {
    return new LabelMap(this.width, this.height, this.labels.slice());
  }

  /** @returns {Rect} */
  get bounds() {
    return { left: 0, top: 0, right: this.width, bottom: this.height };
  }

  /**
   * The rows between the first and the last pixel of any object.
   * @returns {Rect | null} null if the map is empty
   */
  get content() {
    const { labels, width } = this;
    let [first, last] = [0, labels.length - 1];
    while (first <= last && !labels[first]) first++;
    if (first > last) return null;
    while (!labels[last]) last--;
    return { left: 0, top: Math.floor(first / width), right: width, bottom: Math.floor(last / width) + 1 };
  }

  /**
   * The object at a pixel.
   * @param {number} x column, may be outside
   * @param {number} y row, may be outside
   * @returns {number} its id, 0 for background and outside
   */
  at(x, y) {
    const inside = x >= 0 && y >= 0 && x < this.width && y < this.height;
    return inside ? this.labels[Math.floor(y) * this.width + Math.floor(x)] : 0;
  }

  /** @returns {number[]} the ids of the objects that have pixels, in ascending order */
  ids() {
    return [...this.areas().keys()];
  }

  /** @returns {Map<number, number>} the number of pixels of each object that has any, by its id in ascending order */
  areas() {
    const counts = new Uint32Array(LARGEST_ID + 1);
    for (const label of this.labels) counts[label]++;
    /** @type {Map<number, number>} */
    const areas = new Map();
    for (let id = 1; id <= LARGEST_ID; id++) if (counts[id]) areas.set(id, counts[id]);
    return areas;
  }

  /**
   * The smallest area that contains an object.
   * @param {number} id
   * @returns {Rect | null} null if the object has no pixel
   */
  boundsOf(id) {
    const { width, height, labels } = this;
    let [left, top, right, bottom] = [width, height, 0, 0];
    for (let y = 0; y < height; y++) {
      const row = labels.subarray(y * width, (y + 1) * width);
      const first = row.indexOf(id);
      if (first < 0) continue;
      left = Math.min(left, first);
      right = Math.max(right, row.lastIndexOf(id) + 1);
      top = Math.min(top, y);
      bottom = y + 1;
    }
    return right > left ? { left, top, right, bottom } : null;
  }
}

/**
 * The smallest area that contains both.
 * @param {Rect | null} one
 * @param {Rect | null} other
 * @returns {Rect | null} null if both are null
 */
export function union(one, other) {
  if (!one || !other) return one ?? other;
  return {
    left: Math.min(one.left, other.left),
    top: Math.min(one.top, other.top),
    right: Math.max(one.right, other.right),
    bottom: Math.max(one.bottom, other.bottom),
  };
}

/**
 * The area that two areas have in common.
 * @param {Rect} one
 * @param {Rect} other
 * @returns {Rect | null} null if they have none in common
 */
export function intersection(one, other) {
  const left = Math.max(one.left, other.left);
  const top = Math.max(one.top, other.top);
  const right = Math.min(one.right, other.right);
  const bottom = Math.min(one.bottom, other.bottom);
  return right > left && bottom > top ? { left, top, right, bottom } : null;
}

/**
 * The area with a margin on all sides.
 * @param {Rect} rect
 * @param {number} margin pixels
 * @returns {Rect}
 */
export function grown(rect, margin) {
  return {
    left: rect.left - margin,
    top: rect.top - margin,
    right: rect.right + margin,
    bottom: rect.bottom + margin,
  };
}
