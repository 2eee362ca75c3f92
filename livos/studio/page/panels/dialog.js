/** Dialogs with a title, a body, and buttons. Escape closes them. The focus stays inside, and returns when they close. */
import { button, el } from "../dom.js";

const FIELDS = "input, select, button";

export class Dialog {
  /**
   * @param {string} title
   * @param {{ size?: "" | "wide" | "widest", testid: string }} options
   */
  constructor(title, { size = "", testid }) {
    this.body = el("div", { class: "dialog-body", tabindex: -1 });
    this.foot = el("div", { class: "dialog-foot" });
    const close = button({ icon: "close", label: "Close (Esc)", press: () => this.close(), testid: `${testid}-close` });
    this.element = el("dialog", { class: `dialog ${size}`.trim(), "aria-label": title, "data-testid": testid }, [
      el("header", { class: "dialog-head" }, [el("h2", { text: title }), close]),
      this.body,
      this.foot,
    ]);
    this.element.addEventListener("click", (event) => {
      if (event.target === this.element) this.close();
    });
    this.element.addEventListener("keydown", (event) => event.stopPropagation());
    document.body.append(this.element);
  }

  get open() {
    return this.element.open;
  }

  show() {
    if (this.element.open) return;
    this.element.showModal();
    /** @type {HTMLElement} */ (this.body.querySelector(FIELDS) ?? this.body).focus();
  }

  close() {
    this.element.close();
  }
}

/**
 * Makes a row of a form: a label, its control, and a hint.
 * @param {string} label
 * @param {HTMLElement} control
 * @param {string} [hint]
 * @returns {HTMLElement}
 */
export function row(label, control, hint) {
  const text = el("span", { class: "row-label", text: label });
  return el("label", { class: "row" }, [text, control, hint ? el("span", { class: "hint", text: hint }) : null]);
}

/**
 * Makes a choice between a few values, as buttons side by side.
 * @template {string} Value
 * @param {string} label
 * @param {[Value, string][]} choices value and text
 * @param {Value} value
 * @param {(value: Value) => void} choose
 * @returns {HTMLElement}
 */
export function segments(label, choices, value, choose) {
  const group = el("div", { class: "segments", role: "radiogroup", "aria-label": label });
  const select = (/** @type {Value} */ chosen) => {
    for (const each of group.children) {
      const checked = /** @type {HTMLElement} */ (each).dataset.value === chosen;
      each.setAttribute("aria-checked", String(checked));
    }
    choose(chosen);
  };
  for (const [each, text] of choices) {
    group.append(
      el("button", {
        type: "button", role: "radio", text, "data-value": each, "aria-checked": String(each === value),
        onclick: () => select(each),
      })
    );
  }
  return group;
}
