/** What every page shows: the logo with the name, and the button for dark or light. */
import { button, el } from "../dom.js";
import { icon } from "../icons.js";

/** @typedef {import("../tools/options.js").Options} Options */

/**
 * Makes a button that switches the page between dark and light. Until it is pressed, the page follows the system.
 * @param {Options} options
 * @param {() => void} [changed] called whenever the page has become dark or light
 * @returns {HTMLButtonElement}
 */
export function themeButton(options, changed = () => {}) {
  const press = () => options.set("theme", themeOf(options) === "dark" ? "light" : "dark");
  const element = button({ icon: "moon", label: "Dark or light", press, testid: "theme", tip: "left" });
  const draw = () => {
    const dark = themeOf(options) === "dark";
    document.documentElement.dataset.theme = dark ? "dark" : "light";
    element.replaceChildren(icon(dark ? "moon" : "sun"));
    changed();
  };
  options.on("change", (name) => name === "theme" && draw());
  matchMedia("(prefers-color-scheme: light)").addEventListener("change", draw);
  draw();
  return element;
}

/**
 * @param {Options} options
 * @returns {"dark" | "light"}
 */
function themeOf(options) {
  const theme = options.get("theme");
  if (theme !== "system") return theme;
  return matchMedia("(prefers-color-scheme: light)").matches ? "light" : "dark";
}

/**
 * @param {string} name of the page
 * @returns {HTMLElement}
 */
export function logo(name) {
  const mark = el("span", { class: "logo-mark", "aria-hidden": true });
  mark.innerHTML =
    '<svg viewBox="0 0 24 24"><rect x="1.5" y="4" width="21" height="16" rx="3.5" fill="none" stroke="currentColor" stroke-width="1.7"/>' +
    '<path d="M6 20c0-5.500 2.200-9.500 5.800-9.500S17 14 17 20Z" fill="var(--accent)"/><circle cx="16.500" cy="8.800" r="1.800" fill="var(--accent)"/></svg>';
  return el("div", { class: "logo" }, [mark, el("h1", { text: name })]);
}
