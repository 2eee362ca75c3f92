/** The objects of a label map as a picture: filled areas and outlines. */
import { intersection, union } from "../masks/label_map.js";
import { addRounded, chains } from "../masks/contours.js";
import { Outlines } from "../masks/outlines.js";
import { wordsOf } from "../colours.js";

/** @typedef {import("../masks/label_map.js").LabelMap} LabelMap */
/** @typedef {import("../masks/label_map.js").Rect} Rect */

export class Overlay {
  /**
   * @param {LabelMap} map
   * @param {ReadonlyMap<number, string>} colours `#rrggbb` of the visible objects, by id
   */
  constructor(map, colours) {
    this.map = map;
    this.canvas = new OffscreenCanvas(map.width, map.height);
    this.context = /** @type {OffscreenCanvasRenderingContext2D} */ (this.canvas.getContext("2d"));
    this.words = wordsOf(colours);
    /** @type {Rect | null} where anything is painted */
    this.painted = null;
    this.outlines = new Outlines(map);
    /** @type {WeakMap<number[], Path2D>} */
    this.exactPaths = new WeakMap();
    /** @type {WeakMap<number[], Path2D>} */
    this.roundedPaths = new WeakMap();
    if (map.content) this.paint(map.content);
  }

  /**
   * Shows another map of the same size.
   * @param {LabelMap} map
   */
  take(map) {
    if (this.painted) this.context.clearRect(0, this.painted.top, map.width, this.painted.bottom - this.painted.top);
    this.map = map;
    this.painted = null;
    this.outlines = new Outlines(map);
    if (map.content) this.paint(map.content);
  }

  /**
   * Changes the colours.
   * @param {ReadonlyMap<number, string>} colours
   */
  recolour(colours) {
    const words = wordsOf(colours);
    if (words.every((word, id) => word === this.words[id])) return;
    this.words = words;
    this.paint(this.map.bounds);
  }

  /**
   * Draws again what has changed in the map.
   * @param {Rect} dirty
   */
  update(dirty) {
    this.paint(dirty);
    this.outlines.update(dirty);
  }

  /** @param {Rect} dirty */
  paint(dirty) {
    const rect = intersection(dirty, this.map.bounds);
    if (!rect) return;
    this.painted = union(this.painted, rect);
    const { labels, width } = this.map;
    const across = rect.right - rect.left;
    const image = new ImageData(across, rect.bottom - rect.top);
    const pixels = new Uint32Array(image.data.buffer);
    for (let y = rect.top, to = 0; y < rect.bottom; y++) {
      for (let from = y * width + rect.left, end = from + across; from < end; ) pixels[to++] = this.words[labels[from++]];
    }
    this.context.putImageData(image, rect.left, rect.top);
  }

  /**
   * Strokes the outlines of the visible objects.
   * @param {CanvasRenderingContext2D} context whose unit is a pixel of the frame
   * @param {ReadonlyMap<number, string>} colours
   * @param {number} lineWidth in pixels of the frame
   * @param {boolean} exact along the pixels rather than smoothed
   */
  strokeOutlines(context, colours, lineWidth, exact) {
    context.lineCap = exact ? "square" : "round";
    context.lineJoin = "round";
    for (const [width, shade] of /** @type {const} */ ([[lineWidth * 2.2, "rgb(0 0 0 / 55%)"], [lineWidth, null]])) {
      context.lineWidth = width;
      this.outlines.forEach((id, lines) => {
        const colour = colours.get(id);
        if (!colour) return;
        context.strokeStyle = shade ?? colour;
        context.stroke(exact ? this.exactPath(lines) : this.roundedPath(lines));
      });
    }
  }

  /**
   * @param {number[]} lines
   * @returns {Path2D}
   */
  exactPath(lines) {
    const known = this.exactPaths.get(lines);
    if (known) return known;
    const path = new Path2D();
    for (let at = 0; at < lines.length; at += 4) {
      path.moveTo(lines[at], lines[at + 1]);
      path.lineTo(lines[at + 2], lines[at + 3]);
    }
    this.exactPaths.set(lines, path);
    return path;
  }

  /**
   * @param {number[]} lines
   * @returns {Path2D}
   */
  roundedPath(lines) {
    const known = this.roundedPaths.get(lines);
    if (known) return known;
    const path = new Path2D();
    for (const chain of chains(lines)) addRounded(path, chain);
    this.roundedPaths.set(lines, path);
    return path;
  }
}
