/** A menu that opens at a button. The arrow keys move through it; Escape, or a click outside, closes it. */
import { el } from "../dom.js";
import { icon } from "../icons.js";

/**
 * @typedef {{ icon?: string, swatch?: string, text: string, press: () => void, danger?: boolean, testid?: string }} Item
 */

/** @type {(() => void) | null} */
let closeOpen = null;

/**
 * Opens a menu below a button, or above it if there is no room.
 * @param {HTMLElement} at
 * @param {(Item | "line" | { title: string })[]} items
 */
export function openMenu(at, items) {
  closeOpen?.();
  const menu = el("div", { class: "menu", role: "menu", tabindex: -1 }, items.map((item) => itemElement(item)));
  document.body.append(menu);
  place(menu, at);
  const close = () => {
    menu.remove();
    document.removeEventListener("pointerdown", beside, true);
    closeOpen = null;
  };
  const beside = (/** @type {PointerEvent} */ event) => {
    if (!menu.contains(/** @type {Node} */ (event.target))) close();
  };
  closeOpen = close;
  document.addEventListener("pointerdown", beside, true);
  menu.addEventListener("click", close, { capture: false });
  menu.addEventListener("keydown", (event) => {
    if (event.key === "Escape" || event.key === "Tab") close();
    if (event.key === "Escape") at.focus();
    if (event.key === "ArrowDown" || event.key === "ArrowUp") moveFocus(menu, event.key === "ArrowDown" ? 1 : -1);
    event.stopPropagation();
    if (event.key !== "Enter" && event.key !== " ") event.preventDefault();
  });
  moveFocus(menu, 1);
}

/**
 * @param {Item | "line" | { title: string }} item
 * @returns {HTMLElement}
 */
function itemElement(item) {
  if (item === "line") return el("div", { class: "menu-line", role: "separator" });
  if ("title" in item) return el("div", { class: "menu-title", text: item.title });
  const { icon: name, swatch, text, press, danger, testid } = item;
  const mark = swatch ? el("span", { class: "swatch" }) : null;
  if (mark) mark.style.background = /** @type {string} */ (swatch);
  const properties = {
    type: "button", role: "menuitem", class: danger ? "menu-item danger" : "menu-item", onclick: press,
    "data-testid": testid ?? null,
  };
  return el("button", properties, [name ? icon(name) : mark, el("span", { text })]);
}

/**
 * @param {HTMLElement} menu
 * @param {HTMLElement} at
 */
function place(menu, at) {
  const box = at.getBoundingClientRect();
  const { offsetWidth: width, offsetHeight: height } = menu;
  const left = Math.max(8, Math.min(box.right - width, innerWidth - width - 8));
  const below = box.bottom + 4;
  menu.style.left = `${left}px`;
  menu.style.top = `${below + height > innerHeight - 8 ? Math.max(8, box.top - height - 4) : below}px`;
}

/**
 * @param {HTMLElement} menu
 * @param {1 | -1} by
 */
function moveFocus(menu, by) {
  const items = [.../** @type {NodeListOf<HTMLElement>} */ (menu.querySelectorAll(".menu-item"))];
  const now = items.indexOf(/** @type {HTMLElement} */ (document.activeElement));
  items[(now + by + items.length) % items.length]?.focus();
}
