/**
 * Mouse, pen, fingers and keys on the stage. What concerns the view (zoom, pan, the divider between before and after) is done
 * here; the rest is passed on to the tool in the order in which it happened.
 */

/** @typedef {import("./stage.js").Stage} Stage */
/** @typedef {import("./view.js").View} View */
/** @typedef {{ x: number, y: number }} Point */

const WHEEL_PIXELS = 100;
const DIVIDER_REACH = 12;

export class Pointers {
  /** @param {Stage} stage */
  constructor(stage) {
    this.stage = stage;
    /** @type {Point | null} where the pointer is on the screen; null outside the stage */
    this.screen = null;
    /** @type {"tool" | "pan" | "divider" | null} what the pressed button does */
    this.gesture = null;
    /** @type {Promise<unknown>} */
    this.turn = Promise.resolve();
    this.spaceHeld = false;
    /** Whether the picture was moved while Space was held. */
    this.spaceUsed = false;
    /** @type {Point | null} the pen that the keyboard moves, in pixels of the frame */
    this.pen = null;
    this.penDown = false;
    const { lines } = stage;
    lines.addEventListener("pointerdown", (event) => this.down(event));
    lines.addEventListener("pointermove", (event) => this.move(event));
    lines.addEventListener("pointerup", (event) => this.up(event));
    lines.addEventListener("pointercancel", (event) => this.up(event));
    lines.addEventListener("pointerleave", () => this.leave());
    lines.addEventListener("dblclick", () => this.inTurn((tool) => (tool.begun ? tool.close() : undefined)));
    lines.addEventListener("contextmenu", (event) => event.preventDefault());
    lines.addEventListener("wheel", (event) => this.wheel(event), { passive: false });
    lines.addEventListener("keydown", (event) => this.key(event));
  }

  /**
   * @param {MouseEvent} event
   * @returns {Point} from the stage's corner, in CSS pixels
   */
  place(event) {
    const box = this.stage.lines.getBoundingClientRect();
    return { x: event.clientX - box.left, y: event.clientY - box.top };
  }

  /**
   * Has the tool do something after it has finished everything before.
   * @param {(tool: import("./stage.js").Tool) => void | Promise<void>} act
   */
  inTurn(act) {
    const { tool, studio } = this.stage;
    if (!tool || !this.stage.view || !studio.isShown) return;
    this.turn = this.turn.then(() => act(tool)).catch((error) => studio.fail(error));
  }

  /** @param {PointerEvent} event */
  down(event) {
    const { stage } = this;
    if (!stage.view || this.gesture) return;
    stage.lines.focus({ preventScroll: true });
    stage.lines.setPointerCapture(event.pointerId);
    this.screen = this.place(event);
    this.pen = null;
    const pans = event.button === 1 || this.spaceHeld || stage.tool?.cursor === "grab";
    this.spaceUsed ||= this.spaceHeld;
    if (pans) this.gesture = "pan";
    else if (this.onDivider(this.screen)) this.gesture = "divider";
    else this.gesture = "tool";
    stage.studio.emit("gesture");
    if (this.gesture === "tool" && !stage.studio.isShown) this.refuse();
    if (this.gesture !== "tool") return;
    const [point, modifiers] = [stage.view.toFrame(this.screen), modifiersOf(event)];
    this.inTurn((tool) => tool.down(point, modifiers));
  }

  /** Refuses to draw while another frame is shown in place of the current one. */
  refuse() {
    const { studio } = this.stage;
    this.gesture = null;
    studio.say(`Frame ${studio.frame} is not there yet.`, "warning");
  }

  /** @param {PointerEvent} event */
  move(event) {
    const { stage } = this;
    const { view } = stage;
    if (!view) return;
    const before = this.screen;
    this.screen = this.place(event);
    if (this.gesture === "pan" && before) {
      view.pan(this.screen.x - before.x, this.screen.y - before.y);
      stage.viewChanged();
    } else if (this.gesture === "divider") {
      stage.divider = Math.min(0.98, Math.max(0.02, this.screen.x / stage.size().width));
      stage.placeHandle();
      stage.redraw();
    } else this.moveTool(event, view);
    stage.redrawLines();
  }

  /**
   * @param {PointerEvent} event
   * @param {View} view
   */
  moveTool(event, view) {
    const { stage } = this;
    const modifiers = modifiersOf(event);
    const events = this.gesture === "tool" ? event.getCoalescedEvents?.() ?? [] : [];
    const points = (events.length ? events : [event]).map((each) => view.toFrame(this.place(each)));
    if (stage.tool) stage.tool.pointer = points[points.length - 1];
    if (this.gesture === "tool") this.inTurn((tool) => each(points, (point) => tool.drag(point, modifiers)));
    else stage.tool?.hover(points[points.length - 1]);
    stage.lines.style.cursor = this.screen && this.onDivider(this.screen) ? "ew-resize" : (stage.tool?.cursor ?? "");
  }

  /** @param {PointerEvent} event */
  up(event) {
    const { stage } = this;
    const { gesture } = this;
    this.gesture = null;
    if (gesture !== "tool" || !stage.view) return;
    const [point, modifiers] = [stage.view.toFrame(this.place(event)), modifiersOf(event)];
    this.inTurn((tool) => tool.up(point, modifiers));
  }

  leave() {
    if (this.gesture) return;
    this.screen = null;
    if (this.stage.tool && !this.pen) this.stage.tool.pointer = null;
    this.stage.redrawLines();
  }

  /** @param {WheelEvent} event */
  wheel(event) {
    const { stage } = this;
    event.preventDefault();
    if (!stage.view) return;
    const lines = event.deltaMode === WheelEvent.DOM_DELTA_LINE ? 20 : 1;
    if (event.shiftKey) stage.view.pan(-(event.deltaX || event.deltaY) * lines, 0);
    else stage.view.zoomBy((-event.deltaY * lines) / WHEEL_PIXELS, this.place(event));
    stage.viewChanged();
  }

  /**
   * @param {Point} screen
   * @returns {boolean}
   */
  onDivider(screen) {
    const { stage } = this;
    const shown = stage.options.get("view") === "compare" && !stage.peek;
    return shown && Math.abs(screen.x - stage.divider * stage.size().width) < DIVIDER_REACH;
  }

  /**
   * Alt with arrows moves a pen, and Alt with Enter puts it down or lifts it, so the keyboard can draw whatever the mouse can.
   * @param {KeyboardEvent} event
   */
  key(event) {
    const { stage } = this;
    if (!event.altKey || !stage.view || !stage.tool) return;
    const step = event.shiftKey ? 10 : 2;
    const ways = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
    const way = ways[/** @type {keyof typeof ways} */ (event.key)];
    if (way) this.movePen(way[0] * step, way[1] * step, stage.view);
    else if (event.key === "Enter") this.pressPen(stage.view);
    else return;
    event.preventDefault();
    event.stopPropagation();
    stage.redrawLines();
  }

  /**
   * @param {number} dx pixels of the frame
   * @param {number} dy pixels of the frame
   * @param {View} view
   */
  movePen(dx, dy, view) {
    const from = this.pen ?? { x: view.frame.width / 2, y: view.frame.height / 2 };
    const pen = {
      x: Math.min(view.frame.width, Math.max(0, from.x + dx)),
      y: Math.min(view.frame.height, Math.max(0, from.y + dy)),
    };
    this.pen = pen;
    if (this.stage.tool) this.stage.tool.pointer = pen;
    const modifiers = { alt: false, shift: false, secondary: false };
    this.inTurn((tool) => (this.penDown ? tool.drag(pen, modifiers) : tool.hover(pen)));
  }

  /** @param {View} view */
  pressPen(view) {
    if (!this.pen) this.movePen(0, 0, view);
    const pen = /** @type {Point} */ (this.pen);
    const modifiers = { alt: false, shift: false, secondary: false };
    this.penDown = !this.penDown;
    if (this.penDown) this.inTurn((tool) => tool.down(pen, modifiers));
    else this.inTurn((tool) => tool.up(pen, modifiers));
  }

  /**
   * Draws the pen that the keyboard moves.
   * @param {CanvasRenderingContext2D} context
   * @param {View} view
   */
  draw(context, view) {
    if (!this.pen) return;
    const { x, y } = view.toScreen(this.pen);
    context.beginPath();
    for (const [dx, dy] of [[1, 0], [-1, 0], [0, 1], [0, -1]]) {
      context.moveTo(x + 5 * dx, y + 5 * dy);
      context.lineTo(x + 14 * dx, y + 14 * dy);
    }
    context.lineWidth = 3;
    context.strokeStyle = "#000000";
    context.stroke();
    context.lineWidth = 1.5;
    context.strokeStyle = this.penDown ? "#ffb454" : "#ffffff";
    context.stroke();
  }
}

/**
 * @param {PointerEvent} event
 * @returns {import("../tools/tool.js").Modifiers}
 */
function modifiersOf(event) {
  return { alt: event.altKey, shift: event.shiftKey, secondary: event.button === 2 || (event.buttons & 2) !== 0 };
}

/**
 * @param {Point[]} points
 * @param {(point: Point) => void | Promise<void>} act
 */
async function each(points, act) {
  for (const point of points) await act(point);
}
