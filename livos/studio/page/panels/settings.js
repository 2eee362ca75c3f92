/** The settings dialog: settings of the page, and of tracking, which apply from the next run. */
import { button, el, fill } from "../dom.js";
import { Dialog, row, segments } from "./dialog.js";

/** @typedef {import("../studio.js").Studio} Studio */
/** @typedef {import("../tools/options.js").Options} Options */

export class SettingsDialog {
  /**
   * @param {Studio} studio
   * @param {Options} options
   */
  constructor(studio, options) {
    this.studio = studio;
    this.options = options;
    this.dialog = new Dialog("Settings", { testid: "settings-dialog" });
    fill(this.dialog.foot, [
      button({ icon: "check", label: "Done", text: "Done", class: "primary", press: () => this.dialog.close(), testid: "settings-done" }),
    ]);
  }

  show() {
    const { state } = this.studio;
    if (!state) return;
    const tracking = state.settings ? this.tracking(state.settings, state.choices) : [];
    fill(this.dialog.body, [...tracking, el("h3", { text: "Page" }), this.theme()]);
    this.dialog.show();
  }

  /**
   * @param {import("../protocol.js").Settings} settings
   * @param {import("../protocol.js").Choices} choices
   * @returns {HTMLElement[]}
   */
  tracking(settings, choices) {
    const aboutSize = "Short side in pixels. Smaller is faster, larger shows the network more detail. Empty: the size that suits the weights.";
    return [
      el("h3", { text: "Tracking" }),
      el("p", { class: "hint", text: "Changes apply from the next tracking run." }),
      row("Weights", this.select("weights", settings.weights, choices.weights)),
      row("Working size", this.size(settings.size), aboutSize),
      row("Precision", this.select("precision", settings.precision, choices.precisions)),
      row("Device", this.select("device", settings.device, choices.devices)),
    ];
  }

  /**
   * @param {"weights" | "precision" | "device"} name
   * @param {string} value
   * @param {string[]} choices
   * @returns {HTMLSelectElement}
   */
  select(name, value, choices) {
    const select = el("select", {
      "data-testid": `setting-${name}`, onchange: () => void this.change({ [name]: select.value }, select, value),
    }, choices.map((choice) => el("option", { value: choice, text: choice, selected: choice === value })));
    return select;
  }

  /**
   * @param {number | null} value
   * @returns {HTMLInputElement}
   */
  size(value) {
    const input = el("input", {
      type: "number", min: 16, max: 4096, step: 16, placeholder: "automatic", value: value ?? "", "data-testid": "setting-size",
      onchange: () => void this.change({ size: input.value ? Number(input.value) : null }, input, String(value ?? "")),
    });
    return input;
  }

  /** @returns {HTMLElement} */
  theme() {
    const choice = segments("Theme", [["system", "System"], ["dark", "Dark"], ["light", "Light"]],
      this.options.get("theme"), (value) => this.options.set("theme", value));
    return el("div", { class: "row" }, [el("span", { class: "row-label", text: "Theme" }), choice]);
  }

  /**
   * @param {Record<string, unknown>} change
   * @param {HTMLSelectElement | HTMLInputElement} control
   * @param {string} before put back into the control if the server refuses the change
   */
  async change(change, control, before) {
    const { studio } = this;
    const settings = await studio.attempt(() => studio.server.send("PUT", "/api/settings", change));
    if (settings && studio.state) studio.state.settings = settings;
    else control.value = before;
  }
}
