/** The timeline: gives an overview of the video, jumps to frames, and sets the in and out points. */
import { el } from "../dom.js";
import { clock } from "../texts.js";
import { drawLane, drawName, drawPlayhead, drawRange, drawRuler, drawStrip, GUTTER, RULER, STRIP } from "./drawing.js";
import { Filmstrip, slots } from "./filmstrip.js";
import { Scale } from "./scale.js";

/** @typedef {import("../studio.js").Studio} Studio */

const HANDLE_REACH = 7;
const ZOOM_PIXELS = 240;
const LANE = 26;
const LANE_OF_TALL_WINDOW = 36;
const TALL_WINDOW = 900;

export class Timeline {
  /**
   * @param {HTMLElement} holder
   * @param {Studio} studio
   * @param {{ setRange: (range: { first: number, last: number }) => void }} actions
   */
  constructor(holder, studio, actions) {
    this.holder = holder;
    this.studio = studio;
    this.actions = actions;
    this.scale = new Scale(1, 1);
    this.filmstrip = new Filmstrip(() => this.redraw());
    this.canvas = el("canvas", {
      class: "timeline-canvas", tabindex: 0, role: "slider", "data-testid": "timeline", "aria-label": "Frame",
      "aria-valuemin": 0,
    });
    holder.append(this.canvas);
    /** @type {"scrub" | "first" | "last" | null} what is being dragged */
    this.dragged = null;
    /** @type {{ first: number, last: number } | null} the range while a handle is being dragged */
    this.range = null;
    this.waiting = false;
    this.listen();
  }

  listen() {
    const { studio, canvas } = this;
    new ResizeObserver(() => this.resize()).observe(this.holder);
    studio.on("phase", () => this.begin());
    studio.on("frame", () => {
      this.scale.reveal(studio.frame);
      this.redraw();
    });
    for (const name of ["timeline", "selection", "theme"]) studio.on(name, () => this.redraw());
    studio.on("state", () => this.resize());
    canvas.addEventListener("pointerdown", (event) => this.down(event));
    canvas.addEventListener("pointermove", (event) => this.move(event));
    canvas.addEventListener("pointerup", () => this.up());
    canvas.addEventListener("pointercancel", () => this.up());
    canvas.addEventListener("wheel", (event) => this.wheel(event), { passive: false });
  }

  begin() {
    const { state, frames } = this.studio;
    this.filmstrip.begin(frames);
    this.scale = new Scale(Math.max(1, state?.video?.num_frames ?? 1), this.scale.width);
    this.canvas.setAttribute("aria-valuemax", String(this.scale.frames - 1));
    this.resize();
  }

  /** @returns {number} the height of an object's row in CSS pixels */
  get lane() {
    return innerHeight < TALL_WINDOW ? LANE : LANE_OF_TALL_WINDOW;
  }

  /** @returns {number} CSS pixels */
  get height() {
    return RULER + STRIP + Math.max(1, this.studio.objects.length) * this.lane + 4;
  }

  resize() {
    const { canvas } = this;
    const width = Math.max(GUTTER + 40, this.holder.clientWidth);
    const [across, down] = [Math.round(width * devicePixelRatio), Math.round(this.height * devicePixelRatio)];
    if (canvas.width !== across || canvas.height !== down) [canvas.width, canvas.height] = [across, down];
    canvas.style.height = `${this.height}px`;
    this.scale.resize(width - GUTTER - 14);
    this.redraw();
  }

  redraw() {
    if (this.waiting) return;
    this.waiting = true;
    requestAnimationFrame(() => {
      this.waiting = false;
      this.draw();
    });
  }

  /** @returns {import("./drawing.js").Colours} of the theme */
  colours() {
    const style = getComputedStyle(this.holder);
    const colour = (/** @type {string} */ name) => style.getPropertyValue(`--${name}`).trim();
    return {
      text: colour("text"), muted: colour("muted"), line: colour("line-strong"), lane: colour("lane"),
      doubt: colour("doubt"), accent: colour("accent"), shade: colour("timeline-shade"), chosen: colour("lane-chosen"),
      head: colour("panel"), font: style.fontFamily,
    };
  }

  draw() {
    const context = /** @type {CanvasRenderingContext2D} */ (this.canvas.getContext("2d"));
    context.setTransform(1, 0, 0, 1, 0, 0);
    context.clearRect(0, 0, this.canvas.width, this.canvas.height);
    const { state, frame } = this.studio;
    if (state?.phase !== "ready" || !state.video) return;
    context.setTransform(devicePixelRatio, 0, 0, devicePixelRatio, 0, 0);
    const sheet = { context, scale: this.scale, height: this.height, lane: this.lane, colours: this.colours() };
    this.clipped(context, () => {
      drawRuler(sheet, state.video?.frame_rate ?? 25);
      this.drawStrip(sheet);
      this.drawLanes(sheet, state);
      drawRange(sheet, this.range ?? this.studio.range);
    });
    this.studio.objects.forEach((object, place) => {
      drawName(sheet, RULER + STRIP + place * this.lane, object, object.id === this.studio.selected);
    });
    drawPlayhead(sheet, frame);
    this.canvas.setAttribute("aria-valuenow", String(frame));
    const time = clock(frame / state.video.frame_rate);
    this.canvas.setAttribute("aria-valuetext", `Frame ${frame} of ${state.video.num_frames}, ${time}`);
  }

  /**
   * Draws only to the right of the gutter.
   * @param {CanvasRenderingContext2D} context
   * @param {() => void} draw
   */
  clipped(context, draw) {
    context.save();
    context.beginPath();
    context.rect(GUTTER - 1, 0, this.scale.width + 8, this.height);
    context.clip();
    draw();
    context.restore();
  }

  /** @param {import("./drawing.js").Sheet} sheet */
  drawStrip(sheet) {
    const video = this.studio.state?.video;
    if (!video) return;
    const places = slots(this.scale, Math.max(24, (STRIP * video.width) / video.height));
    this.filmstrip.want(places);
    drawStrip(sheet, places, (slot) => this.filmstrip.get(slot));
  }

  /**
   * @param {import("./drawing.js").Sheet} sheet
   * @param {import("../protocol.js").State} state
   */
  drawLanes(sheet, state) {
    state.objects.forEach((object, place) => {
      const chosen = object.id === this.studio.selected;
      drawLane(sheet, RULER + STRIP + place * this.lane, object, this.studio.timeline, { chosen, below: state.doubtful_below });
    });
  }

  /**
   * @param {MouseEvent} event
   * @returns {{ x: number, y: number }} x from the right edge of the gutter
   */
  place(event) {
    const box = this.canvas.getBoundingClientRect();
    return { x: event.clientX - box.left - GUTTER, y: event.clientY - box.top };
  }

  /**
   * @param {{ x: number, y: number }} place
   * @returns {"first" | "last" | null} the handle of the range at this place
   */
  handleAt({ x, y }) {
    const { range } = this.studio;
    if (y > RULER || y < 8) return null;
    if (Math.abs(x - this.scale.toX(range.first) - 3) < HANDLE_REACH) return "first";
    return Math.abs(x - this.scale.toX(range.last + 1) + 3) < HANDLE_REACH ? "last" : null;
  }

  /** @param {PointerEvent} event */
  down(event) {
    const { studio } = this;
    if (!studio.frames || event.button !== 0) return;
    this.canvas.setPointerCapture(event.pointerId);
    const place = this.place(event);
    const object = studio.objects[Math.floor((place.y - RULER - STRIP) / this.lane)];
    if (object) studio.select(object.id);
    if (place.x < 0) return;
    studio.emit("gesture");
    this.dragged = this.handleAt(place) ?? "scrub";
    if (this.dragged === "scrub") {
      studio.follows = false;
      void studio.go(this.scale.toFrame(place.x));
    } else this.range = { ...studio.range };
  }

  /** @param {PointerEvent} event */
  move(event) {
    const place = this.place(event);
    if (!this.dragged) {
      this.canvas.style.cursor = this.handleAt(place) ? "ew-resize" : "default";
      return;
    }
    const frame = this.scale.toFrame(place.x);
    if (this.dragged === "scrub") return void this.studio.go(frame);
    const range = /** @type {{ first: number, last: number }} */ (this.range);
    if (this.dragged === "first") range.first = Math.min(frame, range.last);
    else range.last = Math.max(this.scale.toFrame(place.x - this.scale.pixels / 2), range.first);
    this.redraw();
  }

  up() {
    if (this.range) this.actions.setRange(this.range);
    this.range = null;
    this.dragged = null;
  }

  /** @param {WheelEvent} event */
  wheel(event) {
    const place = this.place(event);
    if (this.holder.scrollHeight > this.holder.clientHeight && place.x < 0) return; // scrolls the list of objects
    event.preventDefault();
    const sideways = event.shiftKey || Math.abs(event.deltaX) > Math.abs(event.deltaY);
    if (sideways) this.scale.scroll((event.deltaX || event.deltaY) / this.scale.pixels);
    else this.scale.zoom(2 ** (-event.deltaY / ZOOM_PIXELS), place.x);
    this.redraw();
  }
}
