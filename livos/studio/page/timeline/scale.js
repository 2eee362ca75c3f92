/**
 * Where each frame is on the timeline, which shows a window of frames over a width in CSS pixels.
 */

const FRAME_AT_MOST = 96;

export class Scale {
  /**
   * @param {number} frames the number of frames in the video
   * @param {number} width CSS pixels
   */
  constructor(frames, width) {
    this.frames = frames;
    this.width = width;
    /** The first visible frame, with a fraction. */
    this.start = 0;
    /** CSS pixels per frame. */
    this.pixels = width / frames;
  }

  /** @returns {number} CSS pixels per frame when all frames are visible */
  get least() {
    return this.width / this.frames;
  }

  /** @returns {number} the number of visible frames, with a fraction */
  get seen() {
    return this.width / this.pixels;
  }

  /** @returns {boolean} whether all frames are visible */
  get whole() {
    return this.pixels <= this.least * (1 + 1e-9);
  }

  /** @param {number} width CSS pixels */
  resize(width) {
    const whole = this.whole;
    this.width = width;
    this.pixels = whole ? this.least : Math.max(this.least, this.pixels);
    this.keepInside();
  }

  /**
   * The left edge of a frame.
   * @param {number} frame
   * @returns {number} CSS pixels
   */
  toX(frame) {
    return (frame - this.start) * this.pixels;
  }

  /**
   * The frame under a point.
   * @param {number} x CSS pixels
   * @returns {number} a frame of the video, even if the point is outside
   */
  toFrame(x) {
    return Math.min(this.frames - 1, Math.max(0, Math.floor(this.start + x / this.pixels)));
  }

  /**
   * Zooms around a point; the frame under it stays there.
   * @param {number} factor above 1 zooms in
   * @param {number} x CSS pixels
   */
  zoom(factor, x) {
    const kept = this.start + x / this.pixels;
    const most = Math.max(FRAME_AT_MOST, this.least);
    this.pixels = Math.min(most, Math.max(this.least, this.pixels * factor));
    this.start = kept - x / this.pixels;
    this.keepInside();
  }

  /** @param {number} frames how far to scroll, with a fraction */
  scroll(frames) {
    this.start += frames;
    this.keepInside();
  }

  /**
   * Scrolls to a frame if it is not visible.
   * @param {number} frame
   */
  reveal(frame) {
    if (frame < this.start || frame + 1 > this.start + this.seen) this.start = frame - this.seen / 2;
    this.keepInside();
  }

  keepInside() {
    this.start = Math.min(Math.max(0, this.start), Math.max(0, this.frames - this.seen));
  }
}

/**
 * The distance between two labels of the ruler, a round number of frames or seconds.
 * @param {number} pixels CSS pixels per frame
 * @param {number} rate frames per second
 * @param {number} [apart] the least distance of two labels in CSS pixels
 * @returns {number} frames
 */
export function tickDistance(pixels, rate, apart = 80) {
  const second = Math.max(1, Math.round(rate));
  const seconds = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 1200, 1800, 3600];
  const offered = [1, 2, 5, 10, ...seconds.map((value) => value * second)].sort((one, other) => one - other);
  return offered.find((frames) => frames * pixels >= apart) ?? offered[offered.length - 1];
}
