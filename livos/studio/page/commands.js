/** What each action of keys.js does. */
import { doubtfulStretches, markedFrames, nextOf } from "./timeline/marks.js";

/** @typedef {import("./studio.js").Studio} Studio */

/**
 * @typedef {object} Parts
 * @property {Studio} studio
 * @property {import("./edits.js").Edits} edits
 * @property {import("./tracking.js").Tracking} tracking
 * @property {import("./player.js").Player} player
 * @property {import("./stage/stage.js").Stage} stage
 * @property {import("./tools/options.js").Options} options
 * @property {import("./panels/objects.js").ObjectsPanel} objects
 * @property {{ show: () => void }} importing
 * @property {{ show: () => void }} exporting
 * @property {{ show: () => void }} settings
 * @property {{ show: () => void }} help
 */

/** @typedef {Record<string, () => unknown>} Commands */

/**
 * @param {Parts} parts
 * @returns {Commands} a function for each action
 */
export function commandsOf(parts) {
  return {
    ...toolCommands(parts),
    ...maskCommands(parts),
    ...objectCommands(parts),
    ...viewCommands(parts),
    ...timeCommands(parts),
    ...projectCommands(parts),
  };
}

/**
 * @param {Parts} parts
 * @returns {Commands}
 */
function toolCommands({ options, stage }) {
  const take = (/** @type {string} */ tool) => () => options.set("tool", tool);
  const resize = (/** @type {number} */ factor) => () => {
    const size = options.get("size");
    const next = Math.round(size * factor);
    options.set("size", Math.min(400, Math.max(1, next === size ? size + Math.sign(factor - 1) : next)));
    stage.redrawLines();
  };
  return {
    "tool.brush": take("brush"), "tool.eraser": take("eraser"), "tool.polygon": take("polygon"),
    "tool.magnetic": take("magnetic"), "tool.box": take("box"), "tool.scribble": take("scribble"),
    "tool.clicks": take("clicks"),
    "tool.fill": take("fill"), "tool.hand": take("hand"), "size.less": resize(1 / 1.2), "size.more": resize(1.2),
  };
}

/**
 * @param {Parts} parts
 * @returns {Commands}
 */
function maskCommands({ studio, edits, tracking, options, stage }) {
  const suggest = (/** @type {Record<string, unknown>} */ request, /** @type {string} */ title) => {
    if (studio.selected === null) return studio.say("Paint something first.", "warning");
    return edits.suggest(request, title);
  };
  return {
    "mask.snap": () => suggest({ tool: "snap", radius: options.get("radius") }, "mask snapped to edges"),
    "mask.holes": () => suggest({ tool: "holes" }, "holes filled"),
    "mask.specks": () => suggest({ tool: "specks" }, "specks removed"),
    "mask.smooth": () => suggest({ tool: "smooth", radius: options.get("smoothing") }, "outline smoothed"),
    "mask.delete": () => withoutObject(studio, edits),
    "mask.give": () => (stage.tool?.begun ? stage.tool.close() : giveMask(studio, edits)),
    "mask.drop": () => dropGiven(studio, edits),
    cancel: () => {
      if (stage.tool?.begun || edits.current) stage.tool?.leave();
      else if (studio.state?.job) return tracking.stop();
    },
    undo: () => (stage.tool?.begun && stage.tool.takesBack ? stage.tool.back() : edits.step("undo")),
    redo: () => edits.step("redo"),
  };
}

/**
 * Marks the selected object as absent from the current frame.
 * @param {Studio} studio
 * @param {import("./edits.js").Edits} edits
 */
async function withoutObject(studio, edits) {
  if (studio.selected === null) return;
  const edit = await edits.begin();
  if (!edit) return;
  const rule = edits.erase(edit.id);
  const { labels } = edit.map;
  for (let at = 0; at < labels.length; at++) labels[at] = rule[labels[at]];
  edits.touched(edit, edit.map.bounds);
  edits.finish(edit, "object marked absent", true);
}

/**
 * Makes the selected object's mask a given one, without changing it.
 * @param {Studio} studio
 * @param {import("./edits.js").Edits} edits
 */
async function giveMask(studio, edits) {
  if (studio.selected === null) return;
  const edit = await edits.begin();
  if (!edit) return;
  edits.erasesOthers = false;
  edits.finish(edit, "mask accepted", true);
  studio.say(`The mask of ${studio.object?.name} on frame ${edit.frame} is now a given mask.`);
}

/**
 * @param {Studio} studio
 * @param {import("./edits.js").Edits} edits
 */
async function dropGiven(studio, edits) {
  if (studio.whyNot) return studio.say(studio.whyNot, "warning");
  if (!studio.shown?.mask.given.length) return studio.say("This frame has no given mask.", "warning");
  await edits.settled();
  await studio.attempt(() => studio.server.post(`/api/masks/${studio.frame}/ungive`, { ids: null }));
}

/**
 * @param {Parts} parts
 * @returns {Commands}
 */
function objectCommands({ studio, edits, objects }) {
  /** @type {Commands} */
  const commands = {
    "object.add": () => edits.addObject(),
    "object.rename": () => studio.selected !== null && objects.rename(studio.selected),
    "object.hide": () => studio.object && edits.changeObject(studio.object.id, { hidden: !studio.object.hidden }),
    "object.lock": () => studio.object && edits.changeObject(studio.object.id, { locked: !studio.object.locked }),
  };
  for (let place = 0; place < 9; place++) {
    commands[`object.${place + 1}`] = () => studio.objects[place] && studio.select(studio.objects[place].id);
  }
  return commands;
}

/**
 * @param {Parts} parts
 * @returns {Commands}
 */
function viewCommands({ stage, options }) {
  return {
    "zoom.in": () => stage.zoom(1),
    "zoom.out": () => stage.zoom(-1),
    "zoom.fit": () => stage.fit(),
    "zoom.pixels": () => stage.onePixel(),
    "view.overlay": () => options.set("view", "overlay"),
    "view.alone": () => options.set("view", "alone"),
    "view.compare": () => options.set("view", "compare"),
    "view.outline": () => options.set("outline", !options.get("outline")),
    "view.peek": () => {
      stage.peek = true;
      stage.redraw();
    },
  };
}

/**
 * @param {Parts} parts
 * @returns {Commands}
 */
function timeCommands({ studio, player }) {
  const go = (/** @type {number} */ frame) => {
    player.pause();
    studio.follows = false;
    return studio.go(frame);
  };
  const jump = (/** @type {() => number[]} */ frames, /** @type {1 | -1} */ way, /** @type {string} */ what) => () => {
    const found = frames();
    const frame = nextOf(found, studio.frame, way) ?? found.at(way > 0 ? 0 : -1) ?? studio.frame;
    if (frame === studio.frame) return studio.say(`No ${found.length ? "other " : ""}frame ${what}.`);
    const wraps = Math.sign(frame - studio.frame) !== way;
    if (wraps) studio.say(`Starting again from the ${way > 0 ? "beginning" : "end"}.`);
    return go(frame);
  };
  const marks = () => markedFrames(studio.timeline);
  const doubts = () => {
    const hidden = new Set(studio.objects.filter((object) => object.hidden).map((object) => object.id));
    return doubtfulStretches(studio.timeline, studio.state?.doubtful_below ?? 0.5, studio.lastFrame + 1, hidden);
  };
  return {
    play: () => player.toggle(),
    "frame.previous": () => go(studio.frame - 1),
    "frame.next": () => go(studio.frame + 1),
    "frame.back10": () => go(studio.frame - 10),
    "frame.forward10": () => go(studio.frame + 10),
    "frame.first": () => go(studio.range.first === studio.frame ? 0 : studio.range.first),
    "frame.last": () => go(studio.range.last === studio.frame ? studio.lastFrame : studio.range.last),
    "mark.previous": jump(marks, -1, "has a given mask"),
    "mark.next": jump(marks, 1, "has a given mask"),
    "doubt.next": jump(doubts, 1, "is doubtful"),
    "doubt.previous": jump(doubts, -1, "is doubtful"),
    ...rangeCommands(studio),
  };
}

/**
 * @param {Studio} studio
 * @returns {Commands}
 */
function rangeCommands(studio) {
  const set = (/** @type {{ first: number, last: number }} */ range) => setRange(studio, range);
  return {
    "range.in": () => set({ first: studio.frame, last: Math.max(studio.frame, studio.range.last) }),
    "range.out": () => set({ first: Math.min(studio.frame, studio.range.first), last: studio.frame }),
    "range.clear": () => set({ first: 0, last: studio.lastFrame }),
  };
}

/**
 * @param {Studio} studio
 * @param {{ first: number, last: number }} range
 */
export async function setRange(studio, range) {
  const done = await studio.attempt(() => studio.server.send("PUT", "/api/range", range));
  if (!done || !studio.state) return;
  studio.state.range = range;
  studio.emit("state", studio.state);
}

/**
 * @param {Parts} parts
 * @returns {Commands}
 */
function projectCommands({ tracking, importing, exporting, settings, help }) {
  return {
    "track.forward": () => tracking.track("forward"),
    "track.backward": () => tracking.track("backward"),
    "track.both": () => tracking.track("both"),
    "track.refill": () => tracking.refill(),
    import: () => importing.show(),
    export: () => exporting.show(),
    settings: () => settings.show(),
    help: () => help.show(),
  };
}
