/** Short ways of making elements. */
import { icon } from "./icons.js";
import { keyOf } from "./keys.js";

/** @typedef {Node | string | null | undefined | false} Child */

/**
 * Makes an element with properties and children.
 * @template {keyof HTMLElementTagNameMap} Tag
 * @param {Tag} tag
 * @param {Record<string, any>} [properties] `class`, `text`, `on<event>` listeners, `aria-...`, `data-...`, and other
 *   attributes; null, undefined and false leave an attribute out, true sets it to an empty value
 * @param {Child[]} [children]
 * @returns {HTMLElementTagNameMap[Tag]}
 */
export function el(tag, properties = {}, children = []) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) setProperty(element, name, value);
  element.append(...children.filter((child) => child !== null && child !== undefined && child !== false).map(asNode));
  return element;
}

/**
 * @param {HTMLElement} element
 * @param {string} name
 * @param {any} value
 */
function setProperty(element, name, value) {
  if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
  else if (name === "text") element.textContent = value;
  else if (name === "class") element.className = value;
  else if (name === "value" && "value" in element) element.value = value;
  else if (name === "checked") Object.assign(element, { checked: value });
  else if (value === true) element.setAttribute(name, name.startsWith("aria-") ? "true" : "");
  else if (value !== null && value !== undefined && value !== false) element.setAttribute(name, String(value));
}

/**
 * @param {Child} child
 * @returns {Node}
 */
function asNode(child) {
  return child instanceof Node ? child : document.createTextNode(String(child));
}

/**
 * Makes a button with an icon and a tool tip that shows its key.
 * @param {object} options
 * @param {string} options.icon
 * @param {string} options.label what it does, for the tool tip and screen readers
 * @param {string} [options.text] shown next to the icon
 * @param {string} [options.action] an action of keys.js, whose key the tool tip shows
 * @param {string} [options.class]
 * @param {string} [options.testid]
 * @param {string} [options.tip] where the tool tip appears: `right`, `above`, `left`; below if not given
 * @param {(event: MouseEvent) => void} options.press
 * @returns {HTMLButtonElement}
 */
export function button({ icon: name, label, text, action, press, class: kind = "", testid, tip }) {
  const key = action ? keyOf(action) : "";
  const element = el("button", {
    type: "button",
    class: `button ${text ? "" : "only-icon"} ${kind}`.trim(),
    "aria-label": text && text === label ? null : label,
    "aria-keyshortcuts": key || null,
    "data-tip": text && text === label && !key ? null : label,
    "data-key": key || null,
    "data-tip-side": tip ?? null,
    "data-testid": testid ?? (action ? action.replace(".", "-") : null),
    onclick: press,
  });
  element.append(icon(name));
  if (text) element.append(el("span", { text }));
  return element;
}

/**
 * Replaces the children of an element.
 * @param {Element} element
 * @param {Child[]} children
 */
export function fill(element, children) {
  const kept = children.filter((child) => child !== null && child !== undefined && child !== false).map(asNode);
  element.replaceChildren(...kept);
}

/**
 * Finds an element that the page must have.
 * @param {string} id
 * @returns {HTMLElement}
 */
export function need(id) {
  const element = document.getElementById(id);
  if (!element) throw new Error(`the page has no element ${id}`);
  return element;
}

/**
 * Marks a button as pressed or not.
 * @param {HTMLElement} element
 * @param {boolean} pressed
 */
export function setPressed(element, pressed) {
  element.setAttribute("aria-pressed", String(pressed));
}
