/**
 * Follows objects from frame to frame with the exported graphs, as description.json specifies and segment_frames.py does in
 * Python. It depends neither on the page nor on the engine.
 */
import { neighbours, resizedColours, workingSize } from "./resizing.js";

/** @typedef {{ data: Float32Array, dims: readonly number[] }} Tensor row by row, the last axis fastest */
/** @typedef {Record<string, Tensor>} Tensors by name */
/** @typedef {{ ids: number[], state: Tensors }} Memory the ids in the order of the objects, and the state between frames */
/** @typedef {import("./resizing.js").Size} Size */
/** @typedef {import("./resizing.js").Picture} Picture */
/** @typedef {{ ids: number[], labels: Uint8Array }} Given masks at the size of the frame; an id without a pixel is an object that is not visible */

/**
 * @typedef {object} About the part of description.json that is used here
 * @property {Record<string, { file: string, inputs: Record<string, unknown>, outputs: Record<string, (number | string)[]> }>} graphs
 * @property {{ tensors: string[] }} state
 * @property {number | null} suitable_short_side
 */

const STRIDE = 16;

export class Tracker {
  /**
   * @param {About} about
   * @param {(graph: string, inputs: Tensors) => Promise<Tensors>} run computes a graph
   */
  constructor(about, run) {
    this.about = about;
    this.run = run;
    /** @type {Memory} replaced by every step, never changed in place */
    this.memory = { ids: [], state: {} };
  }

  /** Forgets everything, for another video. */
  begin() {
    this.memory = { ids: [], state: {} };
  }

  /**
   * Segments the next frame.
   * @param {Picture} picture
   * @param {number} shortSide in pixels, at which the network works
   * @param {Given | null} given masks of new objects, or corrections of known ones
   * @returns {Promise<Uint8Array>} the label of each pixel of the frame
   */
  async step(picture, shortSide, given) {
    const inside = workingSize(picture, shortSide);
    const grid = gridOf(inside);
    const features = await this.compute("encode", { image: imageTensor(picture, inside, grid) });
    let { ids, state } = this.memory;
    const known = ids;
    given &&= { ...given, ids: given.ids.filter((id) => known.includes(id) || given?.labels.includes(id)) };
    /** @type {Float32Array[]} */
    let planes = [new Float32Array(grid.width * grid.height).fill(1)];
    if (ids.length) {
      const present = { data: new Float32Array(ids.length).fill(1), dims: [1, ids.length] };
      const seen = await this.compute("segment", { ...features, ...state, present });
      planes = planesOf(seen.probabilities);
      state = { ...state, sensory: seen.new_sensory };
    }
    const predicted = planes;
    if (given) {
      const added = given.ids.filter((id) => !ids.includes(id));
      ids = [...ids, ...added];
      state = this.grown(state, ids.length, grid);
      planes = withGiven(planes, ids, given, insideLabels(given.labels, picture, inside, grid));
    }
    if (ids.length) state = await this.remember(features, state, planes.slice(1), grid);
    this.memory = { ids, state };
    return labelsOf(predicted, ids, given, grid, inside, picture);
  }

  /**
   * @param {Tensors} features
   * @param {Tensors} state
   * @param {Float32Array[]} masks of the objects
   * @param {Grid} grid
   * @returns {Promise<Tensors>} the state for the next frame
   */
  async remember(features, state, masks, grid) {
    const data = new Float32Array(masks.length * grid.width * grid.height);
    masks.forEach((mask, slot) => data.set(mask, slot * mask.length));
    const dims = [1, masks.length, grid.height, grid.width];
    const written = await this.compute("remember", { ...features, ...state, masks: { data, dims } });
    return Object.fromEntries(this.about.state.tensors.map((name) => [name, written[`new_${name}`]]));
  }

  /**
   * @param {string} graph
   * @param {Tensors} known the graph's inputs, and possibly others
   * @returns {Promise<Tensors>}
   */
  compute(graph, known) {
    const names = Object.keys(this.about.graphs[graph].inputs);
    return this.run(graph, Object.fromEntries(names.map((name) => [name, known[name]])));
  }

  /**
   * The state with zeros for new objects.
   * @param {Tensors} state
   * @param {number} count of objects
   * @param {Grid} grid
   * @returns {Tensors}
   */
  grown(state, count, grid) {
    /** @type {Record<string, number>} */
    const lengths = { N: count, h: grid.height / STRIDE, w: grid.width / STRIDE };
    const { outputs } = this.about.graphs.remember;
    const entries = this.about.state.tensors.map((name) => {
      const dims = outputs[`new_${name}`].map((axis) => (typeof axis === "number" ? axis : lengths[axis]));
      const data = new Float32Array(dims.reduce((product, length) => product * length, 1));
      if (name in state) data.set(state[name].data);
      return [name, { data, dims }];
    });
    return Object.fromEntries(entries);
  }
}

/** The padded size at which the graphs work, and where the resized frame is within it. @typedef {Size & { left: number, top: number }} Grid */

/**
 * @param {Size} inside
 * @returns {Grid}
 */
function gridOf({ width, height }) {
  const [across, down] = [width, height].map((length) => (STRIDE - (length % STRIDE)) % STRIDE);
  return { width: width + across, height: height + down, left: Math.floor(across / 2), top: Math.floor(down / 2) };
}

/**
 * @param {Picture} picture
 * @param {Size} inside
 * @param {Grid} grid
 * @returns {Tensor} (1, 3, H, W), RGB in [0, 1], with zeros around the frame
 */
function imageTensor(picture, inside, grid) {
  const area = grid.width * grid.height;
  const data = new Float32Array(3 * area);
  resizedColours(picture, inside).forEach((values, colour) => {
    for (let y = 0; y < inside.height; y++) {
      const row = values.subarray(y * inside.width, (y + 1) * inside.width);
      data.set(row, colour * area + (y + grid.top) * grid.width + grid.left);
    }
  });
  return { data, dims: [1, 3, grid.height, grid.width] };
}

/**
 * @param {Tensor} probabilities (1, 1 + N, H, W)
 * @returns {Float32Array[]} the background's and the objects'
 */
function planesOf({ data, dims }) {
  const area = dims[2] * dims[3];
  return Array.from({ length: dims[1] }, (_, plane) => data.subarray(plane * area, (plane + 1) * area));
}

/**
 * Given labels at the size at which the network works, by nearest-neighbour interpolation.
 * @param {Uint8Array} labels
 * @param {Size} size of the labels
 * @param {Size} inside
 * @param {Grid} grid
 * @returns {Uint8Array} on the grid
 */
function insideLabels(labels, size, inside, grid) {
  const placed = new Uint8Array(grid.width * grid.height);
  for (let y = 0; y < inside.height; y++) {
    const row = Math.floor((y * size.height) / inside.height) * size.width;
    const start = (y + grid.top) * grid.width + grid.left;
    for (let x = 0; x < inside.width; x++) placed[start + x] = labels[row + Math.floor((x * size.width) / inside.width)];
  }
  return placed;
}

/**
 * Puts given masks into the probabilities: a corrected object's share goes to the others, and new objects are added.
 * @param {Float32Array[]} planes of the background and the known objects
 * @param {number[]} ids of all objects, the new ones last
 * @param {Given} given
 * @param {Uint8Array} labels on the grid
 * @returns {Float32Array[]}
 */
function withGiven(planes, ids, given, labels) {
  const area = labels.length;
  const all = [0, ...ids].map((_, plane) => (planes[plane] ? planes[plane].slice() : new Float32Array(area)));
  const corrected = given.ids.map((id) => 1 + ids.indexOf(id)).filter((plane) => plane < planes.length);
  const planeOf = Uint8Array.from({ length: 256 }, (_, id) => (given.ids.includes(id) ? 1 + ids.indexOf(id) : 0));
  for (let at = 0; at < area; at++) {
    if (corrected.length) leaveOut(all, corrected, at);
    const own = planeOf[labels[at]];
    if (!own) continue;
    for (const plane of all) plane[at] = 0;
    all[own][at] = 1;
  }
  return all;
}

/**
 * @param {Float32Array[]} planes
 * @param {number[]} corrected which of them are set to 0
 * @param {number} at the pixel
 */
function leaveOut(planes, corrected, at) {
  for (const plane of corrected) planes[plane][at] = 0;
  let total = 0;
  for (const plane of planes) total += plane[at];
  if (total < 1e-6) planes[0][at] = 1;
  else for (const plane of planes) plane[at] /= total;
}

/**
 * The most likely object at each pixel of the frame or, where a mask is given, the given one.
 * @param {Float32Array[]} planes probabilities on the grid, before masks were given
 * @param {number[]} ids
 * @param {Given | null} given
 * @param {Grid} grid
 * @param {Size} inside
 * @param {Size} size of the frame
 * @returns {Uint8Array}
 */
function labelsOf(planes, ids, given, grid, inside, size) {
  const asked = [0, ...ids].flatMap((id, plane) => (plane < planes.length && !given?.ids.includes(id) ? [plane] : []));
  const labelOf = [0, ...ids];
  const columns = neighbours(inside.width, size.width, grid.left);
  const rows = neighbours(inside.height, size.height, grid.top);
  const labels = new Uint8Array(size.width * size.height);
  for (let y = 0, at = 0; y < size.height; y++) {
    const [upper, lower, down] = [rows.first[y] * grid.width, rows.second[y] * grid.width, rows.share[y]];
    for (let x = 0; x < size.width; x++, at++) {
      if (given && given.labels[at] && given.ids.includes(given.labels[at])) {
        labels[at] = given.labels[at];
        continue;
      }
      const [left, right, across] = [columns.first[x], columns.second[x], columns.share[x]];
      let [best, most] = [0, -1];
      for (const plane of asked) {
        const values = planes[plane];
        const above = values[upper + left] * (1 - across) + values[upper + right] * across;
        const below = values[lower + left] * (1 - across) + values[lower + right] * across;
        const value = above * (1 - down) + below * down;
        if (value > most) [best, most] = [plane, value];
      }
      labels[at] = labelOf[best];
    }
  }
  return labels;
}
