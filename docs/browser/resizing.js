/** Resizes as PyTorch does, which gives the network the same input as in Python. */

/** @typedef {{ width: number, height: number }} Size */
/** @typedef {{ width: number, height: number, data: Uint8ClampedArray }} Picture RGBA, row by row */

const LARGEST_ENLARGEMENT = 8; // an enlarged frame is at most this many times as long as the network's short side

/**
 * The size at which the network sees a frame; very elongated frames are enlarged less, or not at all.
 * @param {Size} size of the frame
 * @param {number} shortSide in pixels
 * @returns {Size}
 */
export function workingSize({ width, height }, shortSide) {
  const [short, long] = [Math.min(width, height), Math.max(width, height)];
  const limit = Math.floor((short * LARGEST_ENLARGEMENT * shortSide) / long);
  const target = short < shortSide ? Math.max(short, Math.min(shortSide, limit)) : shortSide;
  return { width: Math.floor((width * target) / short), height: Math.floor((height * target) / short) };
}

/**
 * The colours of a picture at another size, by bilinear interpolation, which averages over all pixels when shrinking.
 * @param {Picture} picture
 * @param {Size} size
 * @returns {Float32Array[]} red, green and blue in [0, 1], row by row
 */
export function resizedColours({ data, width, height }, size) {
  const [columns, rows] = [weightsOf(width, size.width), weightsOf(height, size.height)];
  return [0, 1, 2].map((colour) => {
    const narrow = new Float32Array(size.width * height);
    for (let y = 0, to = 0; y < height; y++) {
      for (const { first, weights } of columns) {
        let sum = 0;
        for (let tap = 0, from = 4 * (y * width + first) + colour; tap < weights.length; tap++, from += 4) {
          sum += weights[tap] * data[from];
        }
        narrow[to++] = sum / 255;
      }
    }
    return resizedRows(narrow, size.width, rows);
  });
}

/**
 * @param {Float32Array} values row by row
 * @param {number} width
 * @param {Weights[]} rows
 * @returns {Float32Array}
 */
function resizedRows(values, width, rows) {
  const resized = new Float32Array(width * rows.length);
  rows.forEach(({ first, weights }, y) => {
    weights.forEach((weight, tap) => {
      const from = (first + tap) * width;
      for (let x = 0, to = y * width; x < width; x++) resized[to++] += weight * values[from + x];
    });
  });
  return resized;
}

/** How a value of a resized row is made up: `weights[0]` of the value at `first`, and so on. @typedef {{ first: number, weights: number[] }} Weights */

/**
 * @param {number} from length of a row
 * @param {number} to its length afterwards
 * @returns {Weights[]} for each value of the resized row
 */
function weightsOf(from, to) {
  const scale = from / to;
  const reach = Math.max(1, scale);
  return Array.from({ length: to }, (_, place) => {
    const centre = scale * (place + 0.5);
    const first = Math.max(0, Math.floor(centre - reach + 0.5));
    const end = Math.min(from, Math.floor(centre + reach + 0.5));
    const weights = Array.from({ length: end - first }, (_, tap) =>
      Math.max(0, 1 - Math.abs(first + tap + 0.5 - centre) / reach)
    );
    const sum = weights.reduce((total, weight) => total + weight, 0);
    return { first, weights: weights.map((weight) => weight / sum) };
  });
}

/**
 * For each value of a resized row, the two values that it lies between, for bilinear interpolation.
 * @param {number} from length of a row
 * @param {number} to its length afterwards
 * @param {number} offset where the row begins
 * @returns {{ first: Int32Array, second: Int32Array, share: Float32Array }} `share`: of the second, 0 to 1
 */
export function neighbours(from, to, offset) {
  const first = new Int32Array(to);
  const second = new Int32Array(to);
  const share = new Float32Array(to);
  for (let place = 0; place < to; place++) {
    const exact = Math.max(0, ((place + 0.5) * from) / to - 0.5);
    const low = Math.min(from - 1, Math.floor(exact));
    first[place] = offset + low;
    second[place] = offset + Math.min(from - 1, low + 1);
    share[place] = exact - low;
  }
  return { first, second, share };
}
