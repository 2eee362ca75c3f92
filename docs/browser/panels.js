/** The parts of the page around the stage, made from Studio's controls. */
import { button, el, fill, setPressed } from "studio/dom.js";
import { icon } from "studio/icons.js";
import { logo, themeButton } from "studio/panels/look.js";
import { sizeOfSlider, sliderOfSize } from "studio/panels/toolbox.js";
import { clock } from "studio/texts.js";
import { progressText } from "./tracking.js";

/** @typedef {import("./session.js").Session} Session */
/** @typedef {import("studio/tools/options.js").Options} Options */
/** @typedef {(action: string) => void} Act */

/** @type {[string, string][]} tool (its icon has the same name) and label */
const TOOLS = [["brush", "Brush: paint the object"], ["eraser", "Eraser"], ["hand", "Hand: move the picture"]];

/** @type {Record<string, string>} */
const HINTS = {
  brush: "Right button erases; Shift draws straight lines.",
  eraser: "Right button paints.",
  hand: "Drag to move, turn the wheel to zoom.",
};

/**
 * @param {HTMLElement} holder
 * @param {Session} session
 * @param {Options} options
 * @param {Act} act
 */
export function topBar(holder, session, options, act) {
  const name = el("span", { class: "project-name", "data-testid": "name" });
  const facts = el("span", { class: "project-facts" });
  const undo = button({ icon: "undo", label: "Undo", action: "undo", press: () => act("undo") });
  const redo = button({ icon: "redo", label: "Redo", action: "redo", press: () => act("redo") });
  const one = button({ icon: "importing", label: "Download the mask of this frame", text: "Save this mask", press: () => act("download.shown"), testid: "download-shown" });
  const all = button({ icon: "importing", label: "Download the masks of all frames as ZIP", text: "Save all masks", class: "primary", press: () => act("download.all"), testid: "download-all" });
  const other = button({ icon: "folder", label: "Choose another video, or pictures", text: "Open", press: () => act("choose"), testid: "choose-other" });
  const work = el("div", { class: "bar-group work" }, [undo, redo]);
  const files = el("div", { class: "bar-group" }, [other, one, all]);
  const project = el("div", { class: "project" }, [name, facts]);
  holder.append(logo("LiVOS"), project, work, el("span", { class: "spring" }), files, themeButton(options));
  const draw = () => {
    const { video } = session.state;
    work.hidden = files.hidden = !video;
    name.textContent = name.title = video?.name ?? "";
    const rate = Number(video?.frame_rate.toFixed(2));
    facts.textContent = video ? `${video.width} × ${video.height} · ${video.num_frames} frames · ${rate} fps` : "";
  };
  session.on("phase", draw);
  draw();
}

/**
 * @param {HTMLElement} holder
 * @param {HTMLElement} strip above the stage
 * @param {Options} options
 * @param {Act} act
 */
export function toolbox(holder, strip, options, act) {
  const buttons = TOOLS.map(([tool, label]) =>
    button({ icon: tool, label, action: `tool.${tool}`, press: () => act(`tool.${tool}`), tip: "right" })
  );
  const text = el("output", { class: "size-text" });
  const input = el("input", {
    type: "range", min: 0, max: 100, step: 1, "aria-label": "Size in pixels", "data-testid": "brush-size",
    oninput: () => options.set("size", sizeOfSlider(Number(input.value))),
  });
  const size = el("label", { class: "slider", "data-tip": "Size", "data-key": "[ ]" }, ["Size", input, text]);
  const hint = el("span", { class: "tool-hint" });
  holder.append(...buttons);
  strip.append(size, hint);
  const draw = () => {
    const tool = options.get("tool");
    TOOLS.forEach(([name], place) => setPressed(buttons[place], name === tool));
    size.hidden = tool === "hand";
    hint.textContent = HINTS[tool] ?? "";
    text.textContent = `${options.get("size")} px`;
    input.value = String(sliderOfSize(options.get("size")));
  };
  options.on("change", draw);
  draw();
}

/**
 * @param {HTMLElement} holder
 * @param {Session} session
 * @param {Act} act
 */
export function objectsPanel(holder, session, act) {
  const list = el("ul", { class: "objects" });
  const add = button({ icon: "plus", label: "New object", action: "object.add", press: () => act("object.add") });
  holder.append(el("div", { class: "panel-head" }, [el("h2", { text: "Objects" }), add]), list);
  const row = (/** @type {import("./session.js").TrackedObject} */ { id, name, color }) => {
    const swatch = el("span", { class: "swatch", "aria-hidden": true });
    swatch.style.background = color;
    const chosen = session.selected === id;
    const choose = el("button", { type: "button", class: "object-name", text: name, "aria-pressed": String(chosen), onclick: () => session.select(id) });
    const remove = button({ icon: "trash", label: `Delete ${name}`, class: "small", press: () => act(`delete.${id}`), tip: "left" });
    return el("li", { class: `object ${chosen ? "chosen" : ""}` }, [swatch, choose, remove]);
  };
  const draw = () => {
    const none = el("li", { class: "empty", text: "Draw over an object, and it appears here." });
    fill(list, session.objects.length ? session.objects.map(row) : [none]);
  };
  for (const event of ["state", "selection"]) session.on(event, draw);
  draw();
}

/**
 * @param {HTMLElement} holder
 * @param {Session} session
 * @param {import("./tracking.js").Tracking} tracking
 * @param {Act} act
 */
export function trackPanel(holder, session, tracking, act) {
  const body = el("div", { class: "track-body" });
  const track = button({ icon: "forward", label: "Track", text: "Track", class: "primary", action: "track.forward", press: () => act("track.forward"), tip: "left" });
  const stop = button({ icon: "stop", label: "Stop; computed masks are kept (Esc)", text: "Stop", class: "danger", testid: "stop", press: () => act("cancel"), tip: "left" });
  const sizes = el("select", { "aria-label": "Size at which the network works", "data-testid": "size", onchange: () => tracking.setShortSide(Number(sizes.value)) });
  const hint = el("p", { class: "hint", "data-testid": "track-hint" });
  const bar = el("progress", { max: 1, value: 0, "aria-label": "Progress" });
  const facts = el("p", { class: "facts", "data-testid": "job-facts" });
  const title = el("span", { class: "job-title" });
  holder.append(el("div", { class: "panel-head" }, [el("h2", { text: "Track" })]), body);
  const sizeChoice = el("label", { class: "size-choice" }, ["Working size", sizes]);
  const promise = el("p", { class: "hint", text: "Everything is computed on this computer; nothing is sent anywhere." });
  const draw = () => {
    const { job } = session;
    title.textContent = job?.sentence ?? "";
    facts.textContent = job ? progressText(job) : "";
    if (job?.total) bar.value = job.done / job.total;
    else bar.removeAttribute("value");
    const from = Math.min(...session.given.keys());
    hint.textContent = session.given.size ? `From the masks on frame ${from}` : "Draw an object on a frame, then track it.";
    const parts = job ? [title, bar, facts, stop] : [hint, track, sizeChoice, promise];
    if (!parts[0].isConnected) fill(body, parts);
  };
  const offer = () => {
    const [whole, ...less] = [1, 3 / 4, 1 / 2].map((share) => Math.round(tracking.suitable * share));
    fill(sizes, [
      el("option", { value: whole, text: `${whole} pixels, as trained` }),
      ...less.map((side) => el("option", { value: side, text: `${side} pixels, faster` })),
    ]);
    sizes.value = String(tracking.shortSide);
  };
  for (const event of ["phase", "masks", "job"]) session.on(event, draw);
  session.on("about", offer);
  offer();
  draw();
}

/**
 * @param {HTMLElement} holder
 * @param {Session} session
 * @param {Act} act
 */
export function timeBar(holder, session, act) {
  const press = (/** @type {string} */ name, /** @type {string} */ action, /** @type {string} */ label) =>
    button({ icon: name, label, action, press: () => act(action), tip: "above" });
  const play = press("play", "play", "Play");
  const slider = el("input", {
    type: "range", min: 0, step: 1, value: 0, "aria-label": "Frame", "data-testid": "frame-slider",
    oninput: () => void session.go(Number(slider.value)),
  });
  const marks = el("div", { class: "marks", "aria-hidden": true });
  const where = el("span", { class: "where", "data-testid": "where" });
  const steps = [press("first", "frame.first", "First frame"), press("previous", "frame.previous", "Previous frame"), play,
    press("next", "frame.next", "Next frame"), press("last", "frame.last", "Last frame")];
  holder.append(el("div", { class: "time-bar" }, [
    el("div", { class: "bar-group" }, steps), el("div", { class: "time-line" }, [marks, slider]), where,
  ]));
  const draw = () => {
    const { frame, lastFrame, state } = session;
    slider.max = String(lastFrame);
    slider.value = String(frame);
    where.textContent = `${frame} / ${lastFrame}   ${clock(frame / (state.video?.frame_rate ?? 1))}`;
  };
  const mark = () => {
    const last = Math.max(1, session.lastFrame);
    const stretch = (/** @type {string} */ kind) => (/** @type {[number, number]} */ [from, to]) => {
      const element = el("i", { class: kind });
      element.style.left = `${(100 * from) / last}%`;
      element.style.width = `${(100 * (to - from)) / last}%`;
      return element;
    };
    const given = [...session.given.keys()].map((frame) => /** @type {[number, number]} */ ([frame, frame]));
    fill(marks, [...stretches([...session.masks.keys()]).map(stretch("")), ...given.map(stretch("given"))]);
  };
  for (const event of ["phase", "frame"]) session.on(event, draw);
  for (const event of ["phase", "masks"]) session.on(event, mark);
  session.on("playing", (playing) => {
    play.replaceChildren(icon(playing ? "pause" : "play"));
    setPressed(play, playing);
  });
}

/**
 * Groups frames into stretches without gaps.
 * @param {number[]} frames
 * @returns {[number, number][]} the first and the last frame of each
 */
function stretches(frames) {
  /** @type {[number, number][]} */
  const found = [];
  for (const frame of [...frames].sort((one, other) => one - other)) {
    const last = found.at(-1);
    if (last && last[1] === frame - 1) last[1] = frame;
    else found.push([frame, frame]);
  }
  return found;
}

/**
 * The screen before frames are chosen.
 * @param {HTMLElement} holder
 * @param {Session} session
 * @param {Act} act
 */
export function startScreen(holder, session, act) {
  holder.append(el("div", { class: "start-card narrow", "data-testid": "start" }, [
    icon("film"),
    el("h2", { text: "Choose a video, draw an object, track it" }),
    el("p", { class: "hint", text: "Drop a video here, or its frames as pictures. The network runs in this browser; nothing is sent anywhere." }),
    button({ icon: "folder", label: "Choose a video or pictures", text: "Choose a video or pictures", class: "primary", press: () => act("choose"), testid: "choose" }),
  ]));
  session.on("phase", () => {
    holder.hidden = session.state.phase === "ready";
    document.body.classList.toggle("starting", !holder.hidden);
  });
}
