/**
 * What all tools have in common. Points are in pixels of the frame. A tool's methods are called one after another: the next
 * one only after the promise of the one before has settled.
 *
 * @typedef {import("../masks/painting.js").Point} Point
 * @typedef {import("../stage/view.js").View} View
 * @typedef {{ alt: boolean, shift: boolean, secondary: boolean }} Modifiers `secondary`: the right button
 *
 * @typedef {object} Bench what tools work with
 * @property {import("../studio.js").Studio} studio
 * @property {import("../edits.js").Edits} edits
 * @property {import("./options.js").Options} options
 * @property {() => void} redraw draws the tool's own lines again soon
 * @property {() => View | null} view
 */

/** @template {Pick<Bench, "redraw" | "view">} [OwnBench=Bench] the part of the bench that the tool needs */
export class Tool {
  /** @param {OwnBench} bench */
  constructor(bench) {
    this.bench = bench;
    /** @type {Point | null} where the pointer is */
    this.pointer = null;
  }

  /** @returns {string} the mouse cursor, a CSS keyword */
  get cursor() {
    return "crosshair";
  }

  /** @returns {boolean} whether something is in progress that Escape would cancel and Enter would finish */
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
   * The pointer moved while the button is held.
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
   * The pointer moved while no button is held.
   * @param {Point} _point
   * @returns {void | Promise<void>}
   */
  hover(_point) {}

  /** Enter: finishes what is in progress. @returns {void | Promise<void>} */
  close() {}

  /** Escape, another tool, or another frame: cancels what is in progress. */
  leave() {}

  /** @returns {boolean} whether undo reverts the last part of what is in progress, rather than the last finished step */
  get takesBack() {
    return true;
  }

  /** Reverts the last part of what is in progress. */
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
 * Strokes the current path as a dark line with a light one inside, which is visible on any picture.
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
