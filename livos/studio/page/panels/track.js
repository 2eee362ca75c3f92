/** The card that starts tracking and shows its progress. */
import { button, el, fill } from "../dom.js";
import { duration } from "../texts.js";

/** @typedef {import("../studio.js").Studio} Studio */
/** @typedef {import("../tracking.js").Tracking} Tracking */
/** @typedef {import("../protocol.js").Job} Job */

export class TrackPanel {
  /**
   * @param {HTMLElement} holder
   * @param {Studio} studio
   * @param {Tracking} tracking
   */
  constructor(holder, studio, tracking) {
    this.studio = studio;
    this.tracking = tracking;
    this.body = el("div", { class: "track-body" });
    holder.append(el("header", { class: "panel-head" }, [el("h2", { text: "Track" })]), this.body);
    this.controls = this.makeControls();
    this.progress = this.makeProgress();
    for (const name of ["state", "phase", "rest", "frame", "timeline", "selection", "shown", "line"]) {
      studio.on(name, () => this.draw());
    }
    this.draw();
  }

  makeControls() {
    const { tracking } = this;
    const backward = button({
      icon: "backward", label: "Track backwards from this frame", text: "Back", action: "track.backward",
      press: () => void tracking.track("backward"),
    });
    const both = button({
      icon: "both", label: "Track both ways from this frame", text: "Both", action: "track.both",
      press: () => void tracking.track("both"),
    });
    const forward = button({
      icon: "forward", label: "Track forwards from this frame", text: "Forward", action: "track.forward",
      class: "primary", press: () => void tracking.track("forward"),
    });
    const refill = button({
      icon: "refill", label: "Refill between the given masks on both sides", text: "Refill", action: "track.refill",
      press: () => void tracking.refill(),
    });
    const goOn = button({
      icon: "forward", label: "Continue where tracking was stopped", text: "Continue", class: "wide-button",
      testid: "go-on", press: () => void tracking.goOn(),
    });
    const where = el("p", { class: "hint", "data-testid": "track-hint" });
    const inRange = el("input", {
      type: "checkbox", "data-testid": "range-only", onchange: () => tracking.keepToRange(inRange.checked),
    });
    const range = el("span");
    const rangeOnly = el("label", { class: "check", "data-tip": "Track only between the in and out points (I, U)" }, [
      inRange, range,
    ]);
    const directions = el("div", { class: "directions" }, [backward, both, forward]);
    const all = [backward, both, forward, refill, goOn];
    return { where, directions, rangeOnly, inRange, range, refill, goOn, all };
  }

  makeProgress() {
    const title = el("span", { class: "job-title", "data-testid": "job-title" });
    const bar = el("progress", { max: 1, value: 0, "aria-label": "Progress" });
    const facts = el("p", { class: "facts", "data-testid": "job-facts" });
    const follow = el("input", {
      type: "checkbox", "data-testid": "follow",
      onchange: () => {
        this.studio.follows = follow.checked;
        const job = this.studio.state?.job;
        if (follow.checked && job) void this.studio.go(job.frame);
      },
    });
    const stop = button({
      icon: "stop", label: "Stop; computed masks are kept (Esc)", text: "Stop", class: "danger wide-button",
      testid: "stop", press: () => void this.tracking.stop(),
    });
    const following = el("label", { class: "check" }, [follow, "Follow on the stage"]);
    return { title, bar, facts, follow, following, stop };
  }

  draw() {
    const { state } = this.studio;
    if (state?.job) this.drawProgress(state.job);
    else this.drawControls();
  }

  /** @param {Job} job */
  drawProgress(job) {
    const { title, bar, facts, follow, following, stop } = this.progress;
    title.textContent = job.title;
    if (job.total) bar.value = job.done / job.total;
    else bar.removeAttribute("value");
    const rate = job.rate ? `${job.rate.toFixed(job.rate < 10 ? 1 : 0)} frames/s` : "";
    const left = job.left_s === null || job.left_s === undefined ? "" : `${duration(job.left_s)} left`;
    const done = job.total ? `${job.done} of ${job.total}` : "Getting ready…";
    facts.textContent = [done, rate, left].filter(Boolean).join("  ·  ");
    follow.checked = this.studio.follows;
    const tracks = job.kind === "track" || job.kind === "refill";
    if (!title.isConnected || following.isConnected !== tracks) {
      fill(this.body, [title, bar, facts, tracks ? following : null, stop]);
    }
  }

  drawControls() {
    const { studio, tracking } = this;
    const { where, directions, rangeOnly, refill, goOn, all } = this.controls;
    if (!directions.isConnected) fill(this.body, [where, directions, rangeOnly, refill, goOn]);
    this.drawRange();
    where.textContent = this.sentence();
    const idle = studio.state?.phase !== "ready" || !studio.connected || !studio.active;
    for (const each of all) each.disabled = idle;
    const stretches = tracking.refillable();
    refill.disabled ||= stretches.length === 0;
    const ends = [...new Set(stretches.flat())];
    fill(/** @type {HTMLElement} */ (refill.lastElementChild), [
      ends.length ? `Refill ${ends.join(" – ")}` : "Refill between given masks",
    ]);
    goOn.hidden = !tracking.rest;
    if (tracking.rest) {
      fill(/** @type {HTMLElement} */ (goOn.lastElementChild), [`Continue from frame ${tracking.rest.frame}`]);
    }
  }

  /** Offers to stay in the range if it is shorter than the video. */
  drawRange() {
    const { studio, tracking } = this;
    const { inRange, range } = this.controls;
    const { first, last } = studio.range;
    inRange.disabled = studio.allInRange;
    inRange.checked = tracking.inRange && !studio.allInRange;
    range.textContent = studio.allInRange ? "This range only: set it with I and U" : `This range only: ${first} – ${last}`;
  }

  /** @returns {string} */
  sentence() {
    const { state, frame, shown } = this.studio;
    if (!state?.video) return "";
    const has = shown?.frame === frame && shown.mask.map.content !== null;
    return has ? `From the masks on frame ${frame}` : "Draw an object on this frame, then track it.";
  }
}
