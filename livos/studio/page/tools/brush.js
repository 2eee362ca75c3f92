/** Brush and eraser: a round pen. With the right button or Alt, each does what the other does. */
import { drawStroke } from "../masks/painting.js";
import { Tool, strokeVisibly } from "./tool.js";

/** @typedef {import("./tool.js").Point} Point */
/** @typedef {import("./tool.js").Modifiers} Modifiers */
/** @typedef {import("./tool.js").Bench} Bench */

/**
 * What a brush needs. Pages without Studio's server can provide it too.
 * @typedef {Pick<Bench, "redraw" | "view"> & {
 *   edits: Pick<Bench["edits"], "begin" | "finish" | "cancel" | "touched" | "paint" | "erase" | "current">,
 *   options: Pick<Bench["options"], "get">,
 * }} BrushBench
 */

/** @extends {Tool<BrushBench>} */
export class Brush extends Tool {
  /**
   * @param {BrushBench} bench
   * @param {boolean} erases
   */
  constructor(bench, erases) {
    super(bench);
    this.erases = erases;
    /** @type {import("../edits.js").Edit | null} */
    this.edit = null;
    /** @type {Point | null} where the last stroke ended: Shift draws a straight line from there */
    this.last = null;
    this.erasing = erases;
  }

  get cursor() {
    return "none";
  }

  /**
   * @param {Point} point
   * @param {Modifiers} modifiers
   */
  async down(point, modifiers) {
    this.edit = await this.bench.edits.begin();
    if (!this.edit) return;
    this.erasing = this.erases !== (modifiers.secondary || modifiers.alt);
    this.stroke(modifiers.shift && this.last ? this.last : point, point);
  }

  /** @param {Point} point */
  drag(point) {
    if (this.edit) this.stroke(this.last ?? point, point);
  }

  up() {
    if (this.edit) this.bench.edits.finish(this.edit, this.erasing ? "eraser stroke" : "brush stroke");
    this.edit = null;
    this.bench.redraw();
  }

  leave() {
    if (this.edit) this.bench.edits.cancel();
    this.edit = null;
    this.last = null;
  }

  /**
   * @param {Point} from
   * @param {Point} to
   */
  stroke(from, to) {
    const { edits, options } = this.bench;
    if (!this.edit || edits.current !== this.edit) return;
    const { id, map } = this.edit;
    const rule = this.erasing
      ? edits.erase(id, { all: options.get("eraseAll") })
      : edits.paint(id, { under: options.get("under") });
    edits.touched(this.edit, drawStroke(map, from, to, options.get("size"), rule));
    this.last = to;
  }

  /**
   * @param {CanvasRenderingContext2D} context
   * @param {import("./tool.js").View} view
   */
  draw(context, view) {
    if (!this.pointer) return;
    const { x, y } = view.toScreen(this.pointer);
    const radius = Math.max(2, (this.bench.options.get("size") / 2) * view.scale);
    context.beginPath();
    context.arc(x, y, radius, 0, 2 * Math.PI);
    const erases = this.edit ? this.erasing : this.erases;
    strokeVisibly(context, "#ffffff", erases ? [4, 3] : []);
    if (radius > 6) {
      context.fillStyle = "#ffffff";
      context.fillRect(x - 0.75, y - 0.75, 1.5, 1.5);
    }
  }
}
