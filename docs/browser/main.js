/** Puts the page together: Studio's stage and brushes around a tracker that runs in the browser. */
import { el, need } from "studio/dom.js";
import { actionOf } from "studio/keys.js";
import { Notes } from "studio/panels/notes.js";
import { showTips } from "studio/panels/tips.js";
import { Stage } from "studio/stage/stage.js";
import { Brush } from "studio/tools/brush.js";
import { Options } from "studio/tools/options.js";
import { Hand } from "studio/tools/region.js";
import { downloadAll, downloadShown } from "./downloads.js";
import { Drawing } from "./drawing.js";
import { openFiles } from "./footage.js";
import { objectsPanel, startScreen, timeBar, toolbox, topBar, trackPanel } from "./panels.js";
import { Player } from "./player.js";
import { Session } from "./session.js";
import { Tracking } from "./tracking.js";

const session = new Session();
const options = new Options(null);
const drawing = new Drawing(session);
const tracking = new Tracking(session);
const player = new Player(session);
const stage = new Stage(need("stage"), session, options);
const bench = { edits: drawing, options, redraw: () => stage.redrawLines(), view: () => stage.view };
/** @type {Record<string, import("studio/tools/tool.js").Tool<any>>} */
const tools = { brush: new Brush(bench, false), eraser: new Brush(bench, true), hand: new Hand(bench) };
const chooser = el("input", {
  type: "file", accept: "video/*,image/*", multiple: true, class: "visually-hidden", tabindex: -1, "data-testid": "files",
  onchange: () => void open([...(chooser.files ?? [])]),
});

/** @type {Record<string, () => unknown>} */
const COMMANDS = {
  choose: () => chooser.click(),
  undo: () => drawing.step("undo"),
  redo: () => drawing.step("redo"),
  cancel: () => (session.job ? tracking.stop() : stage.tool?.leave()),
  play: () => player.toggle(),
  "download.all": () => downloadAll(session),
  "download.shown": () => downloadShown(session),
  "track.forward": () => tracking.track(),
  "object.add": () => session.addObject(),
  "frame.first": () => session.go(0),
  "frame.last": () => session.go(session.lastFrame),
  "frame.previous": () => session.go(session.frame - 1),
  "frame.next": () => session.go(session.frame + 1),
  "frame.back10": () => session.go(session.frame - 10),
  "frame.forward10": () => session.go(session.frame + 10),
  "size.less": () => options.set("size", Math.max(1, Math.round(options.get("size") / 1.25))),
  "size.more": () => options.set("size", Math.min(400, Math.ceil(options.get("size") * 1.25))),
  "zoom.in": () => stage.zoom(1),
  "zoom.out": () => stage.zoom(-1),
  "zoom.fit": () => stage.fit(),
  "zoom.pixels": () => stage.onePixel(),
  "view.outline": () => options.set("outline", !options.get("outline")),
};

/**
 * @param {string} action
 * @returns {boolean} whether this page has the action; Studio's keys include others
 */
function isKnown(action) {
  const [word, rest] = action.split(".");
  return action in COMMANDS || (word === "tool" && rest in tools) || (word === "object" && /^\d/.test(rest));
}

/** @param {string} action */
function act(action) {
  const [word, rest] = action.split(".");
  Promise.resolve()
    .then(() => {
      if (word === "tool") return rest in tools && options.set("tool", rest);
      if (word === "delete") return remove(Number(rest));
      if (word === "object" && /^\d/.test(rest)) return choose(Number(rest) - 1);
      return COMMANDS[action]?.();
    })
    .catch((error) => session.fail(error));
}

/** @param {number} id */
function remove(id) {
  if (session.whyNot) return session.say(session.whyNot, "warning");
  drawing.forget();
  session.removeObject(id);
}

/** @param {number} place in the list */
function choose(place) {
  const object = session.objects[place];
  if (object) session.select(object.id);
}

/** @param {File[]} files */
async function open(files) {
  chooser.value = "";
  if (!files.length) return;
  try {
    session.open(await openFiles(files));
  } catch (error) {
    session.fail(error);
  }
}

function takeTools() {
  options.on("change", (name) => name === "tool" && stage.take(tools[options.get("tool")]));
  stage.take(tools.brush);
}

/** @param {KeyboardEvent} event */
function keyDown(event) {
  const target = /** @type {HTMLElement} */ (event.target);
  const writes = target.matches("select") || (target.matches("input[type=range]") && /^(Arrow|Page|Home|End)/.test(event.key));
  const presses = target.matches("button, a, input") && (event.key === " " || event.key === "Enter");
  const action = actionOf(event);
  if (writes || presses || !action || !isKnown(action) || session.state.phase !== "ready") return;
  event.preventDefault();
  act(action);
}

function listenForDrops() {
  document.addEventListener("dragover", (event) => event.preventDefault());
  document.addEventListener("drop", (event) => {
    event.preventDefault();
    void open([...(event.dataTransfer?.files ?? [])]);
  });
}

takeTools();
listenForDrops();
topBar(need("top"), session, options, act);
toolbox(need("tools"), need("strip"), options, act);
objectsPanel(need("objects"), session, act);
trackPanel(need("track"), session, tracking, act);
timeBar(need("bottom"), session, act);
startScreen(need("start"), session, act);
new Notes(need("notes"), session);
showTips();
document.body.append(chooser);
document.addEventListener("keydown", keyDown);
tracking.readAbout().then(() => session.emit("about")).catch((error) => session.fail(error));
