/**
 * What is shown at once after a jump, until the frame is there with its mask: the frame itself where it is decoded soon, else
 * the key frame before it, maybe less sharp. Nothing can be drawn on it.
 */

/** @typedef {import("./studio.js").Studio} Studio */

/** Up to so many frames away, the frame itself comes soon: those on the way are decoded anyhow. */
const NEAR = 10;

export class Jumps {
  /** @param {Studio} studio */
  constructor(studio) {
    this.studio = studio;
    /** @type {{ frame: number, picture: ImageBitmap } | null} what is shown in place of the frame that is asked for */
    this.preview = null;
    /** @type {number | null} asked for while another one was fetched */
    this.next = null;
    /** @type {Promise<void> | null} */
    this.fetching = null;
  }

  /**
   * @param {number} frame
   * @returns {boolean} whether the frame may take long to come, seen from the one that is shown
   */
  isFar(frame) {
    const { frames, shown, wantedWidth } = this.studio;
    if (!frames || (shown && Math.abs(frame - shown.frame) <= NEAR)) return false;
    return !frames.keptPicture(frame, wantedWidth);
  }

  /**
   * Shows something in place of a frame. While somebody drags along the timeline, each picture that was begun is shown, and
   * the latest frame is fetched next.
   * @param {number} frame
   * @returns {Promise<void>} once there is something for this frame, or for a later wish
   */
  to(frame) {
    this.next = frame;
    this.fetching ??= this.fetch().finally(() => (this.fetching = null));
    return this.fetching;
  }

  async fetch() {
    const { studio } = this;
    while (this.next !== null) {
      const frame = this.next;
      this.next = null;
      const { frames } = studio;
      if (!frames) return;
      const found = await this.quick(frames, frame);
      if (!found || studio.frames !== frames || studio.shown?.frame === studio.frame) continue;
      this.preview = found;
      studio.emit("preview");
    }
  }

  /**
   * @param {import("./frames.js").Frames} frames
   * @param {number} frame
   * @returns {Promise<{ frame: number, picture: ImageBitmap } | null>} null where it fails: the frame itself comes anyhow
   */
  async quick(frames, frame) {
    try {
      return await frames.quickPicture(frame, this.studio.wantedWidth);
    } catch (error) {
      console.warn(error);
      return null;
    }
  }

  /** The frame itself is there. */
  end() {
    this.next = null;
    if (!this.preview) return;
    this.preview = null;
    this.studio.emit("preview");
  }
}
