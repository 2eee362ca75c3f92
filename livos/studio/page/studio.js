/**
 * What the page knows: the server's state, the timeline, the frame that is shown and the object that is selected. The parts
 * of the page listen to it and ask it to change things.
 *
 * Emits `state` (anything in the server's state changed), `phase`, `timeline`, `frame` (another one was requested), `shown`
 * (its picture and mask have loaded), `preview` (a substitute for the frame is shown, or no longer), `painted` (the shown
 * mask changed within this area), `selection`, `look` (how the stage shows things), `tracked` (this frame's mask was
 * computed), `line` (connected or not, active or not), `note` ({level, sentence}) and `busy`.
 */
import { Emitter } from "./emitter.js";
import { Frames } from "./frames.js";
import { Jumps } from "./jumps.js";
import { noteTracked } from "./timeline/marks.js";

/** @typedef {import("./server.js").Server} Server */
/** @typedef {import("./connection.js").Connection} Connection */
/** @typedef {import("./protocol.js").State} State */
/** @typedef {import("./protocol.js").Timeline} Timeline */
/** @typedef {import("./protocol.js").TrackedObject} TrackedObject */
/** @typedef {import("./frames.js").Mask} Mask */
/** @typedef {{ frame: number, picture: ImageBitmap, mask: Mask }} Shown */

export class Studio extends Emitter {
  /**
   * @param {Server} server
   * @param {Connection} connection
   */
  constructor(server, connection) {
    super();
    this.server = server;
    this.connection = connection;
    /** @type {State | null} */
    this.state = null;
    /** @type {Timeline} */
    this.timeline = { marks: {}, objects: [] };
    /** @type {Frames | null} */
    this.frames = null;
    /** @type {Shown | null} */
    this.shown = null;
    this.frame = 0;
    /** What the stage shows while a frame that takes long is fetched. */
    this.jumps = new Jumps(this);
    /** @type {number | null} */
    this.selected = null;
    this.connected = false;
    /** Whether the server was started again, so that only a new page can reach it. */
    this.refused = false;
    this.active = false;
    /** Whether the stage follows the tracking. */
    this.follows = true;
    /** The width, in device pixels, at which the stage shows the frame. */
    this.wantedWidth = 960;
    /** @type {AbortController | null} */
    this.loading = null;
    /** Whether the shown mask must not be replaced, because a stroke is being drawn or sent. */
    this.holdsMask = () => false;
    /** How often the page itself has changed a mask. A mask requested before the last change is too old to be shown. */
    this.strokes = 0;
    this.listen();
  }

  listen() {
    const line = this.connection;
    line.on("hello", ({ page, active }) => {
      this.server.page = page;
      this.setLine(true, active);
      if (this.frames) this.reloadAll();
    });
    line.on("active", ({ active }) => this.setLine(this.connected, active));
    line.on("lost", () => this.setLine(false, false));
    line.on("refused", () => {
      this.refused = true;
      this.setLine(false, false);
    });
    line.on("state", ({ state }) => this.take(state));
    line.on("frame", (event) => this.tracked(event));
    line.on("changed", ({ first, last }) => this.changed(first, last));
    line.on("opening", (message) => this.emit("opening", message));
    line.on("note", (note) => this.emit("note", note));
  }

  /**
   * @param {boolean} connected
   * @param {boolean} active
   */
  setLine(connected, active) {
    this.connected = connected;
    this.active = active;
    this.emit("line");
  }

  /** @param {State} state */
  take(state) {
    const before = this.state;
    this.state = state;
    const another = before?.project?.folder !== state.project?.folder || before?.phase !== state.phase;
    if (another) this.enterPhase();
    if (!state.objects.some((object) => object.id === this.selected)) this.select(state.objects[0]?.id ?? null);
    this.emit("state", before);
  }

  /** Resets the page after a project was opened or closed. */
  enterPhase() {
    const { phase, video, project } = /** @type {State} */ (this.state);
    const ready = phase === "ready" && video;
    this.frames = ready ? new Frames(this.server, video, String(hash(`${project?.folder} ${video.name}`))) : null;
    this.shown = null;
    this.jumps.end();
    this.timeline = { marks: {}, objects: [] };
    this.frame = 0;
    this.emit("phase");
    if (ready) this.reloadAll();
  }

  reloadAll() {
    this.frames?.dropMasks(0, Infinity);
    void this.readTimeline();
    this.go(Math.min(this.frame, this.lastFrame), true);
  }

  /** @returns {number} */
  get lastFrame() {
    return (this.state?.video?.num_frames ?? 1) - 1;
  }

  /** @returns {import("./protocol.js").FrameRange} from the in point to the out point */
  get range() {
    return this.state?.range ?? { first: 0, last: this.lastFrame };
  }

  /** @returns {boolean} whether all frames are in the range */
  get allInRange() {
    return this.range.first === 0 && this.range.last === this.lastFrame;
  }

  /** @returns {TrackedObject[]} */
  get objects() {
    return this.state?.objects ?? [];
  }

  /** @returns {TrackedObject | null} the selected one */
  get object() {
    return this.objects.find((object) => object.id === this.selected) ?? null;
  }

  /** @returns {string | null} why nothing can be changed now; null if it can */
  get whyNot() {
    if (!this.connected) return "The connection to LiVOS Studio is lost.";
    if (!this.active) return "This project is being edited in another page; this one can only watch.";
    if (this.state?.job) return `${this.state.job.title} is under way: stop it first (Esc).`;
    return this.state?.phase === "ready" ? null : "No video is open.";
  }

  /** @returns {boolean} whether the requested frame is on the stage, ready to be drawn on */
  get isShown() {
    return this.shown?.frame === this.frame;
  }

  /** @param {number | null} id */
  select(id) {
    if (id === this.selected) return;
    this.selected = id;
    this.emit("selection");
  }

  /**
   * Shows a frame.
   * @param {number} frame clamped to the video
   * @param {boolean} [again] load it even if it is already shown
   * @returns {Promise<void>} settles once it is shown, or another one has been requested
   */
  async go(frame, again = false) {
    if (!this.frames) return;
    const target = Math.min(this.lastFrame, Math.max(0, Math.round(frame)));
    if (target === this.frame && this.shown?.frame === target && !again) return;
    this.frame = target;
    this.emit("frame");
    await this.show();
  }

  /** Loads the current frame's picture and mask, and shows them. */
  async show() {
    const { frames, frame } = this;
    if (!frames) return;
    this.loading?.abort();
    const loading = new AbortController();
    const { strokes } = this;
    this.loading = loading;
    try {
      if (this.jumps.isFar(frame)) await this.jumps.to(frame);
      if (this.loading !== loading) return;
      const [picture, mask] = await Promise.all([
        frames.picture(frame, this.wantedWidth, loading.signal),
        frames.mask(frame, loading.signal),
      ]);
      if (this.loading !== loading || this.frames !== frames) return;
      const tooOld = this.holdsMask() || strokes !== this.strokes;
      if (this.shown?.frame === frame && tooOld) this.shown.picture = picture;
      else this.shown = { frame, picture, mask };
      this.jumps.end();
      this.emit("shown");
    } catch (error) {
      if (!loading.signal.aborted) this.fail(error);
    }
  }

  /** Loads a sharper picture if the stage now shows the frame larger. */
  async refine() {
    if (!this.shown || !this.frames || this.shown.frame !== this.frame) return;
    if (this.shown.picture.width >= Math.min(this.wantedWidth, this.frames.video.width)) return;
    await this.show();
  }

  async readTimeline() {
    const { frames } = this;
    try {
      const timeline = await this.server.get("/api/timeline");
      if (frames !== this.frames) return;
      this.timeline = timeline;
      this.emit("timeline");
    } catch (error) {
      this.fail(error);
    }
  }

  /** @param {{ frame: number, by: string, confidence: Record<string, number> }} event */
  tracked(event) {
    if (!this.frames) return;
    this.frames.dropMasks(event.frame, event.frame);
    noteTracked(this.timeline, event, this.lastFrame + 1);
    this.emit("tracked", event.frame);
    this.emit("timeline");
    if (this.follows) this.following(event.frame);
    else if (event.frame === this.frame) void this.show();
  }

  /**
   * Shows the newest tracked frame, skipping some if tracking is faster than the page.
   * @param {number} frame
   */
  async following(frame) {
    this.newest = frame;
    if (this.catchingUp) return;
    this.catchingUp = true;
    while (this.follows && this.newest !== undefined) {
      const next = this.newest;
      this.newest = undefined;
      await this.go(next, true);
    }
    this.catchingUp = false;
  }

  /**
   * @param {number} first
   * @param {number} last
   */
  changed(first, last) {
    this.frames?.dropMasks(first, last);
    void this.readTimeline();
    if (this.frame >= first && this.frame <= last && !this.holdsMask()) void this.show();
  }

  /**
   * Does some work, and tells the user if it fails.
   * @template Result
   * @param {() => Promise<Result>} work
   * @returns {Promise<Result | null>} null if it failed
   */
  async attempt(work) {
    try {
      return await work();
    } catch (error) {
      this.fail(error);
      return null;
    }
  }

  /** @param {unknown} error */
  fail(error) {
    if (error instanceof DOMException && error.name === "AbortError") return;
    console.error(error);
    const sentence = error instanceof Error ? error.message : String(error);
    this.emit("note", { level: "error", sentence });
  }

  /**
   * @param {string} sentence
   * @param {"info" | "warning" | "error"} [level]
   */
  say(sentence, level = "info") {
    this.emit("note", { level, sentence });
  }
}

/**
 * @param {string} text
 * @returns {number} the same for the same text
 */
function hash(text) {
  let value = 0;
  for (const letter of text) value = (Math.imul(value, 31) + letter.charCodeAt(0)) >>> 0;
  return value;
}
