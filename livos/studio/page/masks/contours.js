/** Outlines for a picture that is not magnified: joins the lines between pixels end to end, and rounds the steps. */

const REACH = 3;

/**
 * Joins lines end to end.
 * @param {number[]} lines x, y, x, y of both ends, one line after the other
 * @returns {number[][]} chains: x, y of each corner; a closed one ends where it begins
 */
export function chains(lines) {
  const count = lines.length / 4;
  const used = new Uint8Array(count);
  const ends = endsByCorner(lines);
  const found = [];
  for (let first = 0; first < count; first++) {
    if (used[first]) continue;
    used[first] = 1;
    const chain = lines.slice(4 * first, 4 * first + 4);
    for (;;) {
      const [x, y] = [chain[chain.length - 2], chain[chain.length - 1]];
      const next = (ends.get(keyOf(x, y)) ?? []).find((line) => !used[line]);
      if (next === undefined) break;
      used[next] = 1;
      const at = 4 * next;
      const far = lines[at] === x && lines[at + 1] === y ? at + 2 : at;
      chain.push(lines[far], lines[far + 1]);
    }
    found.push(chain);
  }
  return found;
}

/**
 * @param {number[]} lines
 * @returns {Map<number, number[]>} for each corner, the numbers of the lines that end there
 */
function endsByCorner(lines) {
  /** @type {Map<number, number[]>} */
  const ends = new Map();
  for (let at = 0; at < lines.length; at += 2) {
    const key = keyOf(lines[at], lines[at + 1]);
    const known = ends.get(key);
    if (known) known.push(at >> 2);
    else ends.set(key, [at >> 2]);
  }
  return ends;
}

/**
 * @param {number} x
 * @param {number} y
 * @returns {number}
 */
function keyOf(x, y) {
  return y * 65536 + x;
}

/**
 * Adds a chain to a path, and rounds each corner over at most half of the adjoining lines.
 * @param {Pick<Path2D, "moveTo" | "lineTo" | "quadraticCurveTo">} path
 * @param {number[]} chain
 */
export function addRounded(path, chain) {
  const count = chain.length / 2;
  const closed = chain[0] === chain[chain.length - 2] && chain[1] === chain[chain.length - 1];
  const corner = (/** @type {number} */ place) => {
    const at = 2 * (closed ? (place + count - 1) % (count - 1) : place);
    return [chain[at], chain[at + 1]];
  };
  const towards = (/** @type {number[]} */ from, /** @type {number[]} */ to) => {
    const length = Math.abs(to[0] - from[0]) + Math.abs(to[1] - from[1]);
    const share = length ? Math.min(0.5, REACH / length) : 0;
    return [from[0] + (to[0] - from[0]) * share, from[1] + (to[1] - from[1]) * share];
  };
  const [startX, startY] = closed ? towards(corner(0), corner(1)) : corner(0);
  path.moveTo(startX, startY);
  for (let place = 1; place < (closed ? count : count - 1); place++) {
    const [x, y] = corner(place);
    const before = towards([x, y], corner(place - 1));
    const after = towards([x, y], corner(place + 1));
    path.lineTo(before[0], before[1]);
    path.quadraticCurveTo(x, y, after[0], after[1]);
  }
  if (!closed) path.lineTo(chain[chain.length - 2], chain[chain.length - 1]);
}
