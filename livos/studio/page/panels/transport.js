/** The bar between stage and timeline: playing, steps, jumps, the current frame, and the in and out points. */
import { button, el, setPressed } from "../dom.js";
import { icon } from "../icons.js";
import { clock } from "../texts.js";

/** @typedef {import("../studio.js").Studio} Studio */

export class Transport {
  /**
   * @param {HTMLElement} holder
   * @param {Studio} studio
   * @param {(action: string) => void} act
   * @param {import("../stage/stage.js").Stage} stage
   */
  constructor(holder, studio, act, stage) {
    this.studio = studio;
    this.stage = stage;
    const press = (/** @type {string} */ name, /** @type {string} */ action, /** @type {string} */ label) =>
      button({ icon: name, label, action, press: () => act(action), tip: "above" });
    this.play = press("play", "play", "Play");
    this.number = el("input", {
      class: "frame-number", inputmode: "numeric", "aria-label": "Frame", "data-testid": "frame-number",
      onchange: () => this.goToWritten(),
      onkeydown: (/** @type {KeyboardEvent} */ event) => this.keyInNumber(event),
    });
    this.of = el("span", { class: "muted" });
    this.time = el("span", { class: "time", "data-testid": "time" });
    this.rangeText = el("span", { class: "muted range-text" });
    this.zoom = el("span", { class: "muted zoom-text", "data-testid": "zoom" });
    holder.append(
      el("div", { class: "bar-group" }, [
        press("first", "frame.first", "First frame"), press("previous", "frame.previous", "Previous frame"), this.play,
        press("next", "frame.next", "Next frame"), press("last", "frame.last", "Last frame"),
      ]),
      el("div", { class: "where" }, [this.number, this.of, this.time]),
      el("div", { class: "bar-group" }, [
        press("markPrevious", "mark.previous", "Previous given mask"), press("markNext", "mark.next", "Next given mask"),
        button({ icon: "doubt", label: "Next frame on which the tracker is unsure", text: "Next doubtful", action: "doubt.next", press: () => act("doubt.next"), tip: "above" }),
      ]),
      el("span", { class: "spring" }),
      el("div", { class: "bar-group" }, [
        press("rangeIn", "range.in", "Start the range here"), press("rangeOut", "range.out", "End the range here"),
        press("rangeClear", "range.clear", "Clear the range: all frames"), this.rangeText,
      ]),
      el("div", { class: "bar-group" }, [
        press("minus", "zoom.out", "Zoom out"), this.zoom, press("plus", "zoom.in", "Zoom in"), press("fit", "zoom.fit", "Whole frame"),
      ])
    );
    for (const name of ["state", "phase", "frame", "look"]) studio.on(name, () => this.draw());
    studio.on("playing", (playing) => {
      this.play.replaceChildren(icon(playing ? "pause" : "play"));
      this.play.setAttribute("aria-label", playing ? "Pause" : "Play");
      setPressed(this.play, playing);
    });
  }

  draw() {
    const { state, frame, lastFrame } = this.studio;
    if (!state?.video) return;
    if (document.activeElement !== this.number) this.number.value = String(frame);
    this.of.textContent = `/ ${lastFrame}`;
    this.time.textContent = clock(frame / state.video.frame_rate);
    const { first, last } = this.studio.range;
    this.rangeText.textContent = this.studio.allInRange ? "All frames" : `${first} – ${last}`;
    if (this.stage.view) this.zoom.textContent = `${Math.round(this.stage.view.deviceScale * 100)} %`;
  }

  goToWritten() {
    const frame = Number.parseInt(this.number.value, 10);
    if (Number.isFinite(frame)) void this.studio.go(frame);
    this.number.value = String(this.studio.frame);
  }

  /** @param {KeyboardEvent} event */
  keyInNumber(event) {
    event.stopPropagation();
    if (event.key === "Escape") this.number.value = String(this.studio.frame);
    if (event.key === "Enter" || event.key === "Escape") this.number.blur(); // fires `change`
  }
}
