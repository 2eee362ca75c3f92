import assert from "node:assert/strict";
import { test } from "node:test";
import { View } from "../../../livos/studio/page/stage/view.js";

const FRAME = { width: 1920, height: 1080 };
const STAGE = { width: 900, height: 500 };
const near = (one, other, tolerance = 1e-9) => assert.ok(Math.abs(one - other) <= tolerance, `${one} is not ${other}`);

test("a point of the screen goes to the frame and back", () => {
  for (const ratio of [1, 1.25, 1.5, 2, 3]) {
    const view = new View(FRAME, STAGE, ratio);
    for (const [steps, x, y] of [[0, 0, 0], [3, 100, 80], [9, 450, 250], [-4, 20, 400], [14, 899, 3]]) {
      view.zoomBy(steps || 1, { x, y });
      view.pan(13.3, -7.7);
      const there = view.toFrame({ x: 321.5, y: 123.25 });
      const back = view.toScreen(there);
      near(back.x, 321.5);
      near(back.y, 123.25);
    }
  }
});

test("zooming keeps the pixel under the pointer", () => {
  for (const ratio of [1, 2]) {
    const view = new View(FRAME, STAGE, ratio);
    const pointer = { x: 512, y: 200 };
    const before = view.toFrame(pointer);
    for (const steps of [4, 5, -2, 8]) {
      view.zoomBy(steps, pointer);
      const after = view.toFrame(pointer);
      const pixel = 1 / view.scale / ratio; // positions are rounded to device pixels
      near(after.x, before.x, 5 * pixel);
      near(after.y, before.y, 5 * pixel);
    }
  }
});

test("at high zoom a pixel of the frame is a whole number of device pixels", () => {
  for (const ratio of [1, 1.25, 1.5, 2]) {
    const view = new View(FRAME, STAGE, ratio);
    for (let count = 0; count < 30; count++) {
      view.zoomBy(1, { x: 450, y: 250 });
      if (view.deviceScale < 2) continue;
      near(view.deviceScale, Math.round(view.deviceScale));
      assert.ok(view.exact);
      near(view.originX * ratio, Math.round(view.originX * ratio), 1e-6);
    }
    assert.ok(view.scale <= 64);
  }
});

test("every step of the wheel zooms, in and out again", () => {
  const view = new View(FRAME, STAGE, 1);
  for (const way of [1, -1]) {
    for (let count = 0; count < 12; count++) {
      const before = view.scale;
      view.zoomBy(way, { x: 1, y: 1 });
      assert.ok(way > 0 ? view.scale > before : view.scale < before);
    }
  }
});

test("a fitted frame is seen whole and stays fitted when the stage changes", () => {
  const view = new View(FRAME, STAGE, 1);
  for (const stage of [{ width: 400, height: 900 }, { width: 1600, height: 300 }]) {
    view.resize(stage, 2);
    const first = view.toScreen({ x: 0, y: 0 });
    const last = view.toScreen({ x: FRAME.width, y: FRAME.height });
    assert.ok(first.x >= 0 && first.y >= 0 && last.x <= stage.width && last.y <= stage.height);
  }
});

test("the middle of the stage stays when the stage changes", () => {
  const view = new View(FRAME, STAGE, 1);
  view.zoomTo(4, { x: 450, y: 250 });
  const before = view.toFrame({ x: 450, y: 250 });
  view.resize({ width: 1200, height: 700 }, 1);
  const after = view.toFrame({ x: 600, y: 350 });
  near(before.x, after.x, 0.3);
  near(before.y, after.y, 0.3);
});

test("the frame cannot be lost outside the stage", () => {
  const view = new View(FRAME, STAGE, 1);
  for (const [dx, dy] of [[1e5, 0], [-1e6, 0], [0, 1e5], [0, -1e6]]) {
    view.pan(dx, dy);
    const first = view.toScreen({ x: 0, y: 0 });
    const last = view.toScreen({ x: FRAME.width, y: FRAME.height });
    assert.ok(first.x < STAGE.width && first.y < STAGE.height && last.x > 0 && last.y > 0);
  }
});
