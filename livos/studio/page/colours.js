/**
 * The colours of objects. The first seven are those of Okabe and Ito without black, which people with any kind of colour
 * blindness can tell apart (https://jfly.uni-koeln.de/color/), and the eighth is Paul Tol's wine. The others are darker and
 * lighter versions of these.
 */

/** @typedef {[number, number, number]} Colour red, green and blue, 0 to 255 */

/** @type {readonly string[]} */
const FIRST = ["#e69f00", "#56b4e9", "#009e73", "#f0e442", "#0072b2", "#d55e00", "#cc79a7", "#882255"];

/**
 * The colour of an object until the user chooses another.
 * @param {number} id 1 or more
 * @returns {string} as `#rrggbb`
 */
export function defaultColour(id) {
  const base = FIRST[(id - 1) % FIRST.length];
  const round = Math.floor((id - 1) / FIRST.length) % 3;
  return round ? toHex(mix(parseColour(base), round === 1 ? [0, 0, 0] : [255, 255, 255], 0.45)) : base;
}

/** @returns {readonly string[]} the colours offered to choose from */
export function offeredColours() {
  return Array.from({ length: 16 }, (_, place) => defaultColour(place + 1));
}

/**
 * @param {string} text `#rrggbb`
 * @returns {Colour}
 * @throws {RangeError} if the text is not a colour
 */
export function parseColour(text) {
  const match = /^#([0-9a-f]{2})([0-9a-f]{2})([0-9a-f]{2})$/i.exec(text);
  if (!match) throw new RangeError(`a colour like #e69f00 was expected, not ${text}`);
  return /** @type {Colour} */ (match.slice(1).map((part) => parseInt(part, 16)));
}

/**
 * @param {Colour} colour
 * @returns {string}
 */
export function toHex(colour) {
  return "#" + colour.map((part) => Math.round(part).toString(16).padStart(2, "0")).join("");
}

/**
 * @param {Colour} one
 * @param {Colour} other
 * @param {number} share of the other, 0 to 1
 * @returns {Colour}
 */
export function mix(one, other, share) {
  return /** @type {Colour} */ (one.map((part, place) => part + (other[place] - part) * share));
}

/**
 * Whether black or white letters are easier to read on a colour.
 * @param {string} colour `#rrggbb`
 * @returns {"#000000" | "#ffffff"}
 */
export function lettersOn(colour) {
  const [red, green, blue] = parseColour(colour).map((part) => {
    const share = part / 255;
    return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue > 0.179 ? "#000000" : "#ffffff";
}

/**
 * The colour of each label as a 32-bit RGBA word, in the byte order of a canvas on little-endian machines.
 * @param {ReadonlyMap<number, string>} colours `#rrggbb` by id; other labels are transparent
 * @returns {Uint32Array} 256 words
 */
export function wordsOf(colours) {
  const words = new Uint32Array(256);
  for (const [id, colour] of colours) {
    const [red, green, blue] = parseColour(colour);
    words[id] = ((255 << 24) | (blue << 16) | (green << 8) | red) >>> 0;
  }
  return words;
}
