/** Shows all keys, grouped by what they are for. */
import { el, fill } from "../dom.js";
import { KEYS, shown } from "../keys.js";
import { Dialog } from "./dialog.js";

const MOUSE = "Mouse and pen";

/** In an order that fills four columns of about the same height. */
export const GROUPS = ["Tools", "Objects", "Mask", "Track", "View", MOUSE, "Time", "Project"];

const POINTER = [
  ["Wheel", "Zoom"],
  ["Middle button, or Space and drag", "Move the picture"],
  ["Right button, or Alt", "The opposite: brush erases, eraser paints, shapes cut away"],
  ["Shift and click", "Straight line from the last stroke"],
  ["Alt and arrows, Alt and Enter", "Move a pen and press it without a mouse"],
];

export class HelpDialog {
  constructor() {
    this.dialog = new Dialog("Keys", { testid: "help-dialog", size: "widest" });
  }

  show() {
    const sections = GROUPS.map((group) => this.group(group, rowsOf(group), group === MOUSE ? "wide" : ""));
    fill(this.dialog.body, [el("div", { class: "key-groups" }, sections)]);
    this.dialog.show();
  }

  /**
   * @param {string} title
   * @param {{ keys: string[], text: string }[]} rows
   * @param {"" | "wide"} [kind] `wide`: keys are above their text
   * @returns {HTMLElement}
   */
  group(title, rows, kind = "") {
    const lines = rows.flatMap(({ keys, text }) => [
      el("dt", {}, keys.map((key) => el("kbd", { text: key }))),
      el("dd", { text }),
    ]);
    return el("section", {}, [el("h3", { text: title }), el("dl", { class: kind }, lines)]);
  }
}

/**
 * @param {string} group
 * @returns {{ keys: string[], text: string }[]} with the nine number keys as one row
 */
function rowsOf(group) {
  if (group === MOUSE) return POINTER.map(([keys, text]) => ({ keys: [keys], text }));
  const keys = KEYS.filter((key) => key.group === group && !/^object\.[2-9]$/.test(key.action));
  return keys.map((key) =>
    key.action === "object.1"
      ? { keys: ["1", "…", "9"], text: "Object at this position in the list" }
      : { keys: key.keys.slice(0, 2).map(shown), text: key.text }
  );
}
