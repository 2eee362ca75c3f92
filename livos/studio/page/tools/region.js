/** Fill: adds a connected region to the object or, with Alt or the right button, removes it. */
import { floodFill } from "../masks/regions.js";
import { Tool } from "./tool.js";

/** @typedef {import("./tool.js").Point} Point */
/** @typedef {import("./tool.js").Modifiers} Modifiers */

export class Fill extends Tool {
  /**
   * @param {Point} point
   * @param {Modifiers} modifiers
   */
  async down(point, modifiers) {
    const { edits, studio } = this.bench;
    const edit = await edits.begin();
    if (!edit) return;
    const away = modifiers.alt || modifiers.secondary;
    const old = edit.map.at(point.x, point.y);
    if (edits.locked(edit.id).includes(old)) {
      edits.cancel();
      return studio.say("This region belongs to a locked object.", "warning");
    }
    if (away && old !== edit.id) return edits.cancel();
    edits.touched(edit, floodFill(edit.map, point.x, point.y, away ? 0 : edit.id));
    edits.finish(edit, "fill");
  }
}

/**
 * Hand: only moves the picture, which the stage does itself.
 * @extends {Tool<Pick<import("./tool.js").Bench, "redraw" | "view">>}
 */
export class Hand extends Tool {
  get cursor() {
    return "grab";
  }
}
