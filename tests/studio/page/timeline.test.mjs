import assert from "node:assert/strict";
import { test } from "node:test";
import { doneStretches, doubtfulStretches, markedFrames, nextOf, noteTracked, stretchesAround } from "../../../livos/studio/page/timeline/marks.js";
import { slots } from "../../../livos/studio/page/timeline/filmstrip.js";
import { Scale, tickDistance } from "../../../livos/studio/page/timeline/scale.js";
import { dueFrame } from "../../../livos/studio/page/player.js";

const timeline = () => ({
  marks: { 0: [1, 2], 4: [2], 9: [1] },
  objects: [
    { id: 1, by: ".fffffbbb.", confidence: [-1, 90, 40, 30, 90, 90, 45, 90, 90, -1] },
    { id: 2, by: "..........", confidence: Array(10).fill(-1) },
  ],
});

test("the next given mask is found on both sides", () => {
  const frames = markedFrames(timeline());
  assert.deepEqual(frames, [0, 4, 9]);
  assert.deepEqual(markedFrames(timeline(), 1), [0, 9]);
  assert.equal(nextOf(frames, 4, 1), 9);
  assert.equal(nextOf(frames, 4, -1), 0);
  assert.equal(nextOf(frames, 9, 1), null);
});

test("a doubtful stretch counts once, at its beginning", () => {
  assert.deepEqual(doubtfulStretches(timeline(), 0.5, 10), [2, 6]);
  assert.deepEqual(doubtfulStretches(timeline(), 0.35, 10), [3]);
  assert.deepEqual(doubtfulStretches(timeline(), 0.5, 10, new Set([1])), []);
});

test("a given mask is never doubtful", () => {
  const marked = timeline();
  marked.marks[2] = [1];
  assert.deepEqual(doubtfulStretches(marked, 0.5, 10), [3, 6]);
});

test("a correction asks for the stretches to both neighbours", () => {
  assert.deepEqual(stretchesAround([0, 10, 20], 10), [[0, 10], [10, 20]]);
  assert.deepEqual(stretchesAround([0, 10, 20], 5), [[0, 10]]);
  assert.deepEqual(stretchesAround([0, 10], 15), []);
  assert.deepEqual(stretchesAround([0, 1], 0), []);
});

test("what is done is told by direction", () => {
  assert.deepEqual(doneStretches(".ffbb.s"), [
    { first: 1, last: 2, by: "f" }, { first: 3, last: 4, by: "b" }, { first: 6, last: 6, by: "s" },
  ]);
});

test("a mask that was computed just now is noted, also of a new object", () => {
  const noted = timeline();
  noteTracked(noted, { frame: 3, by: "seam", confidence: { 1: 0.876, 7: 1 } }, 10);
  assert.equal(noted.objects[0].by, ".ffsffbbb.");
  assert.equal(noted.objects[0].confidence[3], 88);
  assert.equal(noted.objects[2].by, "...s......");
});

test("a frame's place on the timeline leads back to it, whatever the zoom", () => {
  const scale = new Scale(86400, 1100);
  for (const [factor, x] of [[1, 0], [8, 300], [50, 900], [1000, 20], [0.01, 500]]) {
    scale.zoom(factor, x);
    for (let frame = Math.ceil(scale.start); frame < scale.start + Math.min(scale.seen, 50); frame++) {
      assert.equal(scale.toFrame(scale.toX(frame) + scale.pixels / 2), frame);
    }
    assert.ok(scale.start >= 0 && scale.start + scale.seen <= scale.frames + 1e-6);
  }
});

test("a frame outside is brought into view, the zoom stays", () => {
  const scale = new Scale(5000, 800);
  scale.zoom(40, 0);
  const { pixels } = scale;
  scale.reveal(4000);
  assert.ok(scale.toX(4000) >= 0 && scale.toX(4001) <= 800);
  assert.equal(scale.pixels, pixels);
});

test("a few frames fill the timeline as well", () => {
  const scale = new Scale(3, 900);
  scale.zoom(2, 450);
  assert.ok(scale.whole);
});

test("labels of the ruler keep apart", () => {
  for (const pixels of [0.01, 0.3, 2, 18, 96]) assert.ok(tickDistance(pixels, 25) * pixels >= 80 || pixels < 0.02);
});

test("pictures of the filmstrip stay with their frames when it is scrolled", () => {
  const scale = new Scale(1000, 800);
  scale.zoom(4, 0);
  const before = new Set(slots(scale, 80).map((slot) => slot.frame));
  scale.scroll(7);
  const kept = slots(scale, 80).filter((slot) => before.has(slot.frame));
  assert.ok(kept.length >= before.size - 1);
});

test("an hour of video asks for no more pictures than there is room for", () => {
  const scale = new Scale(90000, 1100);
  assert.ok(slots(scale, 82).length <= 15);
});

test("playing goes round in the range and keeps the video's pace", () => {
  const range = { first: 10, last: 19 };
  assert.equal(dueFrame(range, 12, 0, 25), 12);
  assert.equal(dueFrame(range, 12, 0.2, 25), 17);
  assert.equal(dueFrame(range, 12, 0.4, 25), 12);
  assert.equal(dueFrame(range, 50, 0, 25), 10);
});
