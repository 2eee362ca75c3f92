/**
 * Changes to the mask of the shown frame. They appear on the page at once, and are then sent to the server one after another.
 * The server stores them and can undo them.
 */
import { union } from "./masks/label_map.js";
import { bytesOfRuns, decodeRuns, encodeRuns, runsOfBytes } from "./masks/runs.js";
import { backgroundRule, eraseRule, paintRule } from "./masks/painting.js";
import { Queue } from "./queue.js";

/** @typedef {import("./studio.js").Studio} Studio */
/** @typedef {import("./masks/label_map.js").LabelMap} LabelMap */
/** @typedef {import("./masks/label_map.js").Rect} Rect */
/** @typedef {import("./masks/painting.js").Rule} Rule */

/**
 * A change in progress.
 * @typedef {object} Edit
 * @property {number} frame
 * @property {number} id the object
 * @property {LabelMap} map changed in place
 * @property {Uint8Array} before the map's labels when the change began
 * @property {Rect | null} dirty
 */

export class Edits {
  /** @param {Studio} studio */
  constructor(studio) {
    this.studio = studio;
    this.queue = new Queue();
    /** @type {Edit | null} */
    this.current = null;
    /** @type {Promise<void> | null} settles when the server's proposal has arrived; null if none is pending */
    this.suggesting = null;
    /** Whether the current change may erase objects other than the selected one; those it erases become given as well. */
    this.erasesOthers = false;
    studio.holdsMask = () => this.current !== null || !this.queue.idle;
  }

  /**
   * Begins a change to the selected object, and first creates one if none is selected.
   * @returns {Promise<Edit | null>} null if nothing can be changed now; the user is told why
   */
  async begin() {
    const { studio } = this;
    if (this.current) return this.current;
    while (this.suggesting) await this.suggesting;
    if (studio.whyNot) return this.refuse(studio.whyNot);
    if (!studio.shown || !studio.isShown) return this.refuse(`Frame ${studio.frame} is not there yet.`);
    const object = studio.object ?? (await this.addObject());
    if (!object || !studio.shown) return null;
    if (object.locked) return this.refuse(`${object.name} is locked: unlock it to change it (L).`);
    if (object.hidden) void this.changeObject(object.id, { hidden: false });
    const { frame, mask } = studio.shown;
    this.current = { frame, id: object.id, map: mask.map, before: mask.map.labels.slice(), dirty: null };
    return this.current;
  }

  /**
   * @param {string} sentence
   * @returns {null}
   */
  refuse(sentence) {
    this.studio.say(sentence, "warning");
    return null;
  }

  /**
   * Records and shows what a tool has changed.
   * @param {Edit} edit
   * @param {Rect | null} rect
   */
  touched(edit, rect) {
    if (!rect) return;
    edit.dirty = union(edit.dirty, rect);
    this.studio.strokes++;
    this.studio.emit("painted", rect);
  }

  /**
   * Ends a change and sends it.
   * @param {Edit} edit
   * @param {string} title as shown after "Undo: "
   * @param {boolean} [always] send it even if no pixel has changed, so that the mask becomes a given one
   */
  finish(edit, title, always = false) {
    if (this.current === edit) this.current = null;
    if (!always && !isChanged(edit)) return;
    const ids = this.erasesOthers ? lostIds(edit) : [edit.id];
    const body = bytesOfRuns(encodeRuns(edit.map.labels));
    void this.queue.add(() => this.send(edit, ids, title, body));
  }

  /** Discards the change in progress. */
  cancel() {
    const edit = this.current;
    if (!edit) return;
    this.current = null;
    edit.map.labels.set(edit.before);
    if (edit.dirty) this.studio.emit("painted", edit.dirty);
  }

  /**
   * @param {Edit} edit
   * @param {number[]} ids
   * @param {string} title
   * @param {ArrayBuffer} body
   */
  async send(edit, ids, title, body) {
    const { studio } = this;
    const query = `ids=${ids.join(",")}&title=${encodeURIComponent(title)}`;
    const headers = { "Content-Type": "application/octet-stream" };
    try {
      const answer = await studio.server.request(`/api/masks/${edit.frame}?${query}`, { method: "PUT", headers, body });
      const { given } = await answer.json();
      if (studio.shown?.frame === edit.frame) studio.shown.mask.given = given;
      studio.timeline.marks[edit.frame] = given;
      studio.emit("timeline");
    } catch (error) {
      studio.fail(error);
      studio.frames?.dropMasks(edit.frame, edit.frame);
      setTimeout(() => void studio.show());
    }
  }

  /**
   * The rule for painting an object: over everything that is not locked or, if `under`, over the background only.
   * @param {number} id
   * @param {{ under?: boolean }} [how]
   * @returns {Rule}
   */
  paint(id, { under = false } = {}) {
    this.erasesOthers = false;
    return under ? backgroundRule(id) : paintRule(id, this.locked(id));
  }

  /**
   * @param {number} id
   * @param {{ all?: boolean }} [how] `all` erases every object that is not locked
   * @returns {Rule}
   */
  erase(id, { all = false } = {}) {
    this.erasesOthers = all;
    return eraseRule(all ? null : id, this.locked(id));
  }

  /**
   * @param {number} id
   * @returns {number[]} the locked objects, except this one
   */
  locked(id) {
    return this.studio.objects.filter((object) => object.locked && object.id !== id).map((object) => object.id);
  }

  /**
   * Has the server propose a new mask for the selected object, and applies it.
   * @param {Record<string, unknown>} request `tool` and the fields that it needs (see suggest in tools.py)
   * @param {string} title
   */
  async suggest(request, title) {
    const edit = await this.begin();
    if (!edit) return;
    this.current = null; // until the answer comes, the mask stays as the server has it
    const suggesting = this.takeSuggestion(edit, request, title);
    this.suggesting = suggesting;
    this.studio.emit("busy", true);
    await suggesting;
    this.suggesting = null;
    this.studio.emit("busy", false);
  }

  /**
   * @param {Edit} edit
   * @param {Record<string, unknown>} request
   * @param {string} title
   */
  async takeSuggestion(edit, request, title) {
    await this.queue.settled();
    try {
      const answer = await this.studio.server.request(`/api/masks/${edit.frame}/suggest`, {
        method: "POST",
        headers: { "Content-Type": "application/json" },
        body: JSON.stringify({ ...request, object: edit.id }),
      });
      const { width, height, labels } = edit.map;
      const wanted = decodeRuns(runsOfBytes(await answer.arrayBuffer()), width * height);
      if (this.studio.shown?.mask.map !== edit.map) return;
      edit.before = labels.slice();
      takeOver(edit.map, wanted, edit.id, this.paint(edit.id));
      this.touched(edit, edit.map.bounds);
      this.finish(edit, title);
    } catch (error) {
      this.studio.fail(error);
    }
  }

  /** @returns {Promise<void>} settles once the server has everything that was drawn so far */
  async settled() {
    while (this.suggesting) await this.suggesting;
    await this.queue.settled();
  }

  /**
   * Undoes the last step, or redoes the last undone one.
   * @param {"undo" | "redo"} direction
   */
  async step(direction) {
    const { studio } = this;
    if (this.current) return this.cancel();
    if (studio.whyNot) return void this.refuse(studio.whyNot);
    await this.settled();
    if (!studio.state?.[direction]) return studio.say(`There is nothing to ${direction}.`);
    const answer = await studio.attempt(() => studio.server.post(`/api/${direction}`));
    if (!answer) return;
    studio.say(`${direction === "undo" ? "Undone" : "Redone"}: ${answer.title}.`);
    const { first, last } = answer;
    if (Number.isInteger(first) && (studio.frame < first || studio.frame > last)) await studio.go(first);
  }

  /**
   * @returns {Promise<import("./protocol.js").TrackedObject | null>} a new object, now selected; null if that failed
   */
  async addObject() {
    const { studio } = this;
    if (studio.whyNot) return this.refuse(studio.whyNot);
    const object = await studio.attempt(() => studio.server.post("/api/objects"));
    if (!object) return null;
    if (!studio.objects.some((each) => each.id === object.id)) studio.state?.objects.push(object);
    studio.select(object.id);
    studio.emit("state", studio.state);
    return object;
  }

  /**
   * @param {number} id
   * @param {Partial<import("./protocol.js").TrackedObject>} changes
   */
  async changeObject(id, changes) {
    const { studio } = this;
    const object = studio.objects.find((each) => each.id === id);
    if (!object) return;
    const changed = await studio.attempt(() => studio.server.send("PATCH", `/api/objects/${id}`, changes));
    if (!changed) return studio.emit("state", studio.state);
    Object.assign(object, changed);
    studio.emit("state", studio.state);
  }
}

/**
 * @param {Edit} edit
 * @returns {number[]} the objects that have lost pixels
 */
export function lostIds(edit) {
  /** @type {Set<number>} */
  const lost = new Set();
  const { labels } = edit.map;
  for (let at = 0; at < labels.length; at++) {
    if (edit.before[at] !== labels[at] && edit.before[at]) lost.add(edit.before[at]);
  }
  return [...lost];
}

/**
 * @param {Edit} edit
 * @returns {boolean} whether any pixel differs from when the change began
 */
export function isChanged({ dirty, before, map }) {
  for (let y = dirty?.top ?? 0; y < (dirty?.bottom ?? 0); y++) {
    for (let at = y * map.width; at < (y + 1) * map.width; at++) if (before[at] !== map.labels[at]) return true;
  }
  return false;
}

/**
 * Replaces an object's mask with a proposed one.
 * @param {LabelMap} map changed in place
 * @param {Uint8Array} wanted 1 where the object is to be
 * @param {number} id
 * @param {Rule} rule says which labels the object may replace
 */
export function takeOver(map, wanted, id, rule) {
  const { labels } = map;
  for (let at = 0; at < labels.length; at++) {
    if (wanted[at]) labels[at] = rule[labels[at]];
    else if (labels[at] === id) labels[at] = 0;
  }
}
