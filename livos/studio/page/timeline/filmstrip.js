/** Small pictures along the timeline, fetched only while they are on the screen. */
import { Cache } from "../cache.js";

/** @typedef {import("./scale.js").Scale} Scale */
/** @typedef {import("../frames.js").Frames} Frames */

const AT_ONCE = 3;
const KEPT_BYTES = 48 * 2 ** 20;

/**
 * A place of the filmstrip.
 * @typedef {{ frame: number, x: number, width: number }} Slot
 */

/**
 * The places of the filmstrip that are on the screen. They stay with their frames when the timeline is scrolled.
 * @param {Scale} scale
 * @param {number} width CSS pixels of a small picture
 * @returns {Slot[]}
 */
export function slots(scale, width) {
  const step = Math.max(1, Math.ceil(width / scale.pixels));
  const found = [];
  const end = Math.min(scale.frames, scale.start + scale.seen);
  for (let frame = Math.floor(scale.start / step) * step; frame < end; frame += step) {
    found.push({ frame, x: scale.toX(frame), width: Math.min(step, scale.frames - frame) * scale.pixels });
  }
  return found;
}

export class Filmstrip {
  /** @param {() => void} arrived is called when there is a new picture to draw */
  constructor(arrived) {
    this.arrived = arrived;
    /** @type {Frames | null} */
    this.frames = null;
    /** @type {Cache<ImageBitmap>} */
    this.pictures = new Cache(KEPT_BYTES, (picture) => 4 * picture.width * picture.height);
    /** @type {Map<number, AbortController>} */
    this.loading = new Map();
    /** @type {number[]} */
    this.wanted = [];
  }

  /** @param {Frames | null} frames of the video that is shown now */
  begin(frames) {
    this.want([]);
    this.frames = frames;
    this.pictures.clear();
  }

  /**
   * @param {number} frame
   * @returns {ImageBitmap | undefined}
   */
  get(frame) {
    return this.pictures.get(frame);
  }

  /**
   * Says which frames are on the screen now; what is loading for others is given up.
   * @param {number[]} frames
   */
  want(frames) {
    const seen = new Set(frames);
    for (const [frame, controller] of this.loading) if (!seen.has(frame)) controller.abort();
    this.wanted = frames.filter((frame) => !this.pictures.kept.has(frame) && !this.loading.has(frame));
    this.loadMore();
  }

  loadMore() {
    while (this.loading.size < AT_ONCE && this.wanted.length) {
      void this.load(/** @type {number} */ (this.wanted.shift()));
    }
  }

  /** @param {number} frame */
  async load(frame) {
    const { frames } = this;
    if (!frames) return;
    const controller = new AbortController();
    this.loading.set(frame, controller);
    try {
      const path = `/api/frames/${frame}?width=160&v=${frames.version}`;
      const answer = await frames.server.request(path, { signal: controller.signal });
      const picture = await createImageBitmap(await answer.blob());
      if (frames === this.frames) this.pictures.set(frame, picture);
      this.arrived();
    } catch {
      // a small picture less: it is asked for again when the timeline is next drawn
    } finally {
      this.loading.delete(frame);
      this.loadMore();
    }
  }
}
