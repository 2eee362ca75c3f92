/**
 * All keys in one list. The page's key handling, its tool tips, and the overview that `?` shows all come from it.
 */

/**
 * @typedef {object} Key
 * @property {string} action the name of what it does, as in commands.js
 * @property {string[]} keys as `combination` writes them; the first is shown in tool tips
 * @property {string} text what it does
 * @property {string} group its heading in the overview
 */

/** @type {readonly Key[]} */
export const KEYS = [
  entry("Tools", "tool.brush", ["B"], "Brush"),
  entry("Tools", "tool.eraser", ["E"], "Eraser"),
  entry("Tools", "tool.polygon", ["P"], "Polygon"),
  entry("Tools", "tool.magnetic", ["M"], "Magnetic polygon: follows edges"),
  entry("Tools", "tool.box", ["R"], "Box: drag around an object to find its edges"),
  entry("Tools", "tool.scribble", ["S"], "Scribble inside and outside to find the edges"),
  entry("Tools", "tool.clicks", ["Shift+C"], "Click or box an object to find all of it"),
  entry("Tools", "tool.fill", ["G"], "Fill a region"),
  entry("Tools", "tool.hand", ["H"], "Hand: move the picture"),
  entry("Tools", "size.less", ["["], "Smaller brush"),
  entry("Tools", "size.more", ["]"], "Larger brush"),
  entry("Mask", "mask.snap", ["Q"], "Snap the mask to edges"),
  entry("Mask", "mask.holes", ["J"], "Fill holes"),
  entry("Mask", "mask.specks", ["W"], "Remove specks"),
  entry("Mask", "mask.smooth", ["K"], "Smooth the outline"),
  entry("Mask", "mask.delete", ["Delete", "Backspace"], "Mark the object as absent from this frame"),
  entry("Mask", "mask.give", ["Enter"], "Accept the mask as given, or close a polygon"),
  entry("Mask", "mask.drop", ["Shift+Enter"], "Remove the given mask from this frame"),
  entry("Mask", "cancel", ["Escape"], "Cancel what was started; stop tracking"),
  entry("Mask", "undo", ["Mod+Z"], "Undo, even a whole tracking run"),
  entry("Mask", "redo", ["Mod+Shift+Z", "Mod+Y"], "Redo"),
  entry("Objects", "object.add", ["N"], "New object"),
  ...Array.from({ length: 9 }, (_, place) =>
    entry("Objects", `object.${place + 1}`, [`${place + 1}`], `Object ${place + 1} in the list`)
  ),
  entry("Objects", "object.rename", ["F2"], "Rename the object"),
  entry("Objects", "object.hide", ["X"], "Hide or show the object"),
  entry("Objects", "object.lock", ["L"], "Lock or unlock the object"),
  entry("View", "zoom.in", ["+", "="], "Zoom in"),
  entry("View", "zoom.out", ["-"], "Zoom out"),
  entry("View", "zoom.fit", ["0"], "Whole frame"),
  entry("View", "zoom.pixels", ["Shift+0"], "One to one"),
  entry("View", "view.overlay", ["V"], "Objects over the frame"),
  entry("View", "view.alone", ["A"], "Object alone"),
  entry("View", "view.compare", ["C"], "Before and after"),
  entry("View", "view.outline", ["O"], "Outlines on or off"),
  entry("View", "view.peek", ["Z"], "Hide the masks while held"),
  entry("Time", "play", ["Space"], "Play or pause"),
  entry("Time", "frame.previous", ["ArrowLeft", ","], "Previous frame"),
  entry("Time", "frame.next", ["ArrowRight", "."], "Next frame"),
  entry("Time", "frame.back10", ["Shift+ArrowLeft"], "Ten frames back"),
  entry("Time", "frame.forward10", ["Shift+ArrowRight"], "Ten frames forward"),
  entry("Time", "frame.first", ["Home"], "First frame"),
  entry("Time", "frame.last", ["End"], "Last frame"),
  entry("Time", "mark.previous", ["PageUp"], "Previous given mask"),
  entry("Time", "mark.next", ["PageDown"], "Next given mask"),
  entry("Time", "doubt.next", ["D"], "Next doubtful frame"),
  entry("Time", "doubt.previous", ["Shift+D"], "Previous doubtful frame"),
  entry("Time", "range.in", ["I"], "Start the range here"),
  entry("Time", "range.out", ["U"], "End the range here"),
  entry("Time", "range.clear", ["Shift+I"], "Clear the range"),
  entry("Track", "track.forward", ["T"], "Track forwards from here"),
  entry("Track", "track.backward", ["Shift+T"], "Track backwards from here"),
  entry("Track", "track.both", ["Y"], "Track both ways"),
  entry("Track", "track.refill", ["F"], "Refill between the given masks on both sides"),
  entry("Project", "import", ["Mod+I"], "Import masks"),
  entry("Project", "export", ["Mod+E"], "Export"),
  entry("Project", "settings", ["Mod+,"], "Settings"),
  entry("Project", "help", ["?"], "All keys"),
];

/** @type {ReadonlyMap<string, Key>} */
const BY_COMBINATION = new Map(KEYS.flatMap((key) => key.keys.map((combination) => [combination, key])));

/** @type {ReadonlyMap<string, Key>} */
const BY_ACTION = new Map(KEYS.map((key) => [key.action, key]));

/**
 * @param {string} group
 * @param {string} action
 * @param {string[]} keys
 * @param {string} text
 * @returns {Key}
 */
function entry(group, action, keys, text) {
  return { group, action, keys, text };
}

/**
 * How a pressed key is written in the list.
 * @param {{ key: string, ctrlKey: boolean, metaKey: boolean, shiftKey: boolean, altKey: boolean }} event
 * @returns {string} such as `Mod+Shift+Z`; `Mod` is Ctrl, or Command on a Mac
 */
export function combination(event) {
  const letter = event.key === " " ? "Space" : event.key;
  const name = letter.length === 1 ? letter.toUpperCase() : letter;
  const symbol = name.length === 1 && name.toLowerCase() === name;
  const shift = event.shiftKey && !(symbol && !/[0-9]/.test(name));
  return (event.ctrlKey || event.metaKey ? "Mod+" : "") + (event.altKey ? "Alt+" : "") + (shift ? "Shift+" : "") + name;
}

/**
 * What a pressed key means.
 * @param {Parameters<typeof combination>[0] & { code?: string }} event
 * @returns {string | null} the action; null if there is none
 */
export function actionOf(event) {
  const digit = /^Digit([0-9])$/.exec(event.code ?? "");
  const known = digit ? { ...pick(event), key: digit[1] } : event; // digits are on other keys of some keyboards
  return (BY_COMBINATION.get(combination(event)) ?? BY_COMBINATION.get(combination(known)))?.action ?? null;
}

/**
 * @param {Parameters<typeof combination>[0]} event
 */
function pick({ key, ctrlKey, metaKey, shiftKey, altKey }) {
  return { key, ctrlKey, metaKey, shiftKey, altKey };
}

/**
 * The key of an action, as shown to the user.
 * @param {string} action
 * @returns {string} such as `Ctrl+Z` or `B`; empty if there is none
 */
export function keyOf(action) {
  const key = BY_ACTION.get(action);
  return key ? shown(key.keys[0]) : "";
}

/**
 * A combination as it is written on this machine.
 * @param {string} text
 * @returns {string}
 */
export function shown(text) {
  const mac = typeof navigator !== "undefined" && /mac/i.test(navigator.platform ?? "");
  /** @type {Record<string, string>} */
  const words = {
    Mod: mac ? "⌘" : "Ctrl", ArrowLeft: "←", ArrowRight: "→", PageUp: "Page up", PageDown: "Page down",
    Escape: "Esc", Delete: "Del", Backspace: "Backspace",
  };
  const parts = text === "+" ? ["+"] : text.split("+");
  return parts.map((part) => words[part] ?? part).join(mac ? "" : "+");
}
