/** The list of objects: select, add, rename, colour, hide, lock, delete and merge them. */
import { offeredColours } from "../colours.js";
import { button, el, fill } from "../dom.js";
import { shown } from "../keys.js";
import { openMenu } from "./menu.js";

/** @typedef {import("../studio.js").Studio} Studio */
/** @typedef {import("../edits.js").Edits} Edits */
/** @typedef {import("../protocol.js").TrackedObject} TrackedObject */

export class ObjectsPanel {
  /**
   * @param {HTMLElement} holder
   * @param {Studio} studio
   * @param {Edits} edits
   */
  constructor(holder, studio, edits) {
    this.studio = studio;
    this.edits = edits;
    /** @type {number | null} the object that is being renamed */
    this.renaming = null;
    this.drawn = "";
    this.waiting = false;
    this.list = el("ul", { class: "objects", "aria-label": "Objects", "data-testid": "objects" });
    this.count = el("span", { class: "count" });
    const add = button({
      icon: "plus", label: "New object", text: "New", action: "object.add", press: () => void edits.addObject(),
      class: "small", tip: "left",
    });
    const head = el("header", { class: "panel-head" }, [el("h2", { text: "Objects" }), this.count, add]);
    holder.append(head, this.list);
    for (const name of ["state", "selection", "phase", "shown", "timeline", "painted"]) studio.on(name, () => this.later());
  }

  later() {
    if (this.waiting) return;
    this.waiting = true;
    setTimeout(() => {
      this.waiting = false;
      if (this.renaming === null) this.draw();
    }, 30);
  }

  draw() {
    const { studio } = this;
    const marks = [studio.shown?.mask.given ?? [], this.absent()];
    const text = JSON.stringify([studio.objects, studio.selected, marks, studio.state?.phase]);
    if (text === this.drawn) return;
    this.drawn = text;
    const focused = document.activeElement?.closest("[data-object]")?.getAttribute("data-object");
    this.count.textContent = studio.objects.length ? String(studio.objects.length) : "";
    fill(this.list, studio.objects.length ? studio.objects.map((object, place) => this.row(object, place)) : [this.none()]);
    if (focused) /** @type {HTMLElement | null} */ (this.list.querySelector(`[data-object="${focused}"] .object-name`))?.focus();
  }

  /** @returns {HTMLElement} */
  none() {
    const text = "Nothing here yet. Draw on the picture, and the first object is created for you.";
    return el("li", { class: "empty", text });
  }

  /**
   * @param {TrackedObject} object
   * @param {number} place
   * @returns {HTMLElement}
   */
  row(object, place) {
    const chosen = object.id === this.studio.selected;
    const swatch = el("button", {
      type: "button", class: "swatch", "aria-label": `Colour of ${object.name}`, "data-tip": "Colour", "data-tip-side": "left",
      onclick: (/** @type {Event} */ event) => this.chooseColour(/** @type {HTMLElement} */ (event.currentTarget), object),
    });
    swatch.style.background = object.color;
    const children = [
      swatch,
      this.name(object, chosen),
      this.given(object),
      place < 9 ? el("kbd", { text: String(place + 1), "aria-hidden": true }) : null,
      this.toggle(object, "hidden", object.hidden ? "eyeOff" : "eye", object.hidden ? "Show" : "Hide", "X"),
      this.toggle(object, "locked", object.locked ? "lock" : "unlock", object.locked ? "Unlock" : "Lock", "L"),
      button({
        icon: "more", label: `More for ${object.name}`, class: "small quiet", testid: "object-more", tip: "left",
        press: (event) => this.more(/** @type {HTMLElement} */ (event.currentTarget), object),
      }),
    ];
    return el("li", {
      class: `object${chosen ? " chosen" : ""}${object.hidden ? " hidden-object" : ""}`, "data-object": object.id,
      "data-testid": "object", "aria-current": chosen ? "true" : null,
      onpointerdown: () => this.studio.select(object.id),
    }, children);
  }

  /** @returns {number[]} the objects that were marked as absent from the shown frame */
  absent() {
    const mask = this.studio.shown?.mask;
    return mask ? mask.given.filter((id) => !mask.map.labels.includes(id)) : [];
  }

  /**
   * @param {TrackedObject} object
   * @returns {HTMLElement | null} a mark if the object was given by hand on the shown frame
   */
  given({ id }) {
    const mask = this.studio.shown?.mask;
    if (!mask?.given.includes(id)) return null;
    const absent = !mask.map.labels.includes(id);
    const text = absent ? "Marked as absent from this frame" : "Mask given by hand on this frame";
    return el("span", {
      class: absent ? "given absent" : "given", role: "img", "aria-label": text, "data-tip": text, "data-tip-side": "left",
      "data-testid": "given",
    });
  }

  /**
   * @param {TrackedObject} object
   * @param {boolean} chosen
   * @returns {HTMLElement}
   */
  name(object, chosen) {
    return el("button", {
      type: "button", class: "object-name", text: object.name, "aria-pressed": String(chosen),
      onclick: () => this.studio.select(object.id),
      ondblclick: () => this.rename(object.id),
    });
  }

  /**
   * @param {TrackedObject} object
   * @param {"hidden" | "locked"} what
   * @param {string} icon
   * @param {string} word
   * @param {string} key for the selected object
   * @returns {HTMLElement}
   */
  toggle(object, what, icon, word, key) {
    const element = button({
      icon, label: `${word} ${object.name}`, class: object[what] ? "small on" : "small quiet", tip: "left",
      testid: `object-${what}`, press: () => void this.edits.changeObject(object.id, { [what]: !object[what] }),
    });
    if (object.id === this.studio.selected) element.dataset.key = shown(key);
    return element;
  }

  /**
   * Lets the user type a new name.
   * @param {number} id
   */
  rename(id) {
    const object = this.studio.objects.find((each) => each.id === id);
    const row = this.list.querySelector(`[data-object="${id}"] .object-name`);
    if (!object || !row) return;
    this.renaming = id;
    const done = (/** @type {boolean} */ keep) => {
      if (this.renaming === null) return;
      this.renaming = null;
      const name = input.value.trim();
      this.drawn = "";
      this.draw();
      if (keep && name && name !== object.name) void this.edits.changeObject(id, { name });
    };
    const input = el("input", {
      class: "object-name-input", value: object.name, maxlength: 80, "aria-label": "Name of the object",
      onblur: () => done(true),
      onkeydown: (/** @type {KeyboardEvent} */ event) => {
        event.stopPropagation();
        if (event.key === "Enter" || event.key === "Escape") done(event.key === "Enter");
      },
    });
    row.replaceWith(input);
    input.focus();
    input.select();
  }

  /**
   * @param {HTMLElement} at
   * @param {TrackedObject} object
   */
  chooseColour(at, object) {
    const change = (/** @type {string} */ color) => void this.edits.changeObject(object.id, { color });
    const own = el("input", {
      type: "color", value: object.color, class: "own-colour", "aria-label": "Another colour",
      onchange: (/** @type {Event} */ event) => change(/** @type {HTMLInputElement} */ (event.target).value),
    });
    const choices = offeredColours().map((color) => {
      const choice = el("button", {
        type: "button", class: "swatch menu-item", role: "menuitem", "aria-label": color, onclick: () => change(color),
      });
      choice.style.background = color;
      return choice;
    });
    openMenu(at, [{ title: "Colour" }]);
    const grid = el("div", { class: "swatches" }, choices);
    document.querySelector(".menu")?.append(grid, el("label", { class: "own-row" }, ["Another", own]));
    choices[0].focus();
    own.addEventListener("click", (event) => event.stopPropagation());
  }

  /**
   * @param {HTMLElement} at
   * @param {TrackedObject} object
   */
  more(at, object) {
    const { studio } = this;
    const others = studio.objects.filter((each) => each.id !== object.id);
    const remove = (/** @type {number | null} */ from) => void this.ask(`${object.id}/delete`, { from });
    openMenu(at, [
      { icon: "edit", text: "Rename", press: () => this.rename(object.id) },
      "line",
      { icon: "trash", text: `Delete from frame ${studio.frame} on`, press: () => remove(studio.frame), danger: true, testid: "delete-from-here" },
      { icon: "trash", text: "Delete everywhere", press: () => remove(null), danger: true, testid: "delete-everywhere" },
      ...(others.length ? /** @type {const} */ (["line"]) : []),
      ...(others.length ? [{ title: "Merge into" }] : []),
      ...others.map((other) => ({
        swatch: other.color, text: other.name, press: () => void this.ask(`${object.id}/merge`, { into: other.id }),
      })),
    ]);
  }

  /**
   * @param {string} path
   * @param {unknown} body
   */
  async ask(path, body) {
    const { studio, edits } = this;
    if (studio.whyNot) return studio.say(studio.whyNot, "warning");
    await edits.settled();
    await studio.attempt(() => studio.server.post(`/api/objects/${path}`, body));
  }
}
