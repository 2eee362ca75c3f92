/** What the user is told: short notes that go away, errors that stay until they are read, a line for the connection. */
import { button, el, fill } from "../dom.js";
import { icon } from "../icons.js";

/** @typedef {import("../studio.js").Studio} Studio */

const INFO_MS = 4000;
const WARNING_MS = 7000;
const AT_MOST = 4;

/** @type {Record<string, string>} */
const ICONS = { info: "check", warning: "warning", error: "warning" };

export class Notes {
  /**
   * @param {HTMLElement} holder
   * @param {HTMLElement} banner
   * @param {Studio} studio
   */
  constructor(holder, banner, studio) {
    this.holder = holder;
    this.banner = banner;
    this.studio = studio;
    this.wasConnected = false;
    studio.on("note", ({ level, sentence }) => this.add(level, sentence));
    studio.on("line", () => this.drawBanner());
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

  drawBanner() {
    const { connected, active } = this.studio;
    this.banner.hidden = connected && active;
    document.body.classList.toggle("only-looking", !(connected && active));
    if (connected && active) return;
    if (connected) fill(this.banner, this.otherPage());
    else if (this.studio.state || this.wasConnected) fill(this.banner, this.lost());
    else this.banner.hidden = true;
    this.wasConnected ||= connected;
  }

  /** @returns {HTMLElement[]} */
  otherPage() {
    const take = el("button", {
      type: "button", class: "button", text: "Work here instead", "data-testid": "take-over",
      onclick: () => this.studio.connection.takeOver(),
    });
    return [el("p", { text: "This project is open in another page. Here you can look, there you can work." }), take];
  }

  /** @returns {HTMLElement[]} */
  lost() {
    const text = "The connection to LiVOS Studio is lost. What you did is saved; this page tries to connect again…";
    return [el("span", { class: "spinner", "aria-hidden": true }), el("p", { text })];
  }
}
