import assert from "node:assert/strict";
import { readFileSync, readdirSync } from "node:fs";
import { test } from "node:test";
import { Cache } from "../../../livos/studio/page/cache.js";
import { defaultColour, lettersOn, mix, parseColour, toHex, wordsOf } from "../../../livos/studio/page/colours.js";
import { commandsOf } from "../../../livos/studio/page/commands.js";
import { takeOver } from "../../../livos/studio/page/edits.js";
import { offeredWidth } from "../../../livos/studio/page/frames.js";
import { iconNames } from "../../../livos/studio/page/icons.js";
import { KEYS, actionOf, combination } from "../../../livos/studio/page/keys.js";
import { LabelMap } from "../../../livos/studio/page/masks/label_map.js";
import { paintRule } from "../../../livos/studio/page/masks/painting.js";
import { GROUPS } from "../../../livos/studio/page/panels/help.js";
import { canHoldMasks, importName } from "../../../livos/studio/page/panels/import.js";
import { sizeOfSlider, sliderOfSize } from "../../../livos/studio/page/panels/toolbox.js";
import { Queue } from "../../../livos/studio/page/queue.js";
import { Studio } from "../../../livos/studio/page/studio.js";
import { clock, count, duration, fileSize } from "../../../livos/studio/page/texts.js";
import { Options } from "../../../livos/studio/page/tools/options.js";
import { Tracking } from "../../../livos/studio/page/tracking.js";

const PAGE = new URL("../../../livos/studio/page/", import.meta.url);
const press = (key, more = {}) => ({ key, ctrlKey: false, metaKey: false, shiftKey: false, altKey: false, ...more });

test("no key has two meanings", () => {
  const all = KEYS.flatMap((key) => key.keys);
  assert.equal(new Set(all).size, all.length);
});

test("the overlay of all keys has a place for every key", () => {
  assert.deepEqual(KEYS.filter((key) => !GROUPS.includes(key.group)), []);
});

test("every key does something, and every tool and command has a key", () => {
  const commands = commandsOf(new Proxy({}, { get: () => ({ get() {}, set() {} }) }));
  assert.deepEqual(KEYS.map((key) => key.action).filter((action) => !(action in commands)), []);
  const known = new Set(KEYS.map((key) => key.action));
  assert.deepEqual(Object.keys(commands).filter((action) => !known.has(action)), []);
});

test("keys are found as keyboards send them", () => {
  assert.equal(actionOf(press("b")), "tool.brush");
  assert.equal(actionOf(press("Z", { ctrlKey: true, shiftKey: true })), "redo");
  assert.equal(actionOf(press("z", { metaKey: true })), "undo");
  assert.equal(actionOf(press("?", { shiftKey: true })), "help");
  assert.equal(actionOf(press("+", { shiftKey: true })), "zoom.in");
  assert.equal(actionOf(press(" ")), "play");
  assert.equal(actionOf(press(")", { shiftKey: true, code: "Digit0" })), "zoom.pixels");
  assert.equal(actionOf(press("é", { code: "Digit2" })), "object.2");
  assert.equal(actionOf(press("b", { ctrlKey: true })), null);
  assert.equal(combination(press("ArrowLeft", { shiftKey: true })), "Shift+ArrowLeft");
});

test("work is done in order, also after work that fails", async () => {
  const queue = new Queue();
  const done = [];
  const slow = queue.add(async () => {
    await new Promise((resolve) => setTimeout(resolve, 5));
    done.push(1);
  });
  const failing = queue.add(async () => {
    done.push(2);
    throw new Error("no");
  });
  const last = queue.add(async () => done.push(3));
  assert.equal(queue.idle, false);
  await assert.rejects(failing, /no/);
  await Promise.all([slow, last, queue.settled()]);
  assert.deepEqual(done, [1, 2, 3]);
  assert.equal(queue.idle, true);
});

test("a cache keeps within its room and forgets what was not used for longest", () => {
  const dropped = [];
  const cache = new Cache(10, (text) => text.length, (text) => dropped.push(text));
  for (const text of ["aaaa", "bbbb"]) cache.set(text[0], text);
  cache.get("a");
  cache.set("c", "cccc");
  assert.deepEqual(dropped, ["bbbb"]);
  assert.equal(cache.get("a"), "aaaa");
  assert.equal(cache.used, 8);
  cache.set("d", "d".repeat(50));
  assert.equal(cache.get("d")?.length, 50);
  assert.equal(cache.used, 50);
});

test("a proposed mask takes over background and unlocked objects only", () => {
  const map = new LabelMap(4, 1, Uint8Array.of(1, 0, 2, 3));
  takeOver(map, Uint8Array.of(0, 1, 1, 1), 1, paintRule(1, [3]));
  assert.deepEqual([...map.labels], [0, 1, 1, 3]);
});

/** A studio with a video of 100 frames whose frame 0 is shown; it asks `frames` for pictures. */
function studioOf(frames) {
  const studio = new Studio({}, { on() {} });
  const mask = { map: { content: {} }, given: [] };
  studio.state = { phase: "ready", video: { num_frames: 100 }, range: { first: 10, last: 20 }, objects: [], job: null };
  studio.frames = { keptPicture: () => "kept", mask: async () => mask, picture: async () => "exact", ...frames };
  studio.shown = { frame: 0, picture: "exact", mask };
  studio.setLine(true, true);
  return studio;
}

test("a frame is shown also where nothing can be shown in place of it", async (context) => {
  const warned = context.mock.method(console, "warn", () => {});
  const asked = [];
  const studio = studioOf({
    keptPicture: () => undefined,
    quickPicture: async (frame) => {
      asked.push(frame);
      throw new Error("no");
    },
  });
  const notes = [];
  studio.on("note", (note) => notes.push(note));
  await studio.go(50);
  assert.deepEqual([studio.shown.frame, studio.shown.picture, studio.jumps.preview], [50, "exact", null]);
  await studio.go(90);
  assert.equal(studio.shown.frame, 90);
  assert.deepEqual(asked, [50, 90]);
  assert.deepEqual(notes, []);
  assert.equal(warned.mock.callCount(), 2);
});

test("tracking within a range starts inside and stays inside", async () => {
  const studio = studioOf({});
  const [posted, notes] = [[], []];
  studio.server.post = async (path, { frame, first, last }) => posted.push([path, frame, first, last]);
  studio.on("note", (note) => notes.push(note.sentence));
  const tracking = new Tracking(studio, { settled: async () => {} });
  for (const frame of [0, 9, 21]) {
    await studio.go(frame);
    await tracking.track("both");
    assert.match(notes.pop(), new RegExp(`^Frame ${frame} is outside the range 10 – 20`));
  }
  assert.deepEqual(posted, []);
  for (const [frame, direction, end] of [[10, "backward", "first"], [20, "forward", "last"]]) {
    await studio.go(frame);
    await tracking.track(direction);
    const sentence = `Frame ${frame} is the ${end} one of the range 10 – 20: there is nothing to track ${direction}s.`;
    assert.equal(notes.pop(), sentence);
  }
  assert.deepEqual(posted, []);
  for (const frame of [10, 20]) {
    await studio.go(frame);
    await tracking.track("both");
  }
  tracking.keepToRange(false);
  await studio.go(9);
  await tracking.track("both");
  assert.deepEqual(posted, [["/api/track", 10, 10, 20], ["/api/track", 20, 10, 20], ["/api/track", 9, 0, 99]]);
  assert.deepEqual(notes, []);
});

/** How colours look to somebody who lacks a kind of cone (Viénot, Brettel and Mollon, 1999), in linear light. */
const BLINDNESS = {
  none: [[1, 0, 0], [0, 1, 0], [0, 0, 1]],
  protan: [[0.11238, 0.88762, 0], [0.11238, 0.88762, 0], [0.00401, -0.00401, 1]],
  deutan: [[0.29275, 0.70725, 0], [0.29275, 0.70725, 0], [-0.02234, 0.02234, 1]],
};

/** L*, a*, b* of a colour as it is seen. */
function seen(colour, kind) {
  const linear = parseColour(colour).map((part) => {
    const share = part / 255;
    return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
  });
  const [r, g, b] = BLINDNESS[kind].map((row) => row.reduce((sum, weight, place) => sum + weight * linear[place], 0));
  const xyz = [(0.4124 * r + 0.3576 * g + 0.1805 * b) / 0.9505, 0.2126 * r + 0.7152 * g + 0.0722 * b, (0.0193 * r + 0.1192 * g + 0.9505 * b) / 1.089];
  const [x, y, z] = xyz.map((value) => (value > 0.008856 ? Math.cbrt(value) : 7.787 * value + 16 / 116));
  return [116 * y - 16, 500 * (x - y), 200 * (y - z)];
}

test("colour-blind people tell the first eight objects apart", () => {
  for (const kind of Object.keys(BLINDNESS)) {
    for (let one = 1; one <= 8; one++) {
      for (let other = one + 1; other <= 8; other++) {
        const [from, to] = [seen(defaultColour(one), kind), seen(defaultColour(other), kind)];
        const distance = Math.hypot(...from.map((value, place) => value - to[place]));
        assert.ok(distance > 10, `${kind}: objects ${one} and ${other} are ${distance.toFixed(1)} apart`);
      }
    }
  }
});

test("the first 24 objects have colours of their own", () => {
  assert.equal(new Set(Array.from({ length: 24 }, (_, place) => defaultColour(place + 1))).size, 24);
});

test("colours are read, written and mixed", () => {
  assert.deepEqual(parseColour("#0a80ff"), [10, 128, 255]);
  assert.equal(toHex([10, 128, 255]), "#0a80ff");
  assert.deepEqual(mix([0, 0, 0], [10, 20, 30], 0.5), [5, 10, 15]);
  assert.equal(lettersOn("#f0e442"), "#000000");
  assert.equal(lettersOn("#0072b2"), "#ffffff");
  assert.equal(wordsOf(new Map([[3, "#010203"]]))[3], 0xff030201);
  assert.throws(() => parseColour("red"), /#e69f00/);
});

test("the server is asked for the next larger width, at most the video's", () => {
  assert.equal(offeredWidth(500, 1920), 640);
  assert.equal(offeredWidth(1300, 1280), 1280);
  assert.equal(offeredWidth(5000, 3840), 3840);
});

test("an imported file is known by its name, cut-outs also by their object's folder", () => {
  assert.equal(importName({ name: "00012.png" }), "00012.png");
  assert.equal(importName({ name: "00012.png", webkitRelativePath: "cutouts/3/00012.png" }), "3/00012.png");
  assert.equal(importName({ name: "00012.png", webkitRelativePath: "masks/00012.png" }), "00012.png");
  assert.ok(canHoldMasks("a.PNG"));
  assert.ok(canHoldMasks("00012.txt"));
  assert.ok(!canHoldMasks("a.jpg"));
});

test("numbers are written as people read them", () => {
  assert.equal(clock(0), "0:00.00");
  assert.equal(clock(59.999), "1:00.00");
  assert.equal(clock(3723.5), "1:02:03.50");
  assert.equal(duration(0.2), "under 1 s");
  assert.equal(duration(125), "2 min 5 s");
  assert.equal(duration(7500), "2 h 5 min");
  assert.equal(fileSize(812), "812 B");
  assert.equal(fileSize(3_400_000), "3.4 MB");
  assert.equal(count(1, "frame"), "1 frame");
});

test("the slider's sizes go up and come back", () => {
  let before = 0;
  for (let value = 0; value <= 100; value++) {
    const size = sizeOfSlider(value);
    assert.ok(size >= before && size >= 1 && size <= 400);
    before = size;
  }
  for (const size of [1, 10, 24, 100, 400]) assert.ok(Math.abs(sizeOfSlider(sliderOfSize(size)) - size) <= size * 0.04);
});

test("options are kept, and garbage that was kept is ignored", () => {
  const kept = new Map();
  const storage = { getItem: (key) => kept.get(key) ?? null, setItem: (key, value) => kept.set(key, value) };
  new Options(storage).set("size", 77);
  assert.equal(new Options(storage).get("size"), 77);
  for (const garbage of ["{", "null", '{"size": "large", "unknown": 1}']) {
    kept.set([...kept.keys()][0], garbage);
    assert.equal(new Options(storage).get("size"), 24);
  }
});

test("every icon that the page asks for is there", () => {
  const names = new Set(iconNames());
  const files = readdirSync(PAGE, { recursive: true }).filter((name) => name.endsWith(".js"));
  const asked = files.flatMap((name) => {
    const text = readFileSync(new URL(name, PAGE), "utf-8");
    return [...text.matchAll(/icon: "(\w+)"|icon\("(\w+)"\)/g)].map((match) => match[1] ?? match[2]);
  });
  assert.ok(asked.length > 20);
  assert.deepEqual(asked.filter((name) => !names.has(name)), []);
});

test("the page loads nothing from elsewhere and runs no script inside the document", () => {
  const html = readFileSync(new URL("index.html", PAGE), "utf-8");
  assert.doesNotMatch(html, /https?:\/\//);
  assert.doesNotMatch(html, /<script(?![^>]*\ssrc=)/);
  assert.doesNotMatch(html, /\son\w+=/);
});
