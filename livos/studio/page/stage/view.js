/**
 * Where the frame is on the screen: its scale and position, and how screen points and frame points correspond.
 *
 * Screen points are in CSS pixels from the stage's upper left corner; frame points are in pixels of the frame.
 */

/** @typedef {{ x: number, y: number }} Point */
/** @typedef {{ width: number, height: number }} Size */

const LARGEST_SCALE = 64;
const STEP = 1.25;
const LEFT_VISIBLE = 48;

/** If a pixel of the frame covers at least this many device pixels, it is shown as an exact square. */
export const EXACT_FROM = 2;

export class View {
  /**
   * @param {Size} frame
   * @param {Size} stage
   * @param {number} [deviceRatio] device pixels per CSS pixel
   */
  constructor(frame, stage, deviceRatio = 1) {
    this.frame = frame;
    this.stage = stage;
    this.deviceRatio = deviceRatio;
    this.scale = 1;
    this.x = 0;
    this.y = 0;
    this.fitted = true;
    this.fit();
  }

  /** Shows the whole frame, as large as the stage allows. */
  fit() {
    this.scale = this.fitScale;
    this.x = (this.stage.width - this.frame.width * this.scale) / 2;
    this.y = (this.stage.height - this.frame.height * this.scale) / 2;
    this.fitted = true;
  }

  /** @returns {number} the scale at which the frame just fits, with a small margin */
  get fitScale() {
    const margin = 16;
    const across = (this.stage.width - 2 * margin) / this.frame.width;
    const down = (this.stage.height - 2 * margin) / this.frame.height;
    return Math.max(0.01, Math.min(across, down));
  }

  /**
   * Adapts to a stage of another size: a fitted frame is fitted again, otherwise the middle stays in the middle.
   * @param {Size} stage
   * @param {number} deviceRatio
   */
  resize(stage, deviceRatio) {
    const middle = this.toFrame({ x: this.stage.width / 2, y: this.stage.height / 2 });
    this.stage = stage;
    this.deviceRatio = deviceRatio;
    if (this.fitted) return this.fit();
    this.x = stage.width / 2 - middle.x * this.scale;
    this.y = stage.height / 2 - middle.y * this.scale;
    this.keepVisible();
  }

  /**
   * Zooms around a point, which stays where it is.
   * @param {number} scale CSS pixels per pixel of the frame
   * @param {Point} around on the screen
   */
  zoomTo(scale, around) {
    const kept = this.toFrame(around);
    const least = Math.min(0.1, this.fitScale);
    this.scale = this.snapped(Math.min(LARGEST_SCALE, Math.max(least, scale)));
    this.x = around.x - kept.x * this.scale;
    this.y = around.y - kept.y * this.scale;
    this.fitted = false;
    this.keepVisible();
  }

  /**
   * Zooms in or out by some steps.
   * @param {number} steps negative to zoom out
   * @param {Point} around on the screen
   */
  zoomBy(steps, around) {
    const before = this.scale;
    for (let count = 1; count <= 8; count++) {
      this.zoomTo(before * STEP ** (steps * count), around);
      if (this.scale !== before) return; // rounding to whole scales may cancel a small step
    }
  }

  /**
   * @param {number} dx CSS pixels
   * @param {number} dy CSS pixels
   */
  pan(dx, dy) {
    this.x += dx;
    this.y += dy;
    this.fitted = false;
    this.keepVisible();
  }

  /**
   * @param {Point} screen
   * @returns {Point}
   */
  toFrame(screen) {
    return { x: (screen.x - this.originX) / this.scale, y: (screen.y - this.originY) / this.scale };
  }

  /**
   * @param {Point} frame
   * @returns {Point}
   */
  toScreen(frame) {
    return { x: this.originX + frame.x * this.scale, y: this.originY + frame.y * this.scale };
  }

  /** @returns {number} device pixels per pixel of the frame */
  get deviceScale() {
    return this.scale * this.deviceRatio;
  }

  /** @returns {boolean} whether pixels are shown as exact squares, all equally large */
  get exact() {
    return this.deviceScale >= EXACT_FROM && Math.abs(this.deviceScale - Math.round(this.deviceScale)) < 1e-6;
  }

  /** @returns {number} where the frame begins, on a whole device pixel */
  get originX() {
    return Math.round(this.x * this.deviceRatio) / this.deviceRatio;
  }

  /** @returns {number} where the frame begins, on a whole device pixel */
  get originY() {
    return Math.round(this.y * this.deviceRatio) / this.deviceRatio;
  }

  /**
   * Rounds a scale at high zoom to whole device pixels, which makes all pixels of the frame equally large.
   * @param {number} scale
   * @returns {number}
   */
  snapped(scale) {
    const device = scale * this.deviceRatio;
    return device >= EXACT_FROM ? Math.round(device) / this.deviceRatio : scale;
  }

  /** Keeps at least a part of the frame on the stage. */
  keepVisible() {
    const clamp = (/** @type {number} */ value, /** @type {number} */ low, /** @type {number} */ high) =>
      Math.min(high, Math.max(low, value));
    this.x = clamp(this.x, LEFT_VISIBLE - this.frame.width * this.scale, this.stage.width - LEFT_VISIBLE);
    this.y = clamp(this.y, LEFT_VISIBLE - this.frame.height * this.scale, this.stage.height - LEFT_VISIBLE);
  }
}
