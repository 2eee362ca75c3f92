/**
 * Box and scribble: the user shows roughly where an object is, and the server finds its edges (GrabCut by Rother, Kolmogorov
 * and Blake, 2004).
 */
import { Tool, strokeVisibly } from "./tool.js";

/** @typedef {import("./tool.js").Point} Point */
/** @typedef {import("./tool.js").Modifiers} Modifiers */

const SMALLEST_BOX = 3;
const SCRIBBLE_WIDTH = 6;

export class Box extends Tool {
  /** @param {import("./tool.js").Bench} bench */
  constructor(bench) {
    super(bench);
    /** @type {Point | null} */
    this.corner = null;
    /** @type {Point | null} */
    this.opposite = null;
  }

  get begun() {
    return this.corner !== null;
  }

  /** @param {Point} point */
  down(point) {
    const { studio, edits } = this.bench;
    if (studio.whyNot) return void edits.refuse(studio.whyNot);
    this.corner = this.opposite = this.inside(point);
  }

  /** @param {Point} point */
  drag(point) {
    if (this.corner) this.opposite = this.inside(point);
    this.bench.redraw();
  }

  /** @param {Point} point */
  async up(point) {
    if (!this.corner) return;
    const [one, other] = [this.corner, this.inside(point)];
    const box = [
      Math.min(one.x, other.x), Math.min(one.y, other.y), Math.max(one.x, other.x), Math.max(one.y, other.y),
    ].map(Math.round);
    const large = box[2] - box[0] >= SMALLEST_BOX && box[3] - box[1] >= SMALLEST_BOX;
    this.opposite = this.inside(point);
    if (large) await this.bench.edits.suggest({ tool: "box", box }, "box");
    else this.bench.studio.say("Draw a box around the object: press, drag, release.");
    this.leave();
  }

  leave() {
    this.corner = this.opposite = null;
    this.bench.redraw();
  }

  /**
   * @param {Point} point
   * @returns {Point} the nearest inside the frame
   */
  inside(point) {
    const video = this.bench.studio.state?.video;
    if (!video) return point;
    return { x: Math.min(video.width, Math.max(0, point.x)), y: Math.min(video.height, Math.max(0, point.y)) };
  }

  /**
   * @param {CanvasRenderingContext2D} context
   * @param {import("./tool.js").View} view
   */
  draw(context, view) {
    if (!this.corner || !this.opposite) return;
    const [one, other] = [view.toScreen(this.corner), view.toScreen(this.opposite)];
    context.beginPath();
    context.rect(one.x, one.y, other.x - one.x, other.y - one.y);
    strokeVisibly(context, "#ffffff", [6, 4]);
  }
}

export class Scribble extends Tool {
  /** @param {import("./tool.js").Bench} bench */
  constructor(bench) {
    super(bench);
    /** @type {{ points: Point[], add: boolean, radius: number }[]} all strokes on this frame since the tool was chosen */
    this.strokes = [];
    this.drawing = false;
    /** @type {number | null} */
    this.object = null;
    /** Whether the object had no mask before the first stroke, so that the strokes alone show what it is. */
    this.fresh = true;
  }

  get begun() {
    return this.strokes.length > 0;
  }

  get takesBack() {
    this.strokes.pop(); // the mask it gave is a finished step, which undo reverts as well
    return false;
  }

  /**
   * @param {Point} point
   * @param {Modifiers} modifiers
   */
  async down(point, modifiers) {
    const { studio, edits } = this.bench;
    if (studio.whyNot) return void edits.refuse(studio.whyNot);
    if (this.object !== studio.selected) this.leave();
    if (!this.strokes.length) this.fresh = !this.hasMask();
    const radius = SCRIBBLE_WIDTH / 2 / (this.bench.view()?.scale ?? 1);
    this.strokes.push({ points: [point], add: !(modifiers.alt || modifiers.secondary), radius: Math.max(1, radius) });
    this.drawing = true;
    this.bench.redraw();
  }

  /** @param {Point} point */
  drag(point) {
    if (this.drawing) this.strokes.at(-1)?.points.push(point);
    this.bench.redraw();
  }

  async up() {
    if (!this.drawing) return;
    this.drawing = false;
    const strokes = this.strokes.map(({ points, add, radius }) => ({
      points: points.map(({ x, y }) => [x, y]),
      add,
      radius,
    }));
    await this.bench.edits.suggest({ tool: "scribble", strokes, fresh: this.fresh }, "scribble");
    this.object = this.bench.studio.selected;
  }

  /** @returns {boolean} whether the selected object has a pixel on this frame */
  hasMask() {
    const { selected, shown } = this.bench.studio;
    return selected !== null && Boolean(shown?.mask.map.labels.includes(selected));
  }

  close() {
    this.leave();
  }

  leave() {
    this.strokes = [];
    this.drawing = false;
    this.object = this.bench.studio.selected;
    this.bench.redraw();
  }

  /**
   * @param {CanvasRenderingContext2D} context
   * @param {import("./tool.js").View} view
   */
  draw(context, view) {
    context.lineJoin = context.lineCap = "round";
    for (const { points, add } of this.strokes) {
      context.beginPath();
      for (const point of points.map((each) => view.toScreen(each))) context.lineTo(point.x, point.y);
      context.setLineDash([]);
      context.lineWidth = SCRIBBLE_WIDTH + 2;
      context.strokeStyle = "rgb(0 0 0 / 55%)";
      context.stroke();
      context.lineWidth = SCRIBBLE_WIDTH;
      context.setLineDash(add ? [] : [2, 9]);
      context.strokeStyle = add ? "#ffffff" : "#ff9d76";
      context.stroke();
    }
    context.setLineDash([]);
  }
}
