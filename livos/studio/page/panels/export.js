/** The export dialog: what to export, which frames, the progress, and where the files are. */
import { button, el, fill } from "../dom.js";
import { icon } from "../icons.js";
import { count, fileSize } from "../texts.js";
import { Dialog, segments } from "./dialog.js";

/** @typedef {import("../studio.js").Studio} Studio */
/** @typedef {import("../protocol.js").Export} Export */

/** @type {[string, string, string][]} kind, name, description */
export const KINDS = [
  ["masks", "Masks", "One PNG per frame; each pixel's value is its object"],
  ["overlay", "Overlay video", "MP4 with the objects drawn over it, with sound"],
  ["boxes", "Boxes and areas", "JSON with the box and area of each object on each frame"],
  ["cutouts", "Cut-outs", "PNG of each object alone, transparent around it"],
  ["prores", "Cut-outs, ProRes 4444", "MOV with transparency for editing programs"],
  ["vp9", "Cut-outs, VP9", "WebM with transparency for web pages"],
  ["coco", "COCO", "JSON with run-length codes and track ids"],
  ["yolo", "YOLO", "Polygons, one text file per frame"],
];

export class ExportDialog {
  /** @param {Studio} studio */
  constructor(studio) {
    this.studio = studio;
    this.dialog = new Dialog("Export", { testid: "export-dialog", size: "wide" });
    this.chosen = new Set(["masks"]);
    /** @type {"all" | "range"} */
    this.frames = "all";
    this.results = el("div", { class: "results" });
    this.drawn = "";
    this.progress = el("div", { class: "export-progress" });
    this.start = button({
      icon: "exporting", label: "Export", text: "Export", class: "primary", testid: "export-start",
      press: () => void this.export(),
    });
    for (const name of ["state", "line"]) studio.on(name, () => this.dialog.open && this.update());
  }

  show() {
    if (!this.studio.state?.video) return;
    const { first, last } = this.studio.range;
    this.frames = this.studio.allInRange ? "all" : "range";
    const frames = segments("Frames", [
      ["all", `All frames (0 – ${this.studio.lastFrame})`],
      ["range", `In to out (${first} – ${last})`],
    ], this.frames, (value) => (this.frames = value));
    fill(this.dialog.body, [
      el("div", { class: "kinds", role: "group", "aria-label": "What to export" }, KINDS.map((kind) => this.kind(...kind))),
      el("div", { class: "row" }, [el("span", { class: "row-label", text: "Frames" }), frames]),
      this.results,
    ]);
    fill(this.dialog.foot, [this.progress, this.start]);
    this.drawn = "";
    this.update();
    this.dialog.show();
  }

  /**
   * @param {string} kind
   * @param {string} name
   * @param {string} text
   * @returns {HTMLElement}
   */
  kind(kind, name, text) {
    const box = el("input", {
      type: "checkbox", checked: this.chosen.has(kind), "data-testid": `export-${kind}`,
      onchange: () => {
        if (box.checked) this.chosen.add(kind);
        else this.chosen.delete(kind);
        this.update();
      },
    });
    return el("label", { class: "kind" }, [box, el("span", {}, [el("b", { text: name }), el("small", { text })])]);
  }

  update() {
    const { state } = this.studio;
    const job = state?.job;
    this.start.disabled = Boolean(job) || this.chosen.size === 0 || this.studio.whyNot !== null;
    if (job?.kind === "export") {
      const stop = button({ icon: "stop", label: "Stop", text: "Stop", press: () => void this.stop(), testid: "export-stop" });
      const bar = el("progress", { max: 1, value: job.total ? job.done / job.total : 0, "aria-label": "Progress" });
      fill(this.progress, [el("span", { text: `${job.done} of ${job.total}` }), bar, stop]);
    } else fill(this.progress, [job ? el("span", { class: "hint", text: `${job.title} is under way.` }) : null]);
    const exports = [...(state?.exports ?? [])].reverse();
    const text = JSON.stringify(exports);
    if (text === this.drawn) return;
    this.drawn = text;
    fill(this.results, exports.length ? [el("h3", { text: "Exported" }), ...exports.map((each) => this.result(each))] : []);
  }

  /**
   * @param {Export} made
   * @returns {HTMLElement}
   */
  result(made) {
    const names = made.kinds.map((kind) => KINDS.find(([each]) => each === kind)?.[1] ?? kind).join(", ");
    const facts = `Frames ${made.first} – ${made.last} · ${count(made.files, "file")} · ${fileSize(made.bytes)}`;
    const link = el("a", {
      class: "button", href: this.studio.server.address(`/api/exports/${made.id}`), download: "", "data-testid": "download",
    }, [icon("importing"), el("span", { text: "Download .zip" })]);
    return el("div", { class: "result", "data-testid": "export-result" }, [
      el("div", {}, [el("b", { text: names }), el("span", { class: "path", text: made.folder }), el("small", { text: facts })]),
      link,
    ]);
  }

  async export() {
    const { studio } = this;
    const { first, last } = this.frames === "range" ? studio.range : { first: 0, last: studio.lastFrame };
    const kinds = KINDS.map(([kind]) => kind).filter((kind) => this.chosen.has(kind));
    this.start.disabled = true;
    await studio.attempt(() => studio.server.post("/api/exports", { kinds, first, last }));
    this.update();
  }

  stop() {
    return this.studio.attempt(() => this.studio.server.post("/api/stop"));
  }
}
