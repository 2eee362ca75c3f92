/**
 * Draws into a label map: strokes of a round brush, and polygons. The drawing functions change the map in place and return
 * the area that they may have changed.
 *
 * A pixel belongs to a shape if its centre does; points are in pixels of the frame, (0, 0) is its upper left corner.
 */
import { intersection } from "./label_map.js";

/** @typedef {import("./label_map.js").LabelMap} LabelMap */
/** @typedef {import("./label_map.js").Rect} Rect */
/** @typedef {{ x: number, y: number }} Point */

/**
 * Says what each label becomes: a pixel with label `old` gets the label `rule[old]`.
 * @typedef {Uint8Array} Rule
 */

/**
 * The rule of a brush: everything becomes the object, except locked objects.
 * @param {number} id
 * @param {Iterable<number>} [locked] ids that must not change
 * @returns {Rule}
 */
export function paintRule(id, locked = []) {
  const rule = new Uint8Array(256).fill(id);
  for (const other of locked) rule[other] = other;
  return rule;
}

/**
 * The rule of an eraser: the object becomes background.
 * @param {number | null} id null erases all objects
 * @param {Iterable<number>} [locked] ids that must not change
 * @returns {Rule}
 */
export function eraseRule(id, locked = []) {
  const rule = Uint8Array.from({ length: 256 }, (_, label) => (id === null || label === id ? 0 : label));
  for (const other of locked) rule[other] = other;
  return rule;
}

/**
 * A rule that changes only the background.
 * @param {number} id
 * @returns {Rule}
 */
export function backgroundRule(id) {
  const rule = Uint8Array.from({ length: 256 }, (_, label) => label);
  rule[0] = id;
  return rule;
}

/**
 * Draws a round brush along a straight line.
 * @param {LabelMap} map
 * @param {Point} from
 * @param {Point} to may be the same point
 * @param {number} diameter in pixels; the pixel under the brush is always drawn, however small the diameter
 * @param {Rule} rule
 * @returns {Rect | null}
 */
export function drawStroke(map, from, to, diameter, rule) {
  const radius = Math.max(diameter / 2, 0.5);
  const dirty = intersection(map.bounds, boundsOfPoints([from, to], radius));
  if (!dirty) return null;
  const [dx, dy] = [to.x - from.x, to.y - from.y];
  const length2 = dx * dx + dy * dy;
  for (let y = dirty.top; y < dirty.bottom; y++) {
    for (let x = dirty.left; x < dirty.right; x++) {
      const [px, py] = [x + 0.5 - from.x, y + 0.5 - from.y];
      const along = length2 ? Math.min(1, Math.max(0, (px * dx + py * dy) / length2)) : 0;
      const [ex, ey] = [px - along * dx, py - along * dy];
      if (ex * ex + ey * ey > radius * radius) continue;
      const at = y * map.width + x;
      map.labels[at] = rule[map.labels[at]];
    }
  }
  for (const { x, y } of [from, to]) drawPixel(map, x, y, rule);
  return dirty;
}

/**
 * Fills a polygon. If it crosses itself, points that it encloses an odd number of times are inside.
 * @param {LabelMap} map
 * @param {Point[]} corners the last is connected to the first
 * @param {Rule} rule
 * @returns {Rect | null}
 */
export function fillPolygon(map, corners, rule) {
  const dirty = corners.length >= 3 ? intersection(map.bounds, boundsOfPoints(corners, 0)) : null;
  if (!dirty) return null;
  for (let y = dirty.top; y < dirty.bottom; y++) {
    const crossings = crossingsOfRow(corners, y + 0.5);
    for (let place = 0; place + 1 < crossings.length; place += 2) {
      const first = Math.max(dirty.left, Math.ceil(crossings[place] - 0.5));
      const end = Math.min(dirty.right, Math.ceil(crossings[place + 1] - 0.5));
      for (let at = y * map.width + first; at < y * map.width + end; at++) map.labels[at] = rule[map.labels[at]];
    }
  }
  return dirty;
}

/**
 * @param {LabelMap} map
 * @param {number} x
 * @param {number} y
 * @param {Rule} rule
 */
function drawPixel(map, x, y, rule) {
  if (x < 0 || y < 0 || x >= map.width || y >= map.height) return;
  const at = Math.floor(y) * map.width + Math.floor(x);
  map.labels[at] = rule[map.labels[at]];
}

/**
 * @param {Point[]} corners
 * @param {number} y
 * @returns {number[]} x where the polygon's edges cross this row, in ascending order
 */
function crossingsOfRow(corners, y) {
  const crossings = [];
  for (let place = 0; place < corners.length; place++) {
    const from = corners[place];
    const to = corners[(place + 1) % corners.length];
    if (from.y <= y === to.y <= y) continue;
    crossings.push(from.x + ((y - from.y) / (to.y - from.y)) * (to.x - from.x));
  }
  return crossings.sort((one, other) => one - other);
}

/**
 * @param {Point[]} points
 * @param {number} margin
 * @returns {Rect} whole pixels around the points
 */
function boundsOfPoints(points, margin) {
  const xs = points.map((point) => point.x);
  const ys = points.map((point) => point.y);
  return {
    left: Math.floor(Math.min(...xs) - margin),
    top: Math.floor(Math.min(...ys) - margin),
    right: Math.floor(Math.max(...xs) + margin) + 1,
    bottom: Math.floor(Math.max(...ys) + margin) + 1,
  };
}
