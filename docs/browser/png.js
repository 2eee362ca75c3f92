/** Writes masks as PNG files whose pixels are ids of objects, with the objects' colours as palette, and packs files as ZIP. */

const CRC = Uint32Array.from({ length: 256 }, (_, value) => {
  for (let bit = 0; bit < 8; bit++) value = value & 1 ? (value >>> 1) ^ 0xedb88320 : value >>> 1;
  return value;
});

/** The limits of a ZIP file without extensions, which not all programs can read. */
export const MOST_FILES = 65_535;
export const MOST_BYTES = 2 ** 32 - 1;

/**
 * The checksum that both formats use.
 * @param {Uint8Array} bytes
 * @returns {number}
 */
function crc32(bytes) {
  let crc = ~0;
  for (const byte of bytes) crc = CRC[(crc ^ byte) & 255] ^ (crc >>> 8);
  return ~crc >>> 0;
}

/**
 * @param {{ width: number, height: number, labels: Uint8Array }} map
 * @param {ReadonlyMap<number, readonly number[]>} colours red, green and blue, 0 to 255, by id
 * @returns {Promise<Uint8Array>} the file
 */
export async function indexPng({ width, height, labels }, colours) {
  const header = new DataView(new ArrayBuffer(13));
  header.setUint32(0, width);
  header.setUint32(4, height);
  header.setUint8(8, 8); // bits of an index
  header.setUint8(9, 3); // indices into a palette
  const palette = new Uint8Array(3 * 256);
  for (const [id, colour] of colours) palette.set(colour, 3 * id);
  const rows = new Uint8Array(height * (width + 1)); // each row begins with the number of its filter; 0: none
  for (let y = 0; y < height; y++) rows.set(labels.subarray(y * width, (y + 1) * width), y * (width + 1) + 1);
  const packed = new Response(new Blob([rows]).stream().pipeThrough(new CompressionStream("deflate")));
  return joined([
    Uint8Array.of(137, 80, 78, 71, 13, 10, 26, 10),
    chunk("IHDR", new Uint8Array(header.buffer)),
    chunk("PLTE", palette),
    chunk("IDAT", new Uint8Array(await packed.arrayBuffer())),
    chunk("IEND", new Uint8Array(0)),
  ]);
}

/**
 * @param {string} name
 * @param {Uint8Array} content
 * @returns {Uint8Array} of a PNG file
 */
function chunk(name, content) {
  const named = joined([new TextEncoder().encode(name), content]);
  const [length, crc] = [content.length, crc32(named)].map((value) => {
    const bytes = new DataView(new ArrayBuffer(4));
    bytes.setUint32(0, value);
    return new Uint8Array(bytes.buffer);
  });
  return joined([length, named, crc]);
}

/**
 * @param {{ name: string, content: Uint8Array }} file
 * @returns {number} the most bytes that it takes in a ZIP file
 */
export function bytesInZip({ name, content }) {
  return content.length + 2 * 3 * name.length + 76; // its name twice in UTF-8, and two records
}

/**
 * Makes a ZIP file of files that are already compressed.
 * @param {{ name: string, content: Uint8Array }[]} files at most `MOST_FILES`, with their names `MOST_BYTES` in all
 * @returns {Blob}
 */
export function zip(files) {
  /** @type {BlobPart[]} */
  const parts = [];
  /** @type {Uint8Array[]} */
  const entries = [];
  let offset = 0;
  for (const { name, content } of files) {
    const text = new TextEncoder().encode(name);
    const facts = [0, 0, 0x21, crc32(content), content.length, content.length, text.length, 0];
    const local = joined([record([0x04034b50, 20, 0x800], [4, 2, 2]), record(facts, [2, 2, 2, 4, 4, 4, 2, 2]), text]);
    const place = [0, 0, 0, 0, offset];
    const entry = [record([0x02014b50, 20, 20, 0x800], [4, 2, 2, 2]), record(facts, [2, 2, 2, 4, 4, 4, 2, 2])];
    entries.push(joined([...entry, record(place, [2, 2, 2, 4, 4]), text]));
    parts.push(/** @type {BlobPart} */ (local), /** @type {BlobPart} */ (content));
    offset += local.length + content.length;
  }
  const directory = joined(entries);
  const end = [0x06054b50, 0, 0, files.length, files.length, directory.length, offset, 0];
  parts.push(/** @type {BlobPart} */ (directory), /** @type {BlobPart} */ (record(end, [4, 2, 2, 2, 2, 4, 4, 2])));
  return new Blob(parts, { type: "application/zip" });
}

/**
 * @param {number[]} values
 * @param {number[]} sizes bytes of each, the lowest byte first
 * @returns {Uint8Array}
 */
function record(values, sizes) {
  return Uint8Array.from(values.flatMap((value, place) =>
    Array.from({ length: sizes[place] }, (_, byte) => Math.floor(value / 256 ** byte) & 255)
  ));
}

/**
 * @param {Uint8Array[]} parts
 * @returns {Uint8Array}
 */
function joined(parts) {
  const whole = new Uint8Array(parts.reduce((length, part) => length + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
