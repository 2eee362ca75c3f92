/** Draws the timeline: a ruler, a filmstrip, and for each object its given masks, tracked frames and confidence. */
import { clock } from "../texts.js";
import { doneStretches, isGiven } from "./marks.js";
import { tickDistance } from "./scale.js";

/** @typedef {import("./scale.js").Scale} Scale */
/** @typedef {import("../protocol.js").Timeline} Timeline */
/** @typedef {import("../protocol.js").TrackedObject} TrackedObject */

export const GUTTER = 112;
export const RULER = 22;
export const STRIP = 46;
const CURVE_MARGIN = 4;
const BAR = 4;
const MARK = 5;

/**
 * @typedef {{ text: string, muted: string, line: string, lane: string, doubt: string, accent: string, shade: string,
 *   chosen: string, font: string, head: string }} Colours
 */

/**
 * @typedef {object} Sheet what to draw on, and how
 * @property {CanvasRenderingContext2D} context in CSS pixels
 * @property {Scale} scale of the part to the right of the gutter
 * @property {number} height CSS pixels
 * @property {number} lane the height of an object's row in CSS pixels
 * @property {Colours} colours
 */

/**
 * Frame numbers and times along the upper edge.
 * @param {Sheet} sheet
 * @param {number} rate frames per second
 */
export function drawRuler({ context, scale, colours }, rate) {
  const step = tickDistance(scale.pixels, rate);
  const fine = Math.max(1, step / (step % 5 === 0 ? 5 : 2));
  context.font = `10.5px ${colours.font}`;
  context.textBaseline = "middle";
  context.textAlign = "left";
  for (let frame = Math.floor(scale.start / fine) * fine; frame < scale.start + scale.seen && frame < scale.frames; frame += fine) {
    const x = GUTTER + scale.toX(frame);
    const labelled = Math.abs(frame / step - Math.round(frame / step)) < 1e-6;
    context.fillStyle = colours.line;
    context.fillRect(Math.round(x), labelled ? 6 : RULER - 6, 1, RULER - (labelled ? 6 : RULER - 6));
    if (!labelled || x > GUTTER + scale.width - 30) continue;
    context.fillStyle = colours.muted;
    context.fillText(step >= rate ? shortClock(frame / rate) : String(Math.round(frame)), x + 4, RULER / 2);
  }
}

/**
 * @param {number} seconds whole
 * @returns {string}
 */
function shortClock(seconds) {
  return clock(Math.round(seconds)).replace(/\.00$/, "");
}

/**
 * @param {Sheet} sheet
 * @param {import("./filmstrip.js").Slot[]} slots
 * @param {(slot: import("./filmstrip.js").Slot) => ImageBitmap | undefined} picture
 */
export function drawStrip({ context, colours }, slots, picture) {
  for (const slot of slots) {
    const { x, width } = slot;
    const bitmap = picture(slot);
    const left = GUTTER + x;
    context.fillStyle = colours.lane;
    context.fillRect(left, RULER, width, STRIP - 2);
    if (!bitmap) continue;
    const zoom = Math.max(width / bitmap.width, (STRIP - 2) / bitmap.height);
    const [across, down] = [width / zoom, (STRIP - 2) / zoom];
    const [fromX, fromY] = [(bitmap.width - across) / 2, (bitmap.height - down) / 2];
    context.drawImage(bitmap, fromX, fromY, across, down, left, RULER, width - 1, STRIP - 2);
  }
}

/**
 * Draws one object: which frames were tracked and in which direction, its confidence, and its given masks.
 * @param {Sheet} sheet
 * @param {number} top CSS pixels
 * @param {TrackedObject} object
 * @param {Timeline} timeline
 * @param {{ chosen: boolean, below: number }} how `below`: masks of a lower confidence, 0 to 1, are doubtful
 */
export function drawLane(sheet, top, object, timeline, { chosen, below }) {
  const { context, scale, colours, lane } = sheet;
  context.fillStyle = chosen ? colours.chosen : colours.lane;
  context.fillRect(GUTTER, top, scale.width, lane - 2);
  const tracked = timeline.objects.find((each) => each.id === object.id);
  if (tracked) {
    drawDone(sheet, top, tracked.by, object.color);
    drawDoubt(sheet, top, tracked.confidence, timeline, object.id, below);
    drawCurve(sheet, top, tracked.confidence, object.color);
  }
  drawMarks(sheet, top, object, timeline);
}

/**
 * Writes the name of an object to the left of its row.
 * @param {Sheet} sheet
 * @param {number} top
 * @param {TrackedObject} object
 * @param {boolean} chosen
 */
export function drawName({ context, colours, lane }, top, object, chosen) {
  context.fillStyle = object.color;
  context.beginPath();
  context.roundRect(12, top + lane / 2 - 6, 10, 10, 3);
  context.fill();
  context.fillStyle = chosen ? colours.text : colours.muted;
  context.font = `${chosen ? "600 " : ""}12px ${colours.font}`;
  context.textBaseline = "middle";
  context.textAlign = "left";
  context.fillText(fitted(context, object.name, GUTTER - 38), 29, top + lane / 2 - 0.5);
}

/**
 * @param {CanvasRenderingContext2D} context
 * @param {string} text
 * @param {number} width
 * @returns {string} the text, shortened if it is wider
 */
function fitted(context, text, width) {
  if (context.measureText(text).width <= width) return text;
  let length = text.length;
  while (length > 1 && context.measureText(`${text.slice(0, length)}…`).width > width) length--;
  return `${text.slice(0, length)}…`;
}

/**
 * Draws a bar where masks were tracked, with arrow heads for the direction.
 * @param {Sheet} sheet
 * @param {number} top
 * @param {string} by
 * @param {string} colour
 */
function drawDone({ context, scale, colours, lane }, top, by, colour) {
  const y = top + lane - 2 - BAR;
  for (const { first, last, by: way } of doneStretches(by)) {
    const [left, right] = [GUTTER + scale.toX(first), GUTTER + scale.toX(last + 1)];
    if (right < GUTTER || left > GUTTER + scale.width) continue;
    context.globalAlpha = 0.16;
    context.fillStyle = colour;
    context.fillRect(left, top, right - left, lane - 2);
    context.globalAlpha = 1;
    context.fillRect(left, y, Math.max(1, right - left - 0.5), BAR);
    context.fillStyle = colours.head;
    for (let x = Math.max(left, left + 10); x < right - 6; x += 28) drawArrow(context, x, y + BAR / 2, way);
  }
}

/**
 * @param {CanvasRenderingContext2D} context
 * @param {number} x
 * @param {number} y
 * @param {string} way `f`, `b` or `s`
 */
function drawArrow(context, x, y, way) {
  const side = way === "b" ? -1 : 1;
  context.beginPath();
  if (way === "s") {
    context.rect(x - 1, y - BAR / 2, 2, BAR);
  } else {
    context.moveTo(x + side * 3, y);
    context.lineTo(x - side * 2, y - BAR / 2);
    context.lineTo(x - side * 2, y + BAR / 2);
  }
  context.fill();
}

/**
 * Marks doubtful masks with a shade, and with a line above so that it does not depend on colour.
 * @param {Sheet} sheet
 * @param {number} top
 * @param {number[]} confidence
 * @param {Timeline} timeline
 * @param {number} id
 * @param {number} below
 */
function drawDoubt({ context, scale, colours, lane }, top, confidence, timeline, id, below) {
  const end = Math.min(confidence.length, Math.ceil(scale.start + scale.seen));
  context.fillStyle = colours.doubt;
  for (let frame = Math.floor(scale.start); frame < end; frame++) {
    const value = confidence[frame];
    if (value < 0 || value >= 100 * below || isGiven(timeline, frame, id)) continue;
    const x = GUTTER + scale.toX(frame);
    const width = Math.max(1, scale.pixels);
    context.globalAlpha = 0.28;
    context.fillRect(x, top, width, lane - 2);
    context.globalAlpha = 1;
    context.fillRect(x, top, width, 2);
  }
}

/**
 * Draws the confidence as a curve, from the lower edge (0) to the upper one (1).
 * @param {Sheet} sheet
 * @param {number} top
 * @param {number[]} confidence
 * @param {string} colour
 */
function drawCurve({ context, scale, colours, lane }, top, confidence, colour) {
  const [low, high] = [top + lane - 2 - BAR - 2, top + CURVE_MARGIN];
  context.strokeStyle = colour;
  context.strokeStyle = `color-mix(in srgb, ${colour} 65%, ${colours.text})`; // browsers without color-mix ignore this and keep the line above
  context.lineWidth = 1.5;
  context.lineJoin = "round";
  context.beginPath();
  let pen = false;
  const end = Math.min(confidence.length, Math.ceil(scale.start + scale.seen) + 1);
  for (let frame = Math.max(0, Math.floor(scale.start) - 1); frame < end; frame++) {
    if (confidence[frame] < 0) {
      pen = false;
      continue;
    }
    const x = GUTTER + scale.toX(frame + 0.5);
    const y = low + (high - low) * (confidence[frame] / 100);
    if (pen) context.lineTo(x, y);
    else context.moveTo(x, y);
    pen = true;
  }
  context.stroke();
}

/**
 * Draws a diamond on each frame with a given mask.
 * @param {Sheet} sheet
 * @param {number} top
 * @param {TrackedObject} object
 * @param {Timeline} timeline
 */
function drawMarks({ context, scale, colours, lane }, top, object, timeline) {
  for (const [key, ids] of Object.entries(timeline.marks)) {
    if (!ids.includes(object.id)) continue;
    const x = GUTTER + scale.toX(Number(key) + 0.5);
    const y = top + (lane - 2) / 2;
    context.beginPath();
    context.moveTo(x, y - MARK - 1);
    context.lineTo(x + MARK, y);
    context.lineTo(x, y + MARK + 1);
    context.lineTo(x - MARK, y);
    context.closePath();
    context.lineWidth = 3;
    context.strokeStyle = colours.head;
    context.stroke();
    context.fillStyle = object.color;
    context.fill();
    context.lineWidth = 1;
    context.strokeStyle = colours.text;
    context.stroke();
  }
}

/**
 * Darkens what is outside the in and out points, and draws their handles.
 * @param {Sheet} sheet
 * @param {{ first: number, last: number }} range
 */
export function drawRange({ context, scale, colours, height }, range) {
  const [left, right] = [GUTTER + scale.toX(range.first), GUTTER + scale.toX(range.last + 1)];
  const end = GUTTER + scale.width;
  context.fillStyle = colours.shade;
  if (left > GUTTER) context.fillRect(GUTTER, RULER, Math.min(left, end) - GUTTER, height - RULER);
  if (right < end) context.fillRect(Math.max(right, GUTTER), RULER, end - Math.max(right, GUTTER), height - RULER);
  const whole = range.first === 0 && range.last === scale.frames - 1;
  context.globalAlpha = whole ? 0.45 : 1;
  context.fillStyle = colours.accent;
  context.fillRect(left, RULER - 3, right - left, 3);
  drawHandle(context, left, 1);
  drawHandle(context, right, -1);
  context.globalAlpha = 1;
}

/**
 * @param {CanvasRenderingContext2D} context
 * @param {number} x
 * @param {1 | -1} side
 */
function drawHandle(context, x, side) {
  context.beginPath();
  context.moveTo(x, RULER - 12);
  context.lineTo(x + side * 6, RULER - 6);
  context.lineTo(x + side * 6, RULER);
  context.lineTo(x, RULER);
  context.fill();
}

/**
 * Draws the line at the current frame.
 * @param {Sheet} sheet
 * @param {number} frame
 */
export function drawPlayhead({ context, scale, colours, height }, frame) {
  const left = GUTTER + scale.toX(frame);
  const x = Math.round(left + scale.pixels / 2);
  if (x < GUTTER - 1 || x > GUTTER + scale.width + 1) return;
  if (scale.pixels > 6) {
    context.fillStyle = colours.text;
    context.globalAlpha = 0.1;
    context.fillRect(left, RULER, scale.pixels, height - RULER);
    context.globalAlpha = 1;
  }
  context.fillStyle = colours.text;
  context.fillRect(x - 0.75, 4, 1.5, height - 4);
  context.beginPath();
  context.moveTo(x - 6, 1);
  context.lineTo(x + 6, 1);
  context.lineTo(x + 6, 8);
  context.lineTo(x, 14);
  context.lineTo(x - 6, 8);
  context.fill();
}
