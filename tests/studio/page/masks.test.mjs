import assert from "node:assert/strict";
import { test } from "node:test";
import { LabelMap, intersection, union } from "../../../livos/studio/page/masks/label_map.js";
import { chains } from "../../../livos/studio/page/masks/contours.js";
import { Outlines, linesOfRows } from "../../../livos/studio/page/masks/outlines.js";
import { backgroundRule, drawStroke, eraseRule, fillPolygon, paintRule } from "../../../livos/studio/page/masks/painting.js";
import { floodFill } from "../../../livos/studio/page/masks/regions.js";
import { bytesOfRuns, decodeRuns, encodeRuns, runsOfBytes } from "../../../livos/studio/page/masks/runs.js";

/** A generator of whole numbers that gives the same for the same seed. */
function numbers(seed) {
  return (below) => {
    seed = (Math.imul(seed, 1103515245) + 12345) >>> 0;
    return (seed >>> 8) % below;
  };
}

function randomMap(seed, width = 23, height = 17, ids = 4) {
  const next = numbers(seed);
  const map = new LabelMap(width, height);
  for (let count = 0; count < 12; count++) {
    const [x, y] = [next(width), next(height)];
    drawStroke(map, { x, y }, { x: next(width), y: next(height) }, 1 + next(5), paintRule(next(ids)));
  }
  return map;
}

const picture = (rows) => new LabelMap(rows[0].length, rows.length, Uint8Array.from(rows.join("").replaceAll(".", "0"), Number));
const rowsOf = (map) =>
  Array.from({ length: map.height }, (_, y) => [...map.labels.slice(y * map.width, (y + 1) * map.width)].join("").replaceAll("0", "."));

test("runs come back as the same labels", () => {
  for (let seed = 1; seed < 30; seed++) {
    const { labels } = randomMap(seed);
    assert.deepEqual(decodeRuns(runsOfBytes(bytesOfRuns(encodeRuns(labels))), labels.length), labels);
  }
});

test("runs are pairs of label and length, little-endian", () => {
  assert.deepEqual([...encodeRuns(Uint8Array.of(0, 0, 7, 7, 7, 0))], [0, 2, 7, 3, 0, 1]);
  assert.deepEqual([...new Uint8Array(bytesOfRuns(Uint32Array.of(7, 258)))], [7, 0, 0, 0, 2, 1, 0, 0]);
});

test("runs of another length or with other labels are refused", () => {
  assert.throws(() => decodeRuns([1, 3], 4), /3 pixels in all, expected 4/);
  assert.throws(() => decodeRuns([1, 5], 4), RangeError);
  assert.throws(() => decodeRuns([300, 4], 4), /label 300/);
  assert.throws(() => decodeRuns([1, 0, 0, 4], 4), RangeError);
  assert.throws(() => runsOfBytes(new ArrayBuffer(12)), /multiple of 8/);
});

test("a brush draws the pixels whose centres it covers, and at least one", () => {
  const map = new LabelMap(7, 5);
  drawStroke(map, { x: 3.5, y: 2.5 }, { x: 3.5, y: 2.5 }, 3, paintRule(1));
  assert.deepEqual(rowsOf(map), [".......", "..111..", "..111..", "..111..", "......."]);
  const one = new LabelMap(3, 1);
  drawStroke(one, { x: 1.05, y: 0.95 }, { x: 1.05, y: 0.95 }, 1, paintRule(2));
  assert.deepEqual(rowsOf(one), [".2."]);
});

test("a stroke changes nothing outside the area that it names", () => {
  for (let seed = 1; seed < 40; seed++) {
    const next = numbers(seed);
    const map = randomMap(seed);
    const before = map.copy();
    const point = () => ({ x: next(40) - 8, y: next(30) - 6 });
    const dirty = drawStroke(map, point(), point(), 1 + next(9), paintRule(3));
    for (let y = 0; y < map.height; y++) {
      for (let x = 0; x < map.width; x++) {
        const inside = dirty && x >= dirty.left && x < dirty.right && y >= dirty.top && y < dirty.bottom;
        if (!inside) assert.equal(map.at(x, y), before.at(x, y));
      }
    }
  }
});

test("a locked object is never painted over, erased or filled", () => {
  const map = picture(["1122", "1122"]);
  drawStroke(map, { x: 0, y: 1 }, { x: 4, y: 1 }, 4, paintRule(3, [2]));
  assert.deepEqual(rowsOf(map), ["3322", "3322"]);
  drawStroke(map, { x: 0, y: 1 }, { x: 4, y: 1 }, 4, eraseRule(null, [2]));
  assert.deepEqual(rowsOf(map), ["..22", "..22"]);
  fillPolygon(map, [{ x: 0, y: 0 }, { x: 4, y: 0 }, { x: 4, y: 2 }, { x: 0, y: 2 }], backgroundRule(5));
  assert.deepEqual(rowsOf(map), ["5522", "5522"]);
});

test("an eraser takes only the chosen object", () => {
  const map = picture(["1212"]);
  drawStroke(map, { x: 0, y: 0.5 }, { x: 4, y: 0.5 }, 2, eraseRule(1));
  assert.deepEqual(rowsOf(map), [".2.2"]);
});

test("a polygon holds the pixels whose centres are inside", () => {
  const map = new LabelMap(6, 5);
  fillPolygon(map, [{ x: 1, y: 1 }, { x: 5, y: 1 }, { x: 5, y: 4 }, { x: 1, y: 4 }], paintRule(1));
  assert.deepEqual(rowsOf(map), ["......", ".1111.", ".1111.", ".1111.", "......"]);
  const hole = new LabelMap(5, 5);
  const outer = [[0, 0], [5, 0], [5, 5], [0, 5], [0, 0], [1, 1], [1, 4], [4, 4], [4, 1], [1, 1]];
  fillPolygon(hole, outer.map(([x, y]) => ({ x, y })), paintRule(1));
  assert.equal(hole.at(2, 2), 0);
  assert.equal(hole.at(0, 2), 1);
  assert.equal(fillPolygon(map, [{ x: 0, y: 0 }, { x: 1, y: 1 }], paintRule(1)), null);
});

test("fill reaches what hangs together, and nothing over corners", () => {
  const map = picture(["..1..", "11111", "..1.."]);
  const dirty = floodFill(map, 0, 0, 2);
  assert.deepEqual(rowsOf(map), ["221..", "11111", "..1.."]);
  assert.deepEqual(dirty, { left: 0, top: 0, right: 2, bottom: 1 });
  assert.equal(floodFill(map, 0, 0, 2), null);
  assert.equal(floodFill(map, -1, 0, 2), null);
});

test("fill finds the same region as a search pixel by pixel", () => {
  for (let seed = 1; seed < 25; seed++) {
    const map = randomMap(seed);
    const expected = map.copy();
    const [x, y] = [seed % map.width, (seed * 7) % map.height];
    const old = expected.at(x, y);
    const waiting = [[x, y]];
    while (waiting.length) {
      const [px, py] = waiting.pop();
      if (px < 0 || py < 0 || px >= map.width || py >= map.height || expected.at(px, py) !== old) continue;
      expected.labels[py * map.width + px] = 9;
      waiting.push([px + 1, py], [px - 1, py], [px, py + 1], [px, py - 1]);
    }
    floodFill(map, x, y, 9);
    assert.deepEqual(map.labels, expected.labels);
  }
});

test("areas and bounds of objects are counted", () => {
  const map = picture(["..1.", ".311", "...."]);
  assert.deepEqual([...map.areas()], [[1, 3], [3, 1]]);
  assert.deepEqual(map.boundsOf(1), { left: 2, top: 0, right: 4, bottom: 2 });
  assert.equal(map.boundsOf(2), null);
  assert.deepEqual(map.content, { left: 0, top: 0, right: 4, bottom: 2 });
  assert.equal(picture(["...", "..."]).content, null);
  assert.equal(map.at(-1, 0), 0);
});

test("a label map of impossible size is refused", () => {
  assert.throws(() => new LabelMap(0, 3), /0 x 3/);
  assert.throws(() => new LabelMap(2, 2, new Uint8Array(3)), /3 labels/);
});

test("areas join and meet", () => {
  const one = { left: 0, top: 0, right: 4, bottom: 4 };
  const other = { left: 2, top: 3, right: 6, bottom: 5 };
  assert.deepEqual(union(one, other), { left: 0, top: 0, right: 6, bottom: 5 });
  assert.deepEqual(intersection(one, other), { left: 2, top: 3, right: 4, bottom: 4 });
  assert.equal(intersection(one, { left: 4, top: 0, right: 5, bottom: 1 }), null);
  assert.equal(union(null, null), null);
});

test("outlines are as long as the objects' borders", () => {
  for (let seed = 1; seed < 20; seed++) {
    const map = randomMap(seed);
    for (const id of map.ids()) {
      let border = 0;
      for (let y = 0; y < map.height; y++) {
        for (let x = 0; x < map.width; x++) {
          if (map.at(x, y) !== id) continue;
          for (const [dx, dy] of [[1, 0], [-1, 0], [0, 1], [0, -1]]) if (map.at(x + dx, y + dy) !== id) border++;
        }
      }
      const lines = linesOfRows(map, 0, map.height).get(id);
      let length = 0;
      for (let at = 0; at < lines.length; at += 4) {
        length += Math.abs(lines[at + 2] - lines[at]) + Math.abs(lines[at + 3] - lines[at + 1]);
      }
      assert.equal(length, border);
    }
  }
});

test("outlines that are brought up to date are those found anew", () => {
  const map = new LabelMap(40, 200);
  const outlines = new Outlines(map);
  for (let seed = 1; seed < 20; seed++) {
    const next = numbers(seed);
    const dirty = drawStroke(map, { x: next(40), y: next(200) }, { x: next(40), y: next(200) }, 9, paintRule(next(4)));
    outlines.update(dirty);
    assert.deepEqual(outlines.bands, new Outlines(map).bands);
  }
});

test("lines join to chains that lose nothing", () => {
  for (let seed = 1; seed < 20; seed++) {
    for (const lines of linesOfRows(randomMap(seed), 0, 17).values()) {
      const key = (x0, y0, x1, y1) => (x0 < x1 || y0 < y1 ? [x0, y0, x1, y1] : [x1, y1, x0, y0]).join(" ");
      const expected = [];
      for (let at = 0; at < lines.length; at += 4) expected.push(key(...lines.slice(at, at + 4)));
      const found = chains(lines).flatMap((chain) =>
        Array.from({ length: chain.length / 2 - 1 }, (_, place) => key(...chain.slice(2 * place, 2 * place + 4)))
      );
      assert.deepEqual(found.sort(), expected.sort());
    }
  }
});
