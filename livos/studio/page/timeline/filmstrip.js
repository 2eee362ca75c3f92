/** Small pictures along the timeline, fetched only while they are on the screen. */
import { Cache } from "../cache.js";

/** @typedef {import("./scale.js").Scale} Scale */
/** @typedef {import("../frames.js").Frames} Frames */

const AT_ONCE = 3;
const KEPT_BYTES = 48 * 2 ** 20;

/**
 * A place of the filmstrip, which stands for `span` frames starting with `frame`. It may show any of them: the server picks
 * one that it can decode quickly.
 * @typedef {{ frame: number, span: number, x: number, width: number }} Slot
 */

/** A small picture, and which frame it is. @typedef {{ picture: ImageBitmap, shown: number }} Small */

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
    const span = Math.min(step, scale.frames - frame);
    found.push({ frame, span, x: scale.toX(frame), width: span * scale.pixels });
  }
  return found;
}

export class Filmstrip {
  /** @param {() => void} arrived called when there is a new picture to draw */
  constructor(arrived) {
    this.arrived = arrived;
    /** @type {Frames | null} */
    this.frames = null;
    /** @type {Cache<Small>} */
    this.pictures = new Cache(KEPT_BYTES, ({ picture }) => 4 * picture.width * picture.height);
    /** @type {Map<number, AbortController>} */
    this.loading = new Map();
    /** @type {Slot[]} */
    this.wanted = [];
  }

  /** @param {Frames | null} frames of the video that is shown now */
  begin(frames) {
    this.want([]);
    this.frames = frames;
    this.pictures.clear();
  }

  /**
   * @param {Slot} slot
   * @returns {ImageBitmap | undefined} a picture of one of its frames
   */
  get({ frame, span }) {
    const small = this.pictures.get(frame);
    return small && small.shown < frame + span ? small.picture : undefined;
  }

  /**
   * Says which places are on the screen now. Loading for any others is abandoned.
   * @param {Slot[]} slots
   */
  want(slots) {
    const seen = new Set(slots.map((slot) => slot.frame));
    for (const [frame, controller] of this.loading) if (!seen.has(frame)) controller.abort();
    this.wanted = slots.filter((slot) => !this.get(slot) && !this.loading.has(slot.frame));
    this.loadMore();
  }

  loadMore() {
    while (this.loading.size < AT_ONCE && this.wanted.length) {
      void this.load(/** @type {Slot} */ (this.wanted.shift()));
    }
  }

  /** @param {Slot} slot */
  async load({ frame, span }) {
    const { frames } = this;
    if (!frames) return;
    const controller = new AbortController();
    this.loading.set(frame, controller);
    try {
      const path = `/api/frames/${frame}?span=${span}&v=${frames.version}`;
      const answer = await frames.server.request(path, { signal: controller.signal });
      const picture = await createImageBitmap(await answer.blob());
      const shown = Number(answer.headers.get("X-Studio-Frame") ?? frame);
      if (frames === this.frames) this.pictures.set(frame, { picture, shown });
      this.arrived();
    } catch {
      // this picture is missing until the timeline is next drawn, which requests it again
    } finally {
      this.loading.delete(frame);
      this.loadMore();
    }
  }
}
