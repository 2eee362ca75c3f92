/**
 * Run-length codes of labels: label, length, label, length, ... row by row, as little-endian numbers of 32 bits. Masks are
 * sent in this form; a mask of a 4K frame takes a few kilobytes.
 */

/**
 * Encodes labels.
 * @param {Uint8Array} labels
 * @returns {Uint32Array} label, length of its run, and so on; neighbouring runs have different labels, and none is empty
 */
export function encodeRuns(labels) {
  const runs = [];
  for (let start = 0; start < labels.length; ) {
    const label = labels[start];
    let end = start + 1;
    while (end < labels.length && labels[end] === label) end++;
    runs.push(label, end - start);
    start = end;
  }
  return Uint32Array.from(runs);
}

/**
 * Decodes labels.
 * @param {ArrayLike<number>} runs as `encodeRuns` returns them
 * @param {number} length how many labels there must be
 * @returns {Uint8Array} `length` labels
 * @throws {RangeError} if the code has another length or contains something that is not a label
 */
export function decodeRuns(runs, length) {
  const labels = new Uint8Array(length);
  let position = 0;
  for (let place = 0; place < runs.length; place += 2) {
    const [label, count] = [runs[place], runs[place + 1]];
    if (!(label >= 0 && label <= 255 && count > 0 && position + count <= length)) {
      throw new RangeError(`a run of ${count} pixels with label ${label} at pixel ${position} of ${length}`);
    }
    if (label) labels.fill(label, position, position + count);
    position += count;
  }
  if (position !== length) throw new RangeError(`runs of ${position} pixels in all, expected ${length}`);
  return labels;
}

/**
 * Reads the numbers of a code that the server sent.
 * @param {ArrayBuffer} bytes
 * @returns {Uint32Array}
 * @throws {RangeError} if the bytes are not pairs of numbers
 */
export function runsOfBytes(bytes) {
  if (bytes.byteLength % 8) throw new RangeError(`${bytes.byteLength} bytes of runs, expected a multiple of 8`);
  const view = new DataView(bytes);
  return Uint32Array.from({ length: bytes.byteLength / 4 }, (_, place) => view.getUint32(4 * place, true));
}

/**
 * Writes a code as the server reads it.
 * @param {Uint32Array} runs
 * @returns {ArrayBuffer}
 */
export function bytesOfRuns(runs) {
  const bytes = new ArrayBuffer(4 * runs.length);
  const view = new DataView(bytes);
  runs.forEach((value, place) => view.setUint32(4 * place, value, true));
  return bytes;
}
