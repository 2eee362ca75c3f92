/** Plays the video with its masks at its own speed, skipping frames if the machine is too slow. */

/** @typedef {import("./studio.js").Studio} Studio */

const AHEAD = 8;
const AT_ONCE = 4;
const LARGEST_WIDTH = 1280;

/**
 * The frame that is due.
 * @param {{ first: number, last: number }} range played in a loop
 * @param {number} from the frame shown when playing began
 * @param {number} seconds since then
 * @param {number} rate frames per second
 * @returns {number}
 */
export function dueFrame(range, from, seconds, rate) {
  const length = range.last - range.first + 1;
  const start = from < range.first || from > range.last ? range.first : from;
  return range.first + ((start - range.first + Math.floor(seconds * rate)) % length);
}

export class Player {
  /** @param {Studio} studio */
  constructor(studio) {
    this.studio = studio;
    this.playing = false;
    /** @type {Set<number>} frames being fetched ahead of time */
    this.coming = new Set();
    studio.on("gesture", () => this.pause());
    studio.on("phase", () => this.pause());
  }

  toggle() {
    if (this.playing) this.pause();
    else void this.play();
  }

  pause() {
    if (!this.playing) return;
    this.playing = false;
    this.studio.emit("playing", false);
  }

  async play() {
    const { studio } = this;
    const video = studio.state?.video;
    if (!video || !studio.frames || this.playing) return;
    this.playing = true;
    studio.follows = false;
    studio.emit("playing", true);
    const { range } = studio;
    const from = studio.frame === range.last ? range.first : studio.frame;
    const began = performance.now();
    const fullWidth = studio.wantedWidth;
    studio.wantedWidth = Math.min(fullWidth, LARGEST_WIDTH);
    while (this.playing && studio.frames) {
      const due = dueFrame(range, from, (performance.now() - began) / 1000, video.frame_rate);
      this.prefetch(due, range);
      if (due !== studio.frame) await studio.go(due);
      await nextRefresh();
    }
    studio.wantedWidth = Math.max(studio.wantedWidth, fullWidth);
    void studio.refine();
  }

  /**
   * Fetches the next frames.
   * @param {number} frame
   * @param {{ first: number, last: number }} range
   */
  prefetch(frame, range) {
    const { coming } = this;
    const { frames, wantedWidth } = this.studio;
    for (let next = frame + 1; next <= Math.min(range.last, frame + AHEAD) && coming.size < AT_ONCE; next++) {
      if (!frames || coming.has(next)) continue;
      if (frames.keptPicture(next, wantedWidth) && frames.masks.get(next)) continue;
      coming.add(next);
      const both = Promise.allSettled([frames.picture(next, wantedWidth), frames.mask(next)]);
      void both.then(() => coming.delete(next));
    }
  }
}

/** @returns {Promise<unknown>} */
function nextRefresh() {
  return new Promise((resolve) => requestAnimationFrame(resolve));
}
