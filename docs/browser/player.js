/** Plays the frames with their masks at the speed of the video, skipping frames if the machine is too slow. */
import { dueFrame } from "studio/player.js";

/** @typedef {import("./session.js").Session} Session */

export class Player {
  /** @param {Session} session */
  constructor(session) {
    this.session = session;
    this.playing = false;
    /** The number of the loop that may continue; each start of playing begins a new one. */
    this.run = 0;
    for (const name of ["gesture", "phase", "job"]) session.on(name, () => this.set(false));
  }

  toggle() {
    this.set(!this.playing);
    if (this.playing) void this.play();
  }

  /** @param {boolean} playing */
  set(playing) {
    if (playing === this.playing) return;
    this.playing = playing;
    this.run++; // ends a loop that is still waiting for its frame
    this.session.emit("playing", playing);
  }

  async play() {
    const { session } = this;
    const range = { first: 0, last: session.lastFrame };
    const from = session.frame === range.last ? 0 : session.frame;
    const began = performance.now();
    const { run } = this;
    while (this.run === run && session.state.video) {
      const seconds = (performance.now() - began) / 1000;
      const due = dueFrame(range, from, seconds, session.state.video.frame_rate);
      if (due !== session.frame) await session.go(due);
      await new Promise((resolve) => requestAnimationFrame(resolve));
    }
  }
}
