/**
 * What the page knows: the frames, the objects, their masks, and what is shown. It emits the events that Studio's stage
 * listens to (`phase`, `state`, `frame`, `shown`, `painted`, `selection`, `look`, `gesture`, `note`), and also `masks` (of some
 * frame), `job` (tracking begins, progresses or ends) and `playing`.
 */
import { defaultColour } from "studio/colours.js";
import { Emitter } from "studio/emitter.js";
import { LARGEST_ID, LabelMap } from "studio/masks/label_map.js";
import { decodeRuns, encodeRuns } from "studio/masks/runs.js";

/** @typedef {import("studio/protocol.js").TrackedObject} TrackedObject */
/** @typedef {import("./footage.js").Footage} Footage */
/** @typedef {{ frame: number, picture: ImageBitmap, mask: { map: LabelMap, given: number[] } }} Shown */
/** @typedef {{ done: number, total: number, rate: number | null, sentence: string }} Job */

export class Session extends Emitter {
  constructor() {
    super();
    /** @type {{ phase: "choose" | "ready", video: Footage | null }} */
    this.state = { phase: "choose", video: null };
    /** @type {TrackedObject[]} */
    this.objects = [];
    /** @type {number | null} */
    this.selected = null;
    /** @type {Map<number, Uint32Array>} run-length codes by frame */
    this.masks = new Map();
    /** @type {Map<number, ReadonlySet<number>>} the objects that were given by hand, by frame */
    this.given = new Map();
    /** The first frame that has to be tracked again, because masks were given since. */
    this.changedFrom = 0;
    this.frame = 0;
    /** @type {Shown | null} */
    this.shown = null;
    /** @type {Job | null} */
    this.job = null;
    this.wantedWidth = 0;
    /** Unlike Studio, this page shows nothing in place of a frame that is still loading. */
    this.jumps = { preview: null };
  }

  /** Opens other frames, and discards what was drawn. @param {Footage} footage */
  open(footage) {
    this.state.video?.close();
    this.state = { phase: "ready", video: footage };
    this.objects = [];
    this.masks.clear();
    this.given.clear();
    this.changedFrom = 0;
    this.shown?.picture.close();
    this.shown = null;
    this.select(null);
    this.emit("phase");
    this.emit("state");
    void this.go(0);
  }

  get lastFrame() {
    return (this.state.video?.num_frames ?? 1) - 1;
  }

  /** @returns {boolean} whether the requested frame is on the stage */
  get isShown() {
    return this.shown?.frame === this.frame;
  }

  /** @returns {string | null} why nothing can be changed now */
  get whyNot() {
    return this.job ? "Tracking is under way: stop it first (Esc)." : null;
  }

  /** Shows a frame as soon as it has loaded. @param {number} frame */
  async go(frame) {
    const { video } = this.state;
    if (!video) return;
    this.frame = Math.min(this.lastFrame, Math.max(0, frame));
    this.emit("frame");
    try {
      const asked = this.frame;
      const picture = await video.read(asked);
      if (asked === this.frame && video === this.state.video) this.show(asked, picture);
      else picture.close();
    } catch (error) {
      if (video === this.state.video) this.fail(error); // otherwise that video was closed meanwhile
    }
  }

  /**
   * @param {number} frame
   * @param {ImageBitmap} picture replaces the one on the stage, which is closed
   */
  show(frame, picture) {
    if (frame !== this.frame) {
      this.frame = frame;
      this.emit("frame");
    }
    if (this.shown?.picture !== picture) this.shown?.picture.close();
    this.shown = { frame, picture, mask: { map: this.mapOf(frame), given: [...(this.given.get(frame) ?? [])] } };
    this.emit("shown");
  }

  /**
   * @param {number} frame
   * @returns {LabelMap} a new map, which the caller may change
   */
  mapOf(frame) {
    const { width, height } = /** @type {Footage} */ (this.state.video);
    const runs = this.masks.get(frame);
    return new LabelMap(width, height, runs && decodeRuns(runs, width * height));
  }

  /**
   * Keeps a mask that was drawn.
   * @param {number} frame
   * @param {Uint32Array | undefined} runs undefined if there is no mask
   * @param {ReadonlySet<number> | undefined} given which objects were given by hand
   */
  keep(frame, runs, given) {
    this.put(frame, runs, given);
    this.emit("masks");
  }

  /** Does what `keep` does, without emitting an event. @type {Session["keep"]} */
  put(frame, runs, given) {
    if (runs) this.masks.set(frame, runs);
    else this.masks.delete(frame);
    if (given?.size) this.given.set(frame, given);
    else this.given.delete(frame);
    this.changedFrom = Math.min(this.changedFrom, frame);
  }

  /**
   * Keeps a mask that was computed.
   * @param {number} frame
   * @param {Uint8Array} labels
   */
  keepTracked(frame, labels) {
    this.masks.set(frame, encodeRuns(labels));
    this.changedFrom = frame + 1;
    this.emit("masks");
  }

  /** @returns {TrackedObject | null} a new object, now selected; null if there are too many */
  addObject() {
    const id = Math.max(0, ...this.objects.map((object) => object.id)) + 1;
    if (id > LARGEST_ID) {
      this.say(`Masks can contain at most ${LARGEST_ID} objects.`, "warning");
      return null;
    }
    const object = { id, name: `Object ${id}`, color: defaultColour(id), hidden: false, locked: false };
    this.objects = [...this.objects, object];
    this.select(id);
    this.emit("state");
    return object;
  }

  /** Removes an object from all frames. @param {number} id */
  removeObject(id) {
    this.objects = this.objects.filter((object) => object.id !== id);
    for (const [frame, runs] of [...this.masks]) {
      const isThere = this.given.get(frame)?.has(id) || runs.some((value, at) => at % 2 === 0 && value === id);
      if (!isThere) continue;
      const map = this.mapOf(frame);
      map.labels.forEach((label, at) => label === id && (map.labels[at] = 0));
      const given = new Set([...(this.given.get(frame) ?? [])].filter((each) => each !== id));
      this.put(frame, encodeRuns(map.labels), given);
    }
    this.changedFrom = 0;
    this.emit("masks");
    if (this.selected === id) this.select(this.objects[0]?.id ?? null);
    this.emit("state");
    if (this.shown) this.show(this.shown.frame, this.shown.picture);
  }

  /** @param {number | null} id */
  select(id) {
    this.selected = id;
    this.emit("selection");
  }

  /** @returns {Map<number, string>} `#rrggbb` by id */
  get colours() {
    return new Map(this.objects.map(({ id, color }) => [id, color]));
  }

  /**
   * @param {string} sentence
   * @param {"info" | "warning" | "error"} [level]
   */
  say(sentence, level = "info") {
    this.emit("note", { level, sentence });
  }

  /** @param {unknown} error */
  fail(error) {
    this.say(error instanceof Error ? error.message : String(error), "error");
  }

  /** The stage calls this for a sharper picture; here it always has the sharpest. */
  async refine() {}
}
