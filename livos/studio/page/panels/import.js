/** The import dialog: files are chosen or dropped, sent one by one, and imported all together or not at all. */
import { button, el, fill } from "../dom.js";
import { icon } from "../icons.js";
import { count } from "../texts.js";
import { Dialog } from "./dialog.js";

/** @typedef {import("../studio.js").Studio} Studio */

const SUFFIXES = [".png", ".webp", ".tif", ".tiff", ".bmp", ".gif", ".json", ".txt"];

/**
 * The name that a file is sent under: its own, after its folder's if that is the number of an object, as for cut-outs.
 * @param {{ name: string, webkitRelativePath?: string }} file
 * @returns {string}
 */
export function importName(file) {
  const parts = (file.webkitRelativePath || file.name).split("/");
  const folder = parts.at(-2) ?? "";
  return /^[0-9]+$/.test(folder) ? `${folder}/${parts.at(-1)}` : (parts.at(-1) ?? file.name);
}

/**
 * @param {string} name
 * @returns {boolean} whether a file of this name can contain masks
 */
export function canHoldMasks(name) {
  return SUFFIXES.some((suffix) => name.toLowerCase().endsWith(suffix));
}

export class ImportDialog {
  /**
   * @param {Studio} studio
   * @param {import("../edits.js").Edits} edits
   */
  constructor(studio, edits) {
    this.studio = studio;
    this.edits = edits;
    this.dialog = new Dialog("Import masks", { testid: "import-dialog" });
    /** @type {File[]} */
    this.files = [];
    this.summary = el("p", { class: "hint", "data-testid": "import-summary" });
    this.problem = el("p", { class: "problem", role: "alert", "data-testid": "import-problem" });
    this.bar = el("progress", { max: 1, value: 0, hidden: true, "aria-label": "Progress" });
    this.start = button({
      icon: "importing", label: "Import", text: "Import", class: "primary", testid: "import-start",
      press: () => void this.import(),
    });
    studio.on("dropped", (files) => {
      this.show();
      this.choose(files);
    });
  }

  show() {
    if (!this.studio.state?.video) return;
    const files = this.input({ "data-testid": "import-files", accept: SUFFIXES.join(",") });
    const folder = this.input({ webkitdirectory: true, "data-testid": "import-folder" });
    fill(this.dialog.body, [
      el("div", { class: "import-drop" }, [
        icon("importing"),
        el("p", { text: "Drop mask files onto the page, or choose them." }),
        el("div", { class: "buttons" }, [
          button({ icon: "film", label: "Choose files", text: "Choose files", press: () => files.click() }),
          button({ icon: "folder", label: "Choose a folder", text: "Choose a folder", press: () => folder.click() }),
        ]),
        files,
        folder,
      ]),
      el("p", { class: "hint", text: "PNG (palette, grey, black and white, transparent), labelme or COCO JSON, YOLO text. Numbers in the names are frames, counted from 0; a single file without a number is for the current frame." }),
      this.summary,
      this.bar,
      this.problem,
    ]);
    fill(this.dialog.foot, [this.start]);
    this.choose([]);
    this.dialog.show();
  }

  /**
   * @param {Record<string, any>} properties
   * @returns {HTMLInputElement}
   */
  input(properties) {
    const input = el("input", {
      type: "file", multiple: true, class: "visually-hidden", tabindex: -1, ...properties,
      onchange: () => this.choose([...(input.files ?? [])]),
    });
    return input;
  }

  /** @param {File[]} files */
  choose(files) {
    const known = files.filter((file) => canHoldMasks(file.name));
    const others = files.length - known.length;
    this.files = known;
    this.problem.textContent = others ? `${count(others, "file")} left out: these kinds of files cannot contain masks.` : "";
    this.summary.textContent = known.length ? `${count(known.length, "file")} chosen.` : "";
    this.start.disabled = known.length === 0;
  }

  async import() {
    const { studio, files } = this;
    if (studio.whyNot) return void (this.problem.textContent = studio.whyNot);
    this.start.disabled = true;
    this.bar.hidden = false;
    this.problem.textContent = "";
    try {
      await this.edits.settled();
      const { import: number } = await studio.server.post("/api/imports");
      for (const [place, file] of files.entries()) {
        this.bar.value = place / files.length;
        const path = `/api/imports/${number}/files?name=${encodeURIComponent(importName(file))}`;
        await studio.server.request(path, { method: "PUT", body: file });
      }
      const { marks } = await studio.server.post(`/api/imports/${number}/finish`, { frame: studio.frame });
      studio.say(`Imported masks on ${count(marks.length, "frame")}.`);
      this.dialog.close();
      if (marks.length && !marks.includes(studio.frame)) await studio.go(marks[0]);
    } catch (error) {
      this.problem.textContent = error instanceof Error ? error.message : String(error);
    } finally {
      this.bar.hidden = true;
      this.start.disabled = false;
    }
  }
}
