/**
 * The outlines of objects as lines between pixels. They are kept in bands of rows, so after a brush stroke only some of them
 * have to be found again.
 */

/** @typedef {import("./label_map.js").LabelMap} LabelMap */
/** @typedef {import("./label_map.js").Rect} Rect */

const ROWS_OF_BAND = 64;

/**
 * Lines by object: x, y, x, y of both ends in pixels of the frame, one line after the other.
 * @typedef {Map<number, number[]>} Lines
 */

export class Outlines {
  /** @param {LabelMap} map read again at each `update` */
  constructor(map) {
    this.map = map;
    /** @type {Lines[]} from top to bottom */
    this.bands = Array.from({ length: Math.ceil(map.height / ROWS_OF_BAND) }, () => new Map());
    if (map.content) this.update(map.content);
  }

  /**
   * Finds the outlines again where the map has changed.
   * @param {Rect} dirty
   */
  update(dirty) {
    const first = Math.max(0, Math.floor((dirty.top - 1) / ROWS_OF_BAND));
    const last = Math.min(this.bands.length - 1, Math.floor(dirty.bottom / ROWS_OF_BAND));
    for (let band = first; band <= last; band++) {
      const top = band * ROWS_OF_BAND;
      this.bands[band] = linesOfRows(this.map, top, Math.min(this.map.height, top + ROWS_OF_BAND));
    }
  }

  /**
   * Calls a function for each object's lines in each band.
   * @param {(id: number, lines: number[]) => void} visit
   */
  forEach(visit) {
    for (const band of this.bands) for (const [id, lines] of band) visit(id, lines);
  }
}

/**
 * The outlines of the objects within some rows; a border between two objects is a line of both.
 * @param {LabelMap} map
 * @param {number} top the first row
 * @param {number} bottom the row after the last
 * @returns {Lines}
 */
export function linesOfRows(map, top, bottom) {
  const collector = new Collector();
  const { width, height, labels } = map;
  const nothing = new Uint8Array(width);
  const row = (/** @type {number} */ y) =>
    y < 0 || y >= height ? nothing : labels.subarray(y * width, (y + 1) * width);
  for (let y = top; y < bottom; y++) {
    addHorizontal(collector, row(y), row(y - 1), y);
    addHorizontal(collector, row(y), row(y + 1), y + 1);
    addVertical(collector, row(y), y);
  }
  return collector.finished();
}

/** Collects lines by object, and extends vertical lines from row to row. */
class Collector {
  constructor() {
    /** @type {Lines} */
    this.lines = new Map();
    /** @type {Map<number, number>} where the last vertical line in a column starts in its object's lines, by column and id */
    this.open = new Map();
  }

  /**
   * @param {number} id
   * @param {number} x0
   * @param {number} y0
   * @param {number} x1
   * @param {number} y1
   */
  add(id, x0, y0, x1, y1) {
    const lines = this.lines.get(id);
    if (lines) lines.push(x0, y0, x1, y1);
    else this.lines.set(id, [x0, y0, x1, y1]);
  }

  /**
   * Adds the side of one pixel, joined to that of the pixel above if there is one.
   * @param {number} id
   * @param {number} x
   * @param {number} y
   */
  addSide(id, x, y) {
    const key = x * 256 + id;
    const place = this.open.get(key);
    const lines = this.lines.get(id);
    if (place !== undefined && lines && lines[place + 3] === y) {
      lines[place + 3] = y + 1;
      return;
    }
    this.open.set(key, lines ? lines.length : 0);
    this.add(id, x, y, x, y + 1);
  }

  /** @returns {Lines} */
  finished() {
    return this.lines;
  }
}

/**
 * @param {Collector} collector
 * @param {Uint8Array} own
 * @param {Uint8Array} other the row above or below
 * @param {number} y of the line between both rows
 */
function addHorizontal(collector, own, other, y) {
  for (let x = 0; x < own.length; ) {
    const id = own[x];
    const start = x++;
    if (!id || other[start] === id) continue;
    while (x < own.length && own[x] === id && other[x] !== id) x++;
    collector.add(id, start, y, x, y);
  }
}

/**
 * @param {Collector} collector
 * @param {Uint8Array} row
 * @param {number} y
 */
function addVertical(collector, row, y) {
  let previous = 0;
  for (let x = 0; x < row.length; x++) {
    const id = row[x];
    if (id === previous) continue;
    if (previous) collector.addSide(previous, x, y);
    if (id) collector.addSide(id, x, y);
    previous = id;
  }
  if (previous) collector.addSide(previous, row.length, y);
}
