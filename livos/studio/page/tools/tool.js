/**
 * What all tools have in common. Points are in pixels of the frame. A tool's functions are called one after the other: the
 * next only when the promise of the one before is kept.
 *
 * @typedef {import("../masks/painting.js").Point} Point
 * @typedef {import("../stage/view.js").View} View
 * @typedef {{ alt: boolean, shift: boolean, secondary: boolean }} Modifiers `secondary`: the right button
 *
 * @typedef {object} Bench what tools work with
 * @property {import("../studio.js").Studio} studio
 * @property {import("../edits.js").Edits} edits
 * @property {import("./options.js").Options} options
 * @property {() => void} redraw draws the tool's own lines again
 * @property {() => View | null} view
 */

/** @template {Pick<Bench, "redraw" | "view">} [OwnBench=Bench] what the tool needs of the bench */
export class Tool {
  /** @param {OwnBench} bench */
  constructor(bench) {
    this.bench = bench;
    /** @type {Point | null} where the pointer is */
    this.pointer = null;
  }

  /** @returns {string} the mouse's look, in words of CSS */
  get cursor() {
    return "crosshair";
  }

  /** @returns {boolean} whether something is begun that Escape would leave and Enter would end */
  get begun() {
    return false;
  }

  /**
   * @param {Point} _point
   * @param {Modifiers} _modifiers
   * @returns {void | Promise<void>}
   */
  down(_point, _modifiers) {}

  /**
   * The pointer moves with the button held.
   * @param {Point} _point
   * @param {Modifiers} _modifiers
   * @returns {void | Promise<void>}
   */
  drag(_point, _modifiers) {}

  /**
   * @param {Point} _point
   * @param {Modifiers} _modifiers
   * @returns {void | Promise<void>}
   */
  up(_point, _modifiers) {}

  /**
   * The pointer moves without button.
   * @param {Point} _point
   * @returns {void | Promise<void>}
   */
  hover(_point) {}

  /** Enter: ends what is begun. @returns {void | Promise<void>} */
  close() {}

  /** Escape, another tool, or another frame: leaves what is begun. */
  leave() {}

  /** @returns {boolean} whether undo takes back the last part of what is begun, rather than the last finished step */
  get takesBack() {
    return true;
  }

  /** Takes back the last part of what is begun. */
  back() {
    this.leave();
  }

  /**
   * Draws the tool's own lines, in CSS pixels of the screen.
   * @param {CanvasRenderingContext2D} _context
   * @param {View} _view
   */
  draw(_context, _view) {}
}

/**
 * Strokes the present path so that it is seen on any picture: a dark line with a light one inside.
 * @param {CanvasRenderingContext2D} context
 * @param {string} [colour] of the inner line
 * @param {number[]} [dashes]
 */
export function strokeVisibly(context, colour = "#ffffff", dashes = []) {
  context.setLineDash([]);
  context.lineWidth = 3;
  context.strokeStyle = "rgb(0 0 0 / 60%)";
  context.stroke();
  context.setLineDash(dashes);
  context.lineWidth = 1.25;
  context.strokeStyle = colour;
  context.stroke();
  context.setLineDash([]);
}
