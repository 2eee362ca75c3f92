/**
 * Polygon: each click adds a corner; a click on the first corner, a double click, or Enter closes it. The magnetic polygon
 * follows the edges of the picture between two clicks. With Alt held at the end, the polygon is cut away instead.
 */
import { fillPolygon } from "../masks/painting.js";
import { Tool, strokeVisibly } from "./tool.js";

/** @typedef {import("./tool.js").Point} Point */
/** @typedef {import("./tool.js").Modifiers} Modifiers */

const NEAR_PIXELS = 9;

export class Polygon extends Tool {
  /**
   * @param {import("./tool.js").Bench} bench
   * @param {boolean} magnetic
   */
  constructor(bench, magnetic) {
    super(bench);
    this.magnetic = magnetic;
    /** @type {Point[]} */
    this.anchors = [];
    /** @type {Point[][]} the path from each anchor to the next */
    this.ways = [];
    /** @type {Point[]} the path from the last anchor to the pointer */
    this.next = [];
    this.asked = 0;
    this.cuts = false;
  }

  get begun() {
    return this.anchors.length > 0;
  }

  /**
   * @param {Point} point
   * @param {Modifiers} modifiers
   */
  async down(point, modifiers) {
    const { studio, edits } = this.bench;
    if (!this.begun && studio.whyNot) return void edits.refuse(studio.whyNot);
    this.cuts = modifiers.alt || modifiers.secondary;
    if (this.anchors.length > 2 && this.near(point, this.anchors[0])) return this.close();
    const last = this.anchors.at(-1);
    if (last && this.near(point, last)) return this.anchors.length > 2 ? this.close() : undefined;
    if (last) this.ways.push(await this.wayTo(last, point));
    this.anchors.push(point);
    this.next = [];
    this.bench.redraw();
  }

  /** @param {Point} point */
  async hover(point) {
    const last = this.anchors.at(-1);
    if (!last) return;
    const asked = ++this.asked;
    const way = await this.wayTo(last, point);
    if (asked === this.asked) this.next = way;
    this.bench.redraw();
  }

  /**
   * @param {Point} from
   * @param {Point} to
   * @returns {Promise<Point[]>}
   */
  async wayTo(from, to) {
    if (!this.magnetic) return [from, to];
    const { studio } = this.bench;
    try {
      const body = { from: [from.x, from.y], to: [to.x, to.y] };
      const { points } = await studio.server.post(`/api/masks/${studio.frame}/path`, body);
      return points.map((/** @type {number[]} */ point) => ({ x: point[0], y: point[1] }));
    } catch (error) {
      studio.fail(error);
      return [from, to];
    }
  }

  async close() {
    const { edits } = this.bench;
    if (this.anchors.length < 3 && !(this.magnetic && this.anchors.length === 2)) return this.leave();
    const closing = await this.wayTo(/** @type {Point} */ (this.anchors.at(-1)), this.anchors[0]);
    const corners = [...this.ways.flat(), ...closing];
    const edit = await edits.begin();
    this.leave();
    if (!edit) return;
    const rule = this.cuts ? edits.erase(edit.id) : edits.paint(edit.id);
    edits.touched(edit, fillPolygon(edit.map, corners, rule));
    edits.finish(edit, this.magnetic ? "magnetic polygon" : "polygon");
  }

  leave() {
    this.anchors = [];
    this.ways = [];
    this.next = [];
    this.asked++;
    this.bench.redraw();
  }

  back() {
    this.anchors.pop();
    this.ways.pop();
    this.next = [];
    this.bench.redraw();
  }

  /**
   * @param {Point} one
   * @param {Point} other
   * @returns {boolean} whether they are close on the screen
   */
  near(one, other) {
    const scale = this.bench.view()?.scale ?? 1;
    return Math.hypot(one.x - other.x, one.y - other.y) * scale <= NEAR_PIXELS;
  }

  /**
   * @param {CanvasRenderingContext2D} context
   * @param {import("./tool.js").View} view
   */
  draw(context, view) {
    if (!this.begun) return;
    context.beginPath();
    const way = [...this.ways.flat(), this.anchors[this.anchors.length - 1], ...this.next];
    for (const point of way.map((each) => view.toScreen(each))) context.lineTo(point.x, point.y);
    if (!this.next.length && this.pointer) {
      const point = view.toScreen(this.pointer);
      context.lineTo(point.x, point.y);
    }
    strokeVisibly(context);
    this.anchors.forEach((anchor, place) => {
      const { x, y } = view.toScreen(anchor);
      const closes = place === 0 && this.pointer && this.anchors.length > 2 && this.near(this.pointer, anchor);
      context.beginPath();
      context.arc(x, y, closes ? 6.5 : 4, 0, 2 * Math.PI);
      context.fillStyle = place === 0 ? "#ffffff" : "#20242b";
      context.fill();
      strokeVisibly(context);
    });
  }
}
