/** The bar at the top: project, undo and redo, how the stage shows things, import, export, settings, theme, keys. */
import { button, el, fill, setPressed } from "../dom.js";
import { logo, themeButton } from "./look.js";

/** @typedef {import("../studio.js").Studio} Studio */
/** @typedef {import("../tools/options.js").Options} Options */
/** @typedef {(action: string) => void} Act */

/** @type {["overlay" | "alone" | "compare", string, string][]} */
const VIEWS = [
  ["overlay", "overlay", "Objects over the frame"],
  ["alone", "alone", "The object alone"],
  ["compare", "compare", "Before and after: drag the line"],
];

export class TopBar {
  /**
   * @param {HTMLElement} holder
   * @param {Studio} studio
   * @param {Options} options
   * @param {Act} act
   */
  constructor(holder, studio, options, act) {
    this.studio = studio;
    this.options = options;
    this.name = el("span", { class: "project-name", "data-testid": "project-name" });
    this.facts = el("span", { class: "project-facts" });
    this.undo = button({ icon: "undo", label: "Undo", action: "undo", press: () => act("undo") });
    this.redo = button({ icon: "redo", label: "Redo", action: "redo", press: () => act("redo") });
    this.views = VIEWS.map(([view, name, label]) =>
      button({ icon: name, label, action: `view.${view}`, press: () => act(`view.${view}`) })
    );
    this.work = el("div", { class: "bar-group work" }, [
      el("div", { class: "bar-group" }, [this.undo, this.redo]),
      el("div", { class: "bar-group joined", role: "group", "aria-label": "How the stage shows things" }, this.views),
      this.lookControls(act),
    ]);
    this.files = el("div", { class: "bar-group" }, [
      button({ icon: "importing", label: "Import masks", text: "Import", action: "import", press: () => act("import") }),
      button({ icon: "exporting", label: "Export masks and videos", text: "Export", action: "export", class: "primary", press: () => act("export") }),
    ]);
    const project = el("div", { class: "project" }, [this.name, this.facts]);
    holder.append(logo("LiVOS Studio"), project, this.work, el("span", { class: "spring" }), this.files, el("div", { class: "bar-group" }, [
      button({ icon: "settings", label: "Settings", action: "settings", press: () => act("settings"), tip: "left" }),
      themeButton(options, () => studio.emit("theme")),
      button({ icon: "help", label: "All keys", action: "help", press: () => act("help"), tip: "left" }),
    ]));
    for (const name of ["state", "phase", "line"]) studio.on(name, () => this.draw());
    options.on("change", () => this.draw());
    this.draw();
  }

  /**
   * @param {Act} act
   * @returns {HTMLElement}
   */
  lookControls(act) {
    const { options } = this;
    this.opacity = el("input", {
      type: "range", min: 0, max: 1, step: 0.05, value: options.get("opacity"), "aria-label": "Opacity of the objects",
      "data-testid": "opacity", oninput: () => options.set("opacity", Number(this.opacity?.value)),
    });
    this.behind = button({
      icon: "alone", label: "Around the object: black or transparent", text: "Black", testid: "behind",
      press: () => options.set("behind", options.get("behind") === "black" ? "transparent" : "black"),
    });
    this.outline = button({ icon: "outline", label: "Outlines", action: "view.outline", press: () => act("view.outline") });
    this.look = el("label", { class: "slider", "data-tip": "Opacity of the objects" }, [this.opacity]);
    return el("div", { class: "bar-group" }, [this.look, this.outline, this.behind]);
  }

  draw() {
    const { state } = this.studio;
    const ready = state?.phase === "ready";
    const video = ready ? state.video : null;
    this.work.hidden = this.files.hidden = !ready;
    this.name.textContent = video ? video.name : "";
    this.name.title = state?.project?.folder ?? "";
    this.facts.textContent = video
      ? `${video.width} × ${video.height} · ${video.num_frames} frames · ${Number(video.frame_rate.toFixed(2))} fps`
      : "";
    this.drawStep(this.undo, "Undo", state?.undo ?? null);
    this.drawStep(this.redo, "Redo", state?.redo ?? null);
    this.drawLook();
  }

  /**
   * @param {HTMLButtonElement} element
   * @param {string} word
   * @param {string | null} title
   */
  drawStep(element, word, title) {
    element.disabled = !title;
    const label = title ? `${word}: ${title}` : word;
    element.setAttribute("aria-label", label);
    element.dataset.tip = label;
  }

  drawLook() {
    const { options } = this;
    const view = options.get("view");
    this.views.forEach((element, place) => setPressed(element, VIEWS[place][0] === view));
    if (this.outline) setPressed(this.outline, options.get("outline"));
    if (this.outline) this.outline.hidden = view === "alone";
    if (this.look) this.look.hidden = view === "alone";
    if (this.behind) {
      this.behind.hidden = view !== "alone";
      fill(/** @type {HTMLElement} */ (this.behind.lastElementChild), [options.get("behind") === "black" ? "Black" : "Transparent"]);
    }
  }
}
