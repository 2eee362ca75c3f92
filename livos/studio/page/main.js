/** Puts the page together. */
import { commandsOf, setRange } from "./commands.js";
import { Connection } from "./connection.js";
import { need } from "./dom.js";
import { Edits } from "./edits.js";
import { actionOf } from "./keys.js";
import { Banner } from "./panels/banner.js";
import { ExportDialog } from "./panels/export.js";
import { HelpDialog } from "./panels/help.js";
import { ImportDialog } from "./panels/import.js";
import { Notes } from "./panels/notes.js";
import { ObjectsPanel } from "./panels/objects.js";
import { SettingsDialog } from "./panels/settings.js";
import { StartScreen } from "./panels/start.js";
import { showTips } from "./panels/tips.js";
import { Toolbox } from "./panels/toolbox.js";
import { TopBar } from "./panels/top_bar.js";
import { TrackPanel } from "./panels/track.js";
import { Transport } from "./panels/transport.js";
import { Player } from "./player.js";
import { Server } from "./server.js";
import { Stage } from "./stage/stage.js";
import { Studio } from "./studio.js";
import { Timeline } from "./timeline/timeline.js";
import { Brush } from "./tools/brush.js";
import { Clicks } from "./tools/clicks.js";
import { Box, Scribble } from "./tools/grab_cut.js";
import { Options } from "./tools/options.js";
import { Polygon } from "./tools/polygon.js";
import { Fill, Hand } from "./tools/region.js";
import { Tracking } from "./tracking.js";

const token = new URLSearchParams(location.search).get("token") ?? "";
const scheme = location.protocol === "https:" ? "wss" : "ws";
const server = new Server(token);
const events = `${scheme}://${location.host}/api/events?token=${encodeURIComponent(token)}`;
const connection = new Connection(events, () => server.refuses());
const studio = new Studio(server, connection);
const options = new Options(kept());
const edits = new Edits(studio);
const tracking = new Tracking(studio, edits);
const player = new Player(studio);
const stage = new Stage(need("stage"), studio, options);
const objects = new ObjectsPanel(need("objects"), studio, edits);
const commands = commandsOf({
  studio, edits, tracking, player, stage, options, objects,
  importing: new ImportDialog(studio, edits),
  exporting: new ExportDialog(studio),
  settings: new SettingsDialog(studio, options),
  help: new HelpDialog(),
});

/** @param {string} action */
function act(action) {
  Promise.resolve()
    .then(() => commands[action]?.())
    .catch((error) => studio.fail(error));
}

/** @returns {Storage | null} null if the browser keeps nothing */
function kept() {
  try {
    return localStorage;
  } catch {
    return null;
  }
}

function takeTools() {
  const bench = { studio, edits, options, redraw: () => stage.redrawLines(), view: () => stage.view };
  /** @type {Record<string, import("./tools/tool.js").Tool<any>>} */
  const tools = {
    brush: new Brush(bench, false), eraser: new Brush(bench, true), polygon: new Polygon(bench, false),
    magnetic: new Polygon(bench, true), box: new Box(bench), scribble: new Scribble(bench), fill: new Fill(bench),
    clicks: new Clicks(bench), hand: new Hand(bench),
  };
  const take = () => stage.take(tools[options.get("tool")] ?? tools.brush);
  options.on("change", (name) => name === "tool" && take());
  take();
}

/**
 * Runs the action of a key in keys.js, except in fields and on buttons, where keys keep their usual meaning.
 * @param {KeyboardEvent} event
 */
function keyDown(event) {
  const target = /** @type {HTMLElement} */ (event.target);
  const writes = target.matches("input:not([type=checkbox]):not([type=range]), select, textarea");
  const presses = target.matches("button, a, input, summary") && (event.key === " " || event.key === "Enter");
  const slides = target.matches("input[type=range]") && /^(Arrow|Page|Home|End)/.test(event.key);
  if (writes || presses || slides || document.querySelector("dialog[open]") || studio.state?.phase !== "ready") return;
  const action = actionOf(event);
  if (!action) return;
  event.preventDefault();
  if (event.key === " ") stage.pointers.spaceHeld = true;
  else if (!event.repeat || /^(frame|size|zoom|undo|redo)/.test(action)) act(action);
}

/**
 * Space starts or pauses playing when it is released, unless it was held to move the picture.
 * @param {KeyboardEvent} event
 */
function keyUp(event) {
  if (event.key.toLowerCase() === "z" && stage.peek) {
    stage.peek = false;
    stage.redraw();
  }
  if (event.key !== " " || !stage.pointers.spaceHeld) return;
  stage.pointers.spaceHeld = false;
  if (stage.pointers.spaceUsed) stage.pointers.spaceUsed = false;
  else act("play");
}

/** Tells the style sheet how high the timeline is, and whether the user moves through the page with Tab. */
function tellStyles() {
  const { classList, style } = document.body;
  new ResizeObserver(([{ target }]) => {
    style.setProperty("--bottom-height", `${/** @type {HTMLElement} */ (target).offsetHeight}px`);
  }).observe(need("bottom"));
  document.addEventListener("keydown", (event) => event.key === "Tab" && classList.add("by-tab"), true);
  document.addEventListener("pointerdown", () => classList.remove("by-tab"), true);
}

takeTools();
tellStyles();
new TopBar(need("top"), studio, options, act);
new Toolbox(need("tools"), need("strip"), studio, options, act);
new TrackPanel(need("track"), studio, tracking);
new Transport(need("transport"), studio, act, stage);
new Timeline(need("timeline"), studio, { setRange: (range) => void setRange(studio, range) });
new StartScreen(need("start"), studio);
new Notes(need("notes"), studio);
new Banner(need("banner"), studio);
showTips();
document.addEventListener("keydown", keyDown);
document.addEventListener("keyup", keyUp);
