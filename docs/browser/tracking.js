/** Tracks the drawn objects, frame by frame, in a worker. */
import { count, duration } from "studio/texts.js";

/** @typedef {import("./session.js").Session} Session */
/** @typedef {import("./footage.js").Footage} Footage */

export class Tracking {
  /** @param {Session} session */
  constructor(session) {
    this.session = session;
    /** The short side, in pixels, that suits the weights, and the one at which the network works. */
    this.suitable = this.shortSide = 480;
    /** @type {import("./tracker.js").About | null} */
    this.about = null;
    /** The name of what runs the network; empty until it is known. */
    this.engine = "";
    /** @type {Worker | null} */
    this.worker = null;
    this.stopped = false;
    /** @type {Map<number, { resolve: (answer: any) => void, reject: (error: Error) => void }>} */
    this.asked = new Map();
    this.count = 0;
    session.on("phase", () => this.stop());
  }

  stop() {
    this.stopped = true;
  }

  /** Reads the description of the network. */
  async readAbout() {
    const answer = await fetch(new URL("model/description.json", import.meta.url));
    if (!answer.ok) throw new Error("There is no model next to this page: create the page's folder with docs/browser/assemble.py.");
    this.about = await answer.json();
    this.suitable = this.shortSide = this.about?.suitable_short_side ?? this.suitable;
  }

  /** @param {number} shortSide */
  setShortSide(shortSide) {
    this.shortSide = shortSide;
    this.session.changedFrom = 0; // the memory has another size
  }

  /** Tracks from the first frame with given masks, or from the first change since the last run, to the end. */
  async track() {
    const { session } = this;
    const { video } = session.state;
    if (!video || session.job) return;
    if (!session.given.size) return session.say("Paint an object first: choose the brush and draw over it.", "warning");
    if (session.changedFrom > session.lastFrame) return session.say("All frames are tracked.");
    this.stopped = false;
    this.note({ done: 0, total: 0, rate: null, sentence: "Reading the network…" });
    try {
      await this.open();
      const after = await this.ask("rewind", { frame: session.changedFrom });
      const first = Math.min(...session.given.keys());
      await this.trackFrom(after < first ? first : after + 1, video);
    } catch (error) {
      if (session.state.video === video) session.fail(error); // not of a video that was closed meanwhile
    }
    this.note(null);
  }

  /**
   * @param {number} first
   * @param {Footage} video
   */
  async trackFrom(first, video) {
    const { session } = this;
    const total = session.lastFrame - first + 1;
    const began = performance.now();
    let coming = video.read(first);
    let current = coming;
    try {
      for (let frame = first; frame <= session.lastFrame; frame++) {
        current = coming;
        const picture = await current;
        if (this.stopped) return;
        this.note({ ...facts(frame - first, total, began), sentence: `Tracking with ${this.engine}` });
        const computed = this.ask("step", {
          frame, picture: pixelsOf(picture), shortSide: this.shortSide, given: this.givenOn(frame),
        });
        if (frame < session.lastFrame) coming = video.read(frame + 1);
        coming.catch(() => {}); // an error is raised above, where the next turn awaits it
        const labels = await computed;
        if (session.state.video !== video) return;
        session.keepTracked(frame, labels);
        session.show(frame, picture);
      }
    } finally {
      for (const each of [current, coming]) void this.giveBack(each);
    }
    session.say(`Tracked ${count(total, "frame")}, ${inWords(facts(total, total, began).rate ?? 0)}.`);
  }

  /** Closes a picture that is not on the stage. @param {Promise<ImageBitmap>} coming */
  async giveBack(coming) {
    const picture = await coming.catch(() => null);
    if (picture !== this.session.shown?.picture) picture?.close();
  }

  /**
   * @param {number} frame
   * @returns {import("./tracker.js").Given | null}
   */
  givenOn(frame) {
    const given = this.session.given.get(frame);
    return given ? { ids: [...given].sort((one, other) => one - other), labels: this.session.mapOf(frame).labels } : null;
  }

  /** Starts the worker, if there is none. */
  async open() {
    if (this.engine) return;
    if (!this.about) await this.readAbout();
    this.worker?.terminate(); // an earlier one that failed to start
    this.worker = new Worker(new URL("worker.js", import.meta.url), { type: "module" });
    this.worker.onmessage = ({ data: { id, answer, problem } }) => {
      const asked = this.asked.get(id);
      this.asked.delete(id);
      if (problem === undefined) asked?.resolve(answer);
      else asked?.reject(new Error(problem));
    };
    this.worker.onerror = (event) => {
      for (const { reject } of this.asked.values()) reject(new Error(event.message || "The network cannot be loaded."));
      this.asked.clear();
    };
    this.engine = await this.ask("open", { about: this.about });
  }

  /**
   * @param {string} what
   * @param {Record<string, unknown>} details
   * @returns {Promise<any>} the worker's answer
   */
  ask(what, details) {
    const id = this.count++;
    return new Promise((resolve, reject) => {
      this.asked.set(id, { resolve, reject });
      this.worker?.postMessage({ id, ask: what, ...details });
    });
  }

  /** @param {import("./session.js").Job | null} job */
  note(job) {
    this.session.job = job;
    this.session.emit("job");
  }
}

/**
 * @param {ImageBitmap} picture
 * @returns {ImageData} its pixels, RGBA
 */
function pixelsOf(picture) {
  const canvas = new OffscreenCanvas(picture.width, picture.height);
  const context = /** @type {OffscreenCanvasRenderingContext2D} */ (canvas.getContext("2d", { willReadFrequently: true }));
  context.drawImage(picture, 0, 0);
  return context.getImageData(0, 0, picture.width, picture.height);
}

/**
 * @param {number} done
 * @param {number} total
 * @param {number} began a time of `performance.now`
 */
function facts(done, total, began) {
  return { done, total, rate: done ? (1000 * done) / (performance.now() - began) : null };
}

/**
 * The progress of a job.
 * @param {import("./session.js").Job} job
 * @returns {string} `12 of 64  ·  1.6 frames/s  ·  33 s left`
 */
export function progressText({ done, total, rate }) {
  if (!total) return "";
  const parts = [`${done} of ${total}`];
  if (rate) parts.push(inWords(rate), `${duration((total - done) / rate)} left`);
  return parts.join("  ·  ");
}

/**
 * @param {number} rate
 * @returns {string} `1.6 frames/s`, `24 frames/s`
 */
function inWords(rate) {
  return `${rate.toFixed(rate < 10 ? 1 : 0)} frames/s`;
}
