/** Messages for the user: short notes that disappear, and errors that stay until they are closed. */
import { button, el } from "../dom.js";
import { icon } from "../icons.js";

const INFO_MS = 4000;
const WARNING_MS = 7000;
const AT_MOST = 4;

/** @type {Record<string, string>} */
const ICONS = { info: "check", warning: "warning", error: "warning" };

export class Notes {
  /**
   * @param {HTMLElement} holder
   * @param {import("../emitter.js").Emitter} speaker emits `note` with each message
   */
  constructor(holder, speaker) {
    this.holder = holder;
    speaker.on("note", ({ level, sentence }) => this.add(level, sentence));
  }

  /**
   * @param {"info" | "warning" | "error"} level
   * @param {string} sentence
   */
  add(level, sentence) {
    for (const same of this.holder.querySelectorAll(".note")) {
      if (same.querySelector("p")?.textContent === sentence) same.remove();
    }
    const close = button({ icon: "close", label: "Close", class: "small quiet", press: () => note.remove(), testid: "note-close" });
    const note = el("div", { class: `note ${level}`, role: level === "error" ? "alert" : "status", "data-testid": "note" }, [
      icon(ICONS[level] ?? "check"),
      el("p", { text: sentence }),
      close,
    ]);
    this.holder.append(note);
    while (this.holder.children.length > AT_MOST) this.holder.firstElementChild?.remove();
    if (level !== "error") setTimeout(() => note.remove(), level === "info" ? INFO_MS : WARNING_MS);
  }
}
