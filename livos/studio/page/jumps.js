/**
 * What is shown at once after a jump, until the frame and its mask have loaded: the frame itself if it is decoded soon,
 * otherwise the key frame before it, possibly less sharp. Nothing can be drawn on it.
 */

/** @typedef {import("./studio.js").Studio} Studio */

/** A frame at most this far away loads soon enough without a preview. */
const NEAR = 10;

export class Jumps {
  /** @param {Studio} studio */
  constructor(studio) {
    this.studio = studio;
    /** @type {{ frame: number, picture: ImageBitmap } | null} what is shown in place of the requested frame */
    this.preview = null;
    /** @type {number | null} requested while another one is being fetched */
    this.next = null;
    /** @type {Promise<void> | null} */
    this.fetching = null;
  }

  /**
   * @param {number} frame
   * @returns {boolean} whether the frame may take long to load, coming from the one that is shown
   */
  isFar(frame) {
    const { frames, shown, wantedWidth } = this.studio;
    if (!frames || (shown && Math.abs(frame - shown.frame) <= NEAR)) return false;
    return !frames.keptPicture(frame, wantedWidth);
  }

  /**
   * Shows something in place of a frame. While the user drags along the timeline, each picture whose fetching has begun is
   * shown, and the most recently requested frame is fetched next.
   * @param {number} frame
   * @returns {Promise<void>} settles once something is shown for this frame, or for one requested later
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
   * @returns {Promise<{ frame: number, picture: ImageBitmap } | null>} null if it fails: the frame itself is still loading
   */
  async quick(frames, frame) {
    try {
      return await frames.quickPicture(frame, this.studio.wantedWidth);
    } catch (error) {
      console.warn(error);
      return null;
    }
  }

  /** Ends the preview: the frame itself has loaded. */
  end() {
    this.next = null;
    if (!this.preview) return;
    this.preview = null;
    this.studio.emit("preview");
  }
}
