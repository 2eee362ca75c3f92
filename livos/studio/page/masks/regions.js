/** Filling a connected region of a label map. */
import { union } from "./label_map.js";

/** @typedef {import("./label_map.js").LabelMap} LabelMap */
/** @typedef {import("./label_map.js").Rect} Rect */

/**
 * Gives a new label to a pixel and to all pixels of the same label that are connected to it.
 * @param {LabelMap} map
 * @param {number} x column of the pixel
 * @param {number} y row of the pixel
 * @param {number} id the new label
 * @returns {Rect | null} the area that may have changed; null if the pixel is outside or already has the label
 */
export function floodFill(map, x, y, id) {
  const inside = x >= 0 && y >= 0 && x < map.width && y < map.height;
  const old = map.at(x, y);
  if (!inside || old === id) return null;
  const { width, height, labels } = map;
  /** @type {Rect | null} */
  let dirty = null;
  const waiting = [Math.floor(y) * width + Math.floor(x)];
  while (waiting.length) {
    const at = /** @type {number} */ (waiting.pop());
    if (labels[at] !== old) continue;
    const row = Math.floor(at / width);
    const [first, end] = runAround(labels, at, row * width, (row + 1) * width);
    labels.fill(id, first, end);
    dirty = union(dirty, { left: first - row * width, top: row, right: end - row * width, bottom: row + 1 });
    if (row > 0) pushRuns(labels, old, first - width, end - width, waiting);
    if (row + 1 < height) pushRuns(labels, old, first + width, end + width, waiting);
  }
  return dirty;
}

/**
 * @param {Uint8Array} labels
 * @param {number} at
 * @param {number} start the row's first pixel
 * @param {number} stop the pixel after the row's last
 * @returns {[number, number]} the first pixel of the run of equal labels, and the one after the last
 */
function runAround(labels, at, start, stop) {
  let [first, end] = [at, at + 1];
  while (first > start && labels[first - 1] === labels[at]) first--;
  while (end < stop && labels[end] === labels[at]) end++;
  return [first, end];
}

/**
 * Adds one pixel of each run of a label to `waiting`.
 * @param {Uint8Array} labels
 * @param {number} label
 * @param {number} first
 * @param {number} end
 * @param {number[]} waiting
 */
function pushRuns(labels, label, first, end, waiting) {
  for (let at = first; at < end; at++) {
    if (labels[at] === label && (at === first || labels[at - 1] !== label)) waiting.push(at);
  }
}
