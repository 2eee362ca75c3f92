/** Changes to the mask of the shown frame, and undoing them. It gives Studio's brushes what `Edits` gives them in Studio. */
import { isChanged, lostIds } from "studio/edits.js";
import { eraseRule, paintRule, backgroundRule } from "studio/masks/painting.js";
import { encodeRuns } from "studio/masks/runs.js";
import { union } from "studio/masks/label_map.js";

/** @typedef {import("./session.js").Session} Session */
/** @typedef {import("studio/edits.js").Edit} Edit */
/** @typedef {import("studio/masks/label_map.js").Rect} Rect */
/** @typedef {{ frame: number, runs: Uint32Array | undefined, given: ReadonlySet<number> | undefined }} Step */

const STEPS_KEPT = 200;

export class Drawing {
  /** @param {Session} session */
  constructor(session) {
    this.session = session;
    /** @type {Edit | null} the change in progress */
    this.current = null;
    this.erasesOthers = false;
    /** @type {Record<"undo" | "redo", Step[]>} earlier masks, those of the last step at the end */
    this.steps = { undo: [], redo: [] };
    session.on("phase", () => this.forget());
  }

  /** Forgets all steps and the change in progress. */
  forget() {
    this.steps = { undo: [], redo: [] };
    this.current = null;
  }

  /** @returns {Promise<Edit | null>} null if nothing can be changed now; the user is told why */
  async begin() {
    const { session } = this;
    if (this.current) return this.current;
    if (session.whyNot) session.say(session.whyNot, "warning");
    if (session.whyNot || !session.shown || !session.isShown) return null;
    const id = session.selected ?? session.addObject()?.id;
    if (id === undefined) return null;
    const { frame, mask } = session.shown;
    this.current = { frame, id, map: mask.map, before: mask.map.labels.slice(), dirty: null };
    return this.current;
  }

  /**
   * @param {Edit} edit
   * @param {Rect | null} rect
   */
  touched(edit, rect) {
    edit.dirty = union(edit.dirty, rect);
    if (rect) this.session.emit("painted", rect);
  }

  /** @param {Edit} edit */
  finish(edit) {
    if (this.current === edit) this.current = null;
    if (!isChanged(edit)) return;
    const ids = this.erasesOthers ? lostIds(edit) : [edit.id];
    this.steps.redo = [];
    this.steps.undo = [...this.steps.undo.slice(-STEPS_KEPT), this.stepOf(edit.frame)];
    const given = new Set([...(this.session.given.get(edit.frame) ?? []), ...ids]);
    this.session.keep(edit.frame, encodeRuns(edit.map.labels), given);
  }

  cancel() {
    const edit = this.current;
    this.current = null;
    edit?.map.labels.set(edit.before);
    if (edit?.dirty) this.session.emit("painted", edit.dirty);
  }

  /**
   * @param {number} id
   * @param {{ under?: boolean }} [how]
   */
  paint(id, { under = false } = {}) {
    this.erasesOthers = false;
    return under ? backgroundRule(id) : paintRule(id);
  }

  /**
   * @param {number} id
   * @param {{ all?: boolean }} [how]
   */
  erase(id, { all = false } = {}) {
    this.erasesOthers = all;
    return eraseRule(all ? null : id);
  }

  /**
   * @param {number} frame
   * @returns {Step} the frame's current mask
   */
  stepOf(frame) {
    return { frame, runs: this.session.masks.get(frame), given: this.session.given.get(frame) };
  }

  /**
   * Undoes the last change, or redoes the last undone one.
   * @param {"undo" | "redo"} direction
   */
  async step(direction) {
    const { session } = this;
    if (session.whyNot) return session.say(session.whyNot, "warning");
    const step = this.steps[direction].pop();
    if (!step) return session.say(`There is nothing to ${direction}.`);
    this.steps[direction === "undo" ? "redo" : "undo"].push(this.stepOf(step.frame));
    session.keep(step.frame, step.runs, step.given);
    await session.go(step.frame);
  }
}
