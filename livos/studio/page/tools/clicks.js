/** Clicks: the user clicks on an object, and the server finds all of it. Further clicks add or remove parts. */
import { Tool, strokeVisibly } from "./tool.js";

/** @typedef {import("./tool.js").Point} Point */
/** @typedef {import("./tool.js").Modifiers} Modifiers */

const SMALLEST_BOX = 8; // in CSS pixels of the screen: a shorter drag is a click
const RADIUS = 5;

export class Clicks extends Tool {
  /** @param {import("./tool.js").Bench} bench */
  constructor(bench) {
    super(bench);
    /** @type {{ point: Point, inside: boolean }[]} all clicks on this frame since the tool was chosen */
    this.clicks = [];
    /** @type {[Point, Point] | null} two corners */
    this.box = null;
    /** @type {{ from: Point, to: Point, inside: boolean } | null} from where the button was pressed to the pointer */
    this.press = null;
    /** @type {number | null} */
    this.object = null;
  }

  get begun() {
    return this.clicks.length > 0 || this.box !== null || this.press !== null;
  }

  get takesBack() {
    if (!this.clicks.pop()) this.box = null; // the mask it gave is a finished step, which undo reverts as well
    return false;
  }

  /**
   * @param {Point} point
   * @param {Modifiers} modifiers
   */
  down(point, modifiers) {
    const { studio, edits } = this.bench;
    if (studio.whyNot) return void edits.refuse(studio.whyNot);
    if (this.object !== studio.selected) this.leave();
    const place = this.inFrame(point);
    this.press = { from: place, to: place, inside: !(modifiers.alt || modifiers.secondary) };
    this.bench.redraw();
  }

  /** @param {Point} point */
  drag(point) {
    if (this.press) this.press.to = this.inFrame(point);
    this.bench.redraw();
  }

  /** @param {Point} point */
  async up(point) {
    if (!this.press) return;
    const { from, inside } = this.press;
    const to = this.inFrame(point);
    this.press = null;
    const isBox = inside && this.isBox(from, to);
    if (!isBox && !inside && !this.box && !this.clicks.some((click) => click.inside)) {
      this.bench.redraw();
      return this.bench.studio.say("Click on the object first, then on what is not part of it.");
    }
    if (isBox) [this.box, this.clicks] = [[from, to], []];
    else this.clicks.push({ point: from, inside });
    this.bench.redraw();
    await this.bench.edits.suggest(this.request(), isBox ? "box" : "click");
    this.object = this.bench.studio.selected;
  }

  /** @returns {{ tool: string, clicks: number[][], box?: number[] }} */
  request() {
    const clicks = this.clicks.map(({ point, inside }) => [point.x, point.y, inside ? 1 : 0]);
    if (!this.box) return { tool: "click", clicks };
    const [one, other] = this.box;
    return { tool: "click", clicks, box: [one.x, one.y, other.x, other.y] };
  }

  /**
   * @param {Point} from
   * @param {Point} to
   * @returns {boolean} whether the pointer went far enough for a box
   */
  isBox(from, to) {
    const least = SMALLEST_BOX / (this.bench.view()?.scale ?? 1);
    return Math.min(Math.abs(to.x - from.x), Math.abs(to.y - from.y)) >= least;
  }

  /**
   * @param {Point} point
   * @returns {Point} the nearest inside the frame
   */
  inFrame(point) {
    const video = this.bench.studio.state?.video;
    if (!video) return point;
    return { x: Math.min(video.width, Math.max(0, point.x)), y: Math.min(video.height, Math.max(0, point.y)) };
  }

  close() {
    this.leave();
  }

  leave() {
    [this.clicks, this.box, this.press] = [[], null, null];
    this.object = this.bench.studio.selected;
    this.bench.redraw();
  }

  /**
   * @param {CanvasRenderingContext2D} context
   * @param {import("./tool.js").View} view
   */
  draw(context, view) {
    const { press } = this;
    const pulled = press?.inside && this.isBox(press.from, press.to) ? [press.from, press.to] : this.box;
    if (pulled) {
      const [one, other] = pulled.map((corner) => view.toScreen(corner));
      context.beginPath();
      context.rect(one.x, one.y, other.x - one.x, other.y - one.y);
      strokeVisibly(context, "#ffffff", [6, 4]);
    }
    for (const { point, inside } of this.clicks) drawClick(context, view.toScreen(point), inside);
  }
}

/**
 * Draws a disc, with a plus if the click is on the object, or a minus if it is not.
 * @param {CanvasRenderingContext2D} context
 * @param {Point} place on the screen
 * @param {boolean} inside
 */
function drawClick(context, { x, y }, inside) {
  context.beginPath();
  context.arc(x, y, RADIUS + 1.5, 0, 2 * Math.PI);
  context.fillStyle = inside ? "#ffffff" : "#ff9d76";
  context.fill();
  context.beginPath();
  context.moveTo(x - RADIUS + 1.5, y);
  context.lineTo(x + RADIUS - 1.5, y);
  if (inside) {
    context.moveTo(x, y - RADIUS + 1.5);
    context.lineTo(x, y + RADIUS - 1.5);
  }
  context.lineWidth = 1.75;
  context.strokeStyle = "#14161a";
  context.stroke();
}
