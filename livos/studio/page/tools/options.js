/** How tools work and how the stage shows things. The browser remembers these options between visits. */
import { Emitter } from "../emitter.js";

const PLACE = "livos-studio";

/**
 * @typedef {object} Values
 * @property {string} tool
 * @property {number} size of brush and eraser, in pixels of the frame
 * @property {boolean} under whether the brush paints the background only
 * @property {boolean} eraseAll whether the eraser erases all objects
 * @property {number} radius how far the mask may move to snap to an edge, in pixels of the frame
 * @property {number} smoothing radius in pixels of the frame
 * @property {"overlay" | "alone" | "compare"} view
 * @property {"black" | "transparent"} behind what surrounds an object that is shown alone
 * @property {number} opacity 0 to 1
 * @property {boolean} outline
 * @property {"dark" | "light" | "system"} theme
 */

/** @type {Values} */
const DEFAULTS = {
  tool: "brush", size: 24, under: false, eraseAll: false, radius: 8, smoothing: 3,
  view: "overlay", behind: "black", opacity: 0.45, outline: true, theme: "system",
};

/** Emits `change` with the name of what has changed. */
export class Options extends Emitter {
  /** @param {Pick<Storage, "getItem" | "setItem"> | null} storage */
  constructor(storage) {
    super();
    this.storage = storage;
    this.values = { ...DEFAULTS, ...read(storage) };
  }

  /**
   * @template {keyof Values} Name
   * @param {Name} name
   * @returns {Values[Name]}
   */
  get(name) {
    return this.values[name];
  }

  /**
   * @template {keyof Values} Name
   * @param {Name} name
   * @param {Values[Name]} value
   */
  set(name, value) {
    if (this.values[name] === value) return;
    this.values[name] = value;
    try {
      this.storage?.setItem(PLACE, JSON.stringify(this.values));
    } catch {
      // the browser stores nothing: the options last as long as the page
    }
    this.emit("change", name);
  }
}

/**
 * @param {Pick<Storage, "getItem"> | null} storage
 * @returns {Partial<Values>} the stored options that are known and have the right type
 */
function read(storage) {
  try {
    const kept = JSON.parse(storage?.getItem(PLACE) ?? "{}");
    const known = Object.entries(DEFAULTS).filter(([name, value]) => typeof kept[name] === typeof value);
    return Object.fromEntries(known.map(([name]) => [name, kept[name]]));
  } catch {
    return {};
  }
}
