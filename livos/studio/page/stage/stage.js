/** The stage: shows a frame with its objects, and passes what the user does to the tool. */
import { el } from "../dom.js";
import { Overlay } from "./overlay.js";
import { Pointers } from "./pointers.js";
import { drawPlainly, drawScene } from "./scene.js";
import { View } from "./view.js";

/** @typedef {import("../studio.js").Studio} Studio */
/** @typedef {import("../tools/options.js").Options} Options */
/** @typedef {import("../tools/tool.js").Tool<any>} Tool */

/**
 * What a stage needs to know. Pages without Studio's server can provide it too.
 * @typedef {Pick<Studio, "on" | "emit" | "say" | "fail" | "refine" | "wantedWidth" | "objects" | "selected" | "frame" | "isShown"> & {
 *   state: { phase: string, video: import("./view.js").Size | null } | null,
 *   jumps: { preview: { frame: number, picture: ImageBitmap } | null },
 *   shown: { frame: number, picture: ImageBitmap, mask: { map: import("../masks/label_map.js").LabelMap } } | null,
 * }} Shown
 */

export class Stage {
  /**
   * @param {HTMLElement} holder
   * @param {Shown} studio
   * @param {Options} options
   */
  constructor(holder, studio, options) {
    this.holder = holder;
    this.studio = studio;
    this.options = options;
    /** @type {View | null} */
    this.view = null;
    /** @type {Overlay | null} */
    this.overlay = null;
    /** @type {Tool | null} */
    this.tool = null;
    this.peek = false;
    this.divider = 0.5;
    this.scene = el("canvas", { class: "scene", "aria-hidden": true });
    this.lines = el("canvas", {
      class: "lines", tabindex: 0, role: "application", "data-testid": "stage", "aria-describedby": "stage-help",
      "aria-label": "Stage: the frame with its masks",
    });
    this.handle = el("div", { class: "divider", hidden: true, "aria-hidden": true });
    this.sign = el("p", { class: "preview-sign", role: "status", "data-testid": "preview-sign", hidden: true });
    holder.append(this.scene, this.lines, this.handle, this.sign);
    this.pending = { scene: false, lines: false };
    this.pointers = new Pointers(this);
    this.listen();
  }

  listen() {
    const { studio } = this;
    new ResizeObserver(() => this.resize()).observe(this.holder);
    studio.on("phase", () => this.begin());
    studio.on("shown", () => this.showMask());
    studio.on("preview", () => this.showPreview());
    studio.on("painted", (rect) => {
      this.overlay?.update(rect);
      this.redraw();
    });
    studio.on("state", () => this.recolour());
    studio.on("selection", () => this.redraw());
    studio.on("frame", () => {
      this.tool?.leave();
      this.nameFrames();
    });
    this.options.on("change", () => {
      this.handle.hidden = this.options.get("view") !== "compare" || !this.view;
      this.redraw();
    });
  }

  /** Switches to another video, or none. */
  begin() {
    const { state } = this.studio;
    const video = state?.phase === "ready" ? state.video : null;
    this.overlay = null;
    this.view = video ? new View(video, this.size(), devicePixelRatio) : null;
    this.handle.hidden = this.options.get("view") !== "compare" || !video;
    this.resize();
  }

  /** @returns {{ width: number, height: number }} CSS pixels */
  size() {
    return { width: Math.max(1, this.holder.clientWidth), height: Math.max(1, this.holder.clientHeight) };
  }

  resize() {
    const { width, height } = this.size();
    for (const canvas of [this.scene, this.lines]) {
      canvas.width = Math.round(width * devicePixelRatio);
      canvas.height = Math.round(height * devicePixelRatio);
    }
    this.view?.resize({ width, height }, devicePixelRatio);
    this.viewChanged();
  }

  /** Redraws, and requests a sharper picture if the view needs one. */
  viewChanged() {
    const { view, studio } = this;
    this.placeHandle();
    this.redraw();
    if (!view) return;
    studio.wantedWidth = Math.ceil(view.frame.width * view.deviceScale);
    studio.emit("look");
    clearTimeout(this.refining);
    this.refining = setTimeout(() => void studio.refine(), 120);
  }

  placeHandle() {
    this.handle.style.left = `${this.divider * 100}%`;
  }

  showMask() {
    const { shown } = this.studio;
    if (!shown) return;
    const { map } = shown.mask;
    if (!this.overlay) this.overlay = new Overlay(map, this.colours());
    else if (this.overlay.map !== map) this.overlay.take(map);
    this.redraw();
  }

  showPreview() {
    this.nameFrames();
    this.redraw();
  }

  /** Says which frame is on the stage if it is not the requested one. */
  nameFrames() {
    const { preview } = this.studio.jumps;
    this.sign.hidden = !preview || preview.frame === this.studio.frame;
    if (preview) this.sign.textContent = `Showing key frame ${preview.frame} until frame ${this.studio.frame} is decoded`;
  }

  recolour() {
    this.overlay?.recolour(this.colours());
    this.redraw();
  }

  /** @returns {Map<number, string>} the colours of the visible objects */
  colours() {
    return new Map(this.studio.objects.filter((object) => !object.hidden).map(({ id, color }) => [id, color]));
  }

  /** Draws the whole stage before the next refresh of the screen. */
  redraw() {
    this.request("scene", () => this.drawScene());
    this.redrawLines();
  }

  /** Draws the tool's lines before the next refresh of the screen. */
  redrawLines() {
    this.request("lines", () => this.drawLines());
  }

  /**
   * @param {"scene" | "lines"} what
   * @param {() => void} draw
   */
  request(what, draw) {
    if (this.pending[what]) return;
    this.pending[what] = true;
    requestAnimationFrame(() => {
      this.pending[what] = false;
      draw();
    });
  }

  drawScene() {
    const context = /** @type {CanvasRenderingContext2D} */ (this.scene.getContext("2d"));
    const { view, overlay, options } = this;
    const { shown, selected, jumps } = this.studio;
    if (view && jumps.preview) return this.drawPreview(context, view, jumps.preview);
    if (!view || !shown || !overlay) {
      context.setTransform(1, 0, 0, 1, 0, 0);
      return context.clearRect(0, 0, this.scene.width, this.scene.height);
    }
    drawScene(context, view, shown.picture, overlay, {
      view: options.get("view"), behind: options.get("behind"), opacity: options.get("opacity"),
      outline: options.get("outline"), peek: this.peek, divider: this.divider, colours: this.colours(), selected,
    });
    this.holder.dataset.frame = String(shown.frame);
    delete this.holder.dataset.preview;
  }

  /**
   * @param {CanvasRenderingContext2D} context
   * @param {View} view
   * @param {{ frame: number, picture: ImageBitmap }} preview
   */
  drawPreview(context, view, preview) {
    drawPlainly(context, view, preview.picture);
    this.holder.dataset.preview = String(preview.frame);
    delete this.holder.dataset.frame;
  }

  drawLines() {
    const context = /** @type {CanvasRenderingContext2D} */ (this.lines.getContext("2d"));
    context.setTransform(1, 0, 0, 1, 0, 0);
    context.clearRect(0, 0, this.lines.width, this.lines.height);
    if (!this.view || !this.studio.shown || this.studio.jumps.preview) return;
    context.setTransform(devicePixelRatio, 0, 0, devicePixelRatio, 0, 0);
    this.tool?.draw(context, this.view);
    this.pointers.draw(context, this.view);
  }

  /** @param {Tool} tool */
  take(tool) {
    this.tool?.leave();
    this.tool = tool;
    this.lines.style.cursor = tool.cursor;
    this.redrawLines();
  }

  /**
   * Zooms around the pointer, or around the middle of the stage.
   * @param {number} steps negative to zoom out
   */
  zoom(steps) {
    if (!this.view) return;
    const { width, height } = this.size();
    this.view.zoomBy(steps, this.pointers.screen ?? { x: width / 2, y: height / 2 });
    this.viewChanged();
  }

  fit() {
    this.view?.fit();
    this.viewChanged();
  }

  /** Shows each pixel of the frame as one device pixel. */
  onePixel() {
    const { width, height } = this.size();
    this.view?.zoomTo(1 / devicePixelRatio, { x: width / 2, y: height / 2 });
    this.viewChanged();
  }
}
