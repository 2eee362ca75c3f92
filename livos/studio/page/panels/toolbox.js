/** The tools at the left edge, and the options of the chosen tool above the stage. */
import { button, el, fill, setPressed } from "../dom.js";

/** @typedef {import("../studio.js").Studio} Studio */
/** @typedef {import("../tools/options.js").Options} Options */
/** @typedef {(action: string) => void} Act */

/** @type {([string, string, string] | null)[]} tool, icon and label; null makes a gap */
const TOOLS = [
  ["brush", "brush", "Brush: paint the object"],
  ["eraser", "eraser", "Eraser"],
  ["fill", "fill", "Fill a region"],
  null,
  ["polygon", "polygon", "Polygon: click each corner"],
  ["magnetic", "magnetic", "Magnetic polygon: follows edges"],
  null,
  ["clicks", "clicks", "Clicks: click an object to find all of it; Alt marks what is not part of it"],
  ["box", "box", "Box: drag around an object to find its edges"],
  ["scribble", "scribble", "Scribble: draw inside an object, or outside with Alt, to find its edges"],
  null,
  ["hand", "hand", "Hand: move the picture"],
];

/** @type {Record<string, string>} */
const HINTS = {
  brush: "Right button erases; Shift draws straight lines.",
  eraser: "Right button paints.",
  fill: "Click a region. Right button removes a region.",
  polygon: "Click each corner; double-click or Enter closes it.",
  magnetic: "Click along the edge; double-click or Enter closes it.",
  clicks: "Click or box the object; right-click anything else.",
  box: "Drag a box around the object.",
  scribble: "Draw on the object; right button marks the rest.",
  hand: "Drag to move, turn the wheel to zoom.",
};

export class Toolbox {
  /**
   * @param {HTMLElement} holder
   * @param {HTMLElement} strip above the stage
   * @param {Studio} studio
   * @param {Options} options
   * @param {Act} act
   */
  constructor(holder, strip, studio, options, act) {
    this.options = options;
    this.studio = studio;
    this.strip = strip;
    this.act = act;
    /** @type {Map<string, HTMLButtonElement>} */
    this.buttons = new Map();
    for (const tool of TOOLS) {
      if (!tool) {
        holder.append(el("span", { class: "gap", role: "separator" }));
        continue;
      }
      const [name, icon, label] = tool;
      const element = button({ icon, label, action: `tool.${name}`, press: () => act(`tool.${name}`), tip: "right" });
      this.buttons.set(name, element);
      holder.append(element);
    }
    this.maskTools = this.makeMaskTools();
    options.on("change", (name) => (name === "tool" ? this.draw() : this.update()));
    studio.on("busy", (busy) => (this.busy.hidden = !busy));
    this.busy = el("span", { class: "busy", hidden: true, "data-testid": "busy" }, [
      el("span", { class: "spinner", "aria-hidden": true }),
      "Looking for the edge…",
    ]);
    this.draw();
  }

  makeMaskTools() {
    const { act } = this;
    return el("div", { class: "bar-group", role: "group", "aria-label": "The selected object's mask" }, [
      button({ icon: "snap", label: "Snap the mask to edges", text: "Snap", action: "mask.snap", press: () => act("mask.snap") }),
      button({ icon: "holes", label: "Fill holes", action: "mask.holes", press: () => act("mask.holes") }),
      button({ icon: "specks", label: "Remove specks: pieces much smaller than the largest", action: "mask.specks", press: () => act("mask.specks") }),
      button({ icon: "smooth", label: "Smooth the outline", action: "mask.smooth", press: () => act("mask.smooth") }),
      button({ icon: "give", label: "Accept the mask as given", action: "mask.give", press: () => act("mask.give") }),
      button({ icon: "gone", label: "Remove the given masks from this frame", action: "mask.drop", press: () => act("mask.drop") }),
      button({ icon: "trash", label: "Mark the object as absent from this frame", action: "mask.delete", press: () => act("mask.delete") }),
    ]);
  }

  draw() {
    const tool = this.options.get("tool");
    for (const [name, element] of this.buttons) setPressed(element, name === tool);
    const hint = el("span", { class: "tool-hint", text: HINTS[tool] ?? "" });
    fill(this.strip, [this.optionsOf(tool), hint, el("span", { class: "spring" }), this.busy, this.maskTools]);
    this.update();
  }

  /**
   * @param {string} tool
   * @returns {HTMLElement | null}
   */
  optionsOf(tool) {
    if (tool === "brush") return el("div", { class: "bar-group" }, [this.size(), this.check("under", "Paint background only")]);
    if (tool === "eraser") return el("div", { class: "bar-group" }, [this.size(), this.check("eraseAll", "All objects")]);
    return null;
  }

  /** @returns {HTMLElement} */
  size() {
    const { options } = this;
    this.sizeText = el("output", { class: "size-text" });
    this.sizeInput = el("input", {
      type: "range", min: 0, max: 100, step: 1, "aria-label": "Size in pixels", "data-testid": "brush-size",
      oninput: () => options.set("size", sizeOfSlider(Number(this.sizeInput?.value))),
    });
    return el("label", { class: "slider", "data-tip": "Size", "data-key": "[ ]" }, ["Size", this.sizeInput, this.sizeText]);
  }

  /**
   * @param {"under" | "eraseAll"} name
   * @param {string} text
   * @returns {HTMLElement}
   */
  check(name, text) {
    const box = el("input", {
      type: "checkbox", checked: this.options.get(name), onchange: () => this.options.set(name, box.checked),
    });
    return el("label", { class: "check" }, [box, text]);
  }

  update() {
    const size = this.options.get("size");
    if (this.sizeText) this.sizeText.textContent = `${size} px`;
    if (this.sizeInput && document.activeElement !== this.sizeInput) this.sizeInput.value = String(sliderOfSize(size));
  }
}

/**
 * The size for a place of the slider, from 1 to 400 pixels, in finer steps at small sizes.
 * @param {number} value 0 to 100
 * @returns {number}
 */
export function sizeOfSlider(value) {
  return Math.max(1, Math.round(400 ** (value / 100)));
}

/**
 * @param {number} size
 * @returns {number}
 */
export function sliderOfSize(size) {
  return Math.round((100 * Math.log(size)) / Math.log(400));
}
