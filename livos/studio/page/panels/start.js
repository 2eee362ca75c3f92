/** The screen before a video is open: choose a file on this machine, drop one, or use the demo clip. */
import { button, el, fill } from "../dom.js";
import { icon } from "../icons.js";
import { fileSize } from "../texts.js";

/** @typedef {import("../studio.js").Studio} Studio */
/** @typedef {import("../protocol.js").Listing} Listing */
/** @typedef {import("../protocol.js").Entry} Entry */

/** @type {Record<Entry["kind"], [string, string]>} icon and description */
const KINDS = {
  folder: ["folder", ""],
  video: ["film", ""],
  frames: ["film", "Folder of frames"],
  project: ["polygon", "Studio project"],
};

export class StartScreen {
  /**
   * @param {HTMLElement} holder
   * @param {Studio} studio
   */
  constructor(holder, studio) {
    this.holder = holder;
    this.studio = studio;
    this.sentence = el("p", { class: "start-sentence", "data-testid": "start-sentence" });
    this.listing = el("div", { class: "listing" });
    /** Whether files can be chosen now; otherwise one is being copied or opened. */
    this.offers = false;
    this.listings = 0;
    studio.on("phase", () => this.draw());
    studio.on("state", () => this.tell(studio.state?.sentence ?? ""));
    studio.on("opening", ({ sentence, share }) => this.tell(sentence, share));
    studio.on("note", ({ level }) => {
      if (level === "error" && !this.offers) this.draw(); // copying or opening has failed
    });
    this.listenForDrops();
  }

  /**
   * @param {string} sentence
   * @param {number} [share] of the work that is done, 0 to 1
   */
  tell(sentence, share) {
    if (this.studio.state?.phase === "ready") return;
    this.sentence.textContent = sentence;
    const bar = this.holder.querySelector("progress");
    if (bar && share !== undefined) bar.value = share;
  }

  draw() {
    const phase = this.studio.state?.phase;
    this.holder.hidden = phase === "ready";
    document.body.classList.toggle("starting", phase !== "ready");
    if (phase === "ready") return;
    this.tell(this.studio.state?.sentence ?? "");
    this.offers = phase !== "opening";
    if (phase === "opening") fill(this.holder, [this.opening()]);
    else {
      fill(this.holder, [this.choose(phase === "missing")]);
      void this.browse(null);
    }
  }

  /** @returns {HTMLElement} */
  opening() {
    return el("div", { class: "start-card narrow", "data-testid": "opening" }, [
      el("span", { class: "spinner large", "aria-hidden": true }),
      this.sentence,
      el("progress", { max: 1, "aria-label": "Progress" }),
    ]);
  }

  /**
   * @param {boolean} missing
   * @returns {HTMLElement}
   */
  choose(missing) {
    const file = el("input", {
      type: "file", accept: "video/*", class: "visually-hidden", tabindex: -1, "data-testid": "drop-input",
      onchange: () => file.files?.[0] && this.send(file.files[0]),
    });
    const drop = el("div", { class: "start-drop", "data-testid": "drop" }, [
      icon("importing"),
      el("h3", { text: "Drop a video here" }),
      el("p", { class: "hint", text: "It is copied to the folder where you started Studio." }),
      button({ icon: "film", label: "Choose a file", text: "Choose a file", press: () => file.click(), testid: "pick-file" }),
      file,
    ]);
    const demo = el("div", { class: "start-demo" }, [
      icon("play"),
      el("h3", { text: "No video at hand?" }),
      el("p", { class: "hint", text: "Three objects on a café table, 64 frames." }),
      button({ icon: "play", label: "Use the demo clip", text: "Use the demo clip", press: () => this.open({ demo: true }), testid: "demo" }),
    ]);
    const title = missing ? "Where is the video now?" : "Open a video, a folder of frames, or a project";
    return el("div", { class: missing ? "start-card missing" : "start-card", "data-testid": "start" }, [
      el("div", { class: "start-main" }, [el("h2", { text: title }), this.sentence, this.listing]),
      missing ? null : el("aside", { class: "start-side" }, [drop, this.studio.state?.demo ? demo : null]),
    ]);
  }

  /** @param {string | null} id */
  async browse(id) {
    const query = id === null ? "" : `?id=${encodeURIComponent(id)}`;
    const number = ++this.listings;
    const listing = await this.studio.attempt(() => this.studio.server.get(`/api/browse${query}`));
    if (listing && number === this.listings) this.drawListing(listing); // otherwise another one was requested meanwhile
  }

  /** @param {Listing} listing */
  drawListing({ title, parent, entries }) {
    const up = button({
      icon: "up", label: "Parent folder", class: "small", press: () => void this.browse(parent), testid: "browse-up",
    });
    up.disabled = parent === null;
    const list = el("ul", { class: "entries", "aria-label": title }, entries.map((entry) => this.entry(entry)));
    if (!entries.length) list.append(el("li", { class: "empty", text: "No videos or folders here." }));
    fill(this.listing, [el("div", { class: "listing-head" }, [up, el("span", { class: "path", text: title })]), list]);
    /** @type {HTMLElement | null} */ (list.querySelector("button"))?.focus();
  }

  /**
   * @param {Entry} entry
   * @returns {HTMLElement}
   */
  entry(entry) {
    const [name, what] = KINDS[entry.kind];
    const open = () => (entry.kind === "folder" ? void this.browse(entry.id) : this.open({ id: entry.id }));
    const properties = { type: "button", class: "entry", onclick: open, "data-testid": "entry", "data-kind": entry.kind };
    const inside = entry.kind === "frames" && button({
      icon: "folder", label: "Look into this folder", class: "small quiet", press: () => void this.browse(entry.id),
      testid: "entry-inside",
    });
    return el("li", { class: "entry-line" }, [
      el("button", properties, [
        icon(name),
        el("span", { class: "entry-name", text: entry.name }),
        el("span", { class: "entry-what", text: entry.size === null ? what : fileSize(entry.size) }),
      ]),
      inside || null,
    ]);
  }

  /** @param {{ id: string } | { demo: true }} what */
  open(what) {
    void this.studio.attempt(() => this.studio.server.post("/api/open", what));
  }

  listenForDrops() {
    const { body } = document;
    const choosing = () => this.studio.state?.phase === "choose" || this.studio.state?.phase === "missing";
    body.addEventListener("dragover", (event) => {
      event.preventDefault();
      body.classList.toggle("dropping", choosing());
    });
    body.addEventListener("dragleave", (event) => {
      if (!event.relatedTarget) body.classList.remove("dropping");
    });
    body.addEventListener("drop", (event) => {
      event.preventDefault();
      body.classList.remove("dropping");
      const files = event.dataTransfer?.files;
      if (!files?.length) return;
      if (choosing()) this.send(files[0]);
      else this.studio.emit("dropped", [...files]);
    });
  }

  /**
   * Sends a video to the server and shows the progress.
   * @param {File} file
   */
  send(file) {
    const { server } = this.studio;
    const suffix = /\.([A-Za-z0-9]{1,8})$/.exec(file.name)?.[1] ?? "";
    const request = new XMLHttpRequest();
    request.open("POST", `/api/videos?suffix=${encodeURIComponent(suffix)}&name=${encodeURIComponent(file.name)}`);
    request.setRequestHeader("X-Studio-Token", server.token);
    request.setRequestHeader("X-Studio-Page", String(server.page));
    const bar = el("progress", { max: 1, value: 0, "aria-label": "Progress" });
    const sentence = el("p", { text: `Copying ${file.name} (${fileSize(file.size)})` });
    const leave = button({ icon: "close", label: "Cancel", text: "Cancel", press: () => request.abort() });
    this.offers = false;
    fill(this.holder, [el("div", { class: "start-card narrow" }, [sentence, bar, leave])]);
    request.upload.onprogress = (event) => (bar.value = event.loaded / Math.max(1, event.total));
    request.onload = () => {
      if (request.status < 400) return;
      this.studio.say(sentenceIn(request.responseText, request.status), "error");
      this.draw();
    };
    request.onerror = request.onabort = () => this.draw();
    request.send(file);
  }
}

/**
 * @param {string} text
 * @param {number} status
 * @returns {string}
 */
function sentenceIn(text, status) {
  try {
    return JSON.parse(text).error;
  } catch {
    return `LiVOS Studio answered with error ${status}.`;
  }
}
