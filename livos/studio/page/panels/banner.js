/** A line above the stage while the page can only watch: the connection is lost, or another page is editing the project. */
import { el, fill } from "../dom.js";

/** @typedef {import("../studio.js").Studio} Studio */

export class Banner {
  /**
   * @param {HTMLElement} holder
   * @param {Studio} studio
   */
  constructor(holder, studio) {
    this.holder = holder;
    this.studio = studio;
    this.wasConnected = false;
    studio.on("line", () => this.draw());
  }

  draw() {
    const { connected, active } = this.studio;
    this.holder.hidden = connected && active;
    document.body.classList.toggle("only-looking", !(connected && active));
    if (connected && active) return;
    if (connected) fill(this.holder, this.otherPage());
    else if (this.studio.refused) fill(this.holder, this.outdated());
    else if (this.studio.state || this.wasConnected) fill(this.holder, this.lost());
    else this.holder.hidden = true;
    this.wasConnected ||= connected;
  }

  /** @returns {HTMLElement[]} */
  otherPage() {
    const take = el("button", {
      type: "button", class: "button primary", text: "Work here instead", "data-testid": "take-over",
      onclick: () => this.studio.connection.takeOver(),
    });
    return [el("p", { text: "This project is open in another page. Here you can only watch." }), take];
  }

  /** @returns {HTMLElement[]} */
  outdated() {
    const text = "LiVOS Studio was started again and has a new address. What you did is saved: go on in the page that it opened.";
    return [el("p", { text })];
  }

  /** @returns {HTMLElement[]} */
  lost() {
    const text = "The connection to LiVOS Studio is lost. What you did is saved; this page is trying to reconnect…";
    return [el("span", { class: "spinner", "aria-hidden": true }), el("p", { text })];
  }
}
