/** Starts, stops and continues tracking. */
import { isGiven, markedFrames, stretchesAround } from "./timeline/marks.js";

/** @typedef {import("./studio.js").Studio} Studio */
/** @typedef {import("./edits.js").Edits} Edits */
/** @typedef {import("./protocol.js").Job} Job */
/** @typedef {"forward" | "backward" | "both"} Direction */

/**
 * What is left of a tracking run that was stopped.
 * @typedef {{ frame: number, direction: "forward" | "backward", first: number, last: number }} Rest
 */

export class Tracking {
  /**
   * @param {Studio} studio
   * @param {Edits} edits
   */
  constructor(studio, edits) {
    this.studio = studio;
    this.edits = edits;
    /** @type {Rest | null} */
    this.rest = null;
    /** Whether tracking stays between the in and out points. */
    this.inRange = true;
    /** @type {Direction | null} of the last tracking run that this page started */
    this.direction = null;
    /** @type {[number, number][]} still to be refilled */
    this.stretches = [];
    /** @type {number | null} the last tracked frame */
    this.latest = null;
    studio.on("tracked", (frame) => (this.latest = frame));
    studio.on("state", (before) => this.watch(before?.job ?? null, studio.state?.job ?? null));
    studio.on("phase", () => this.forget());
  }

  forget() {
    this.rest = null;
    this.direction = null;
    this.stretches = [];
  }

  /**
   * Notices when a job ends.
   * @param {Job | null} before
   * @param {Job | null} now
   */
  watch(before, now) {
    if (now && now.id !== before?.id) this.latest = null;
    if (!before || now?.id === before.id) return;
    this.rest = before.kind === "track" ? this.restOf(before) : null;
    if (before.kind === "refill" && !now) void this.refillNext();
    this.studio.emit("rest");
  }

  /**
   * @param {Job} job
   * @returns {Rest | null}
   */
  restOf(job) {
    if (!this.direction || this.direction === "both") return null;
    const { first, last } = job;
    const frame = this.latest ?? job.frame;
    const end = this.direction === "forward" ? Math.max(first, last) : Math.min(first, last);
    return frame === end ? null : { frame, direction: this.direction, first, last };
  }

  /**
   * Tracks from the current frame.
   * @param {Direction} direction
   */
  async track(direction) {
    const { studio } = this;
    if (await this.refused()) return;
    if (!(studio.shown?.mask.map.content || studio.shown?.mask.given.length)) {
      return studio.say("There is no mask on this frame. Draw one, or go to a frame that has one, then track.", "warning");
    }
    const { frame } = studio;
    const { first, last } = this.bounds();
    if (frame < first || frame > last) {
      const sentence = `Frame ${frame} is outside the range ${first} – ${last}: go to a frame in it, or untick “This range only”.`;
      return studio.say(sentence, "warning");
    }
    const reaches = [direction !== "forward" && frame > first, direction !== "backward" && frame < last];
    if (!reaches.includes(true)) return studio.say(this.nothingAhead(direction), "warning");
    await this.start({ frame, direction, first, last });
  }

  /**
   * @param {Direction} direction
   * @returns {string}
   */
  nothingAhead(direction) {
    const { first, last } = this.bounds();
    const end = direction === "forward" ? "last" : "first";
    const whole = first === 0 && last === this.studio.lastFrame ? "" : ` of the range ${first} – ${last}`;
    const way = { forward: "forwards", backward: "backwards", both: "either way" }[direction];
    return `Frame ${this.studio.frame} is the ${end} one${whole}: there is nothing to track ${way}.`;
  }

  /** @returns {import("./protocol.js").FrameRange} the frames that may be tracked */
  bounds() {
    const { range, lastFrame } = this.studio;
    return this.inRange ? range : { first: 0, last: lastFrame };
  }

  /** @param {boolean} inRange */
  keepToRange(inRange) {
    this.inRange = inRange;
    this.studio.emit("rest");
  }

  /** Continues a tracking run from where it was stopped. */
  async goOn() {
    const { rest } = this;
    if (!rest || (await this.refused())) return;
    const { frame, direction } = rest;
    const [first, last] = [Math.min(rest.first, rest.last, frame), Math.max(rest.first, rest.last, frame)];
    await this.start({ frame, direction, first, last });
  }

  /** @param {{ frame: number, direction: Direction, first: number, last: number }} request */
  async start({ frame, direction, first, last }) {
    const { studio } = this;
    this.rest = null;
    this.direction = direction;
    studio.follows = true;
    const body = { frame, direction, first, last, ids: null };
    await studio.attempt(() => studio.server.post("/api/track", body));
  }

  /** @returns {Promise<boolean>} whether tracking cannot start now; the user is told why */
  async refused() {
    const { studio, edits } = this;
    if (studio.whyNot) {
      studio.say(studio.whyNot, "warning");
      return true;
    }
    await edits.settled();
    return false;
  }

  /**
   * The stretches that a refill would track.
   * @returns {[number, number][]} between given masks of the selected object, around the current frame
   */
  refillable() {
    const { studio } = this;
    if (studio.selected === null) return [];
    return stretchesAround(markedFrames(studio.timeline, studio.selected), studio.frame);
  }

  async refill() {
    const { studio } = this;
    if (await this.refused()) return;
    this.stretches = this.refillable();
    if (!this.stretches.length) {
      const name = studio.object?.name ?? "an object";
      return studio.say(`To refill, ${name} needs given masks before and after this frame, with frames between them.`, "warning");
    }
    studio.follows = true;
    await this.refillNext();
  }

  async refillNext() {
    const { studio } = this;
    const stretch = this.stretches.shift();
    if (!stretch || studio.whyNot) return;
    const [first, last] = stretch;
    const both = studio.objects.map((object) => object.id).filter((id) => {
      return isGiven(studio.timeline, first, id) && isGiven(studio.timeline, last, id);
    });
    await studio.attempt(() => studio.server.post("/api/refill", { first, last, ids: both }));
  }

  async stop() {
    const { studio } = this;
    this.stretches = [];
    if (studio.state?.job) await studio.attempt(() => studio.server.post("/api/stop"));
  }
}
