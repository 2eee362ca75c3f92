/** Numbers and times in readable form. */

/**
 * A time in a video.
 * @param {number} seconds
 * @returns {string} `0:04.25`, `1:02:03.50`
 */
export function clock(seconds) {
  const hundredths = Math.round(Math.max(0, seconds) * 100);
  const [whole, rest] = [Math.floor(hundredths / 100), hundredths % 100];
  const [hours, minutes] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60];
  const two = (/** @type {number} */ value) => String(value).padStart(2, "0");
  return `${hours ? `${hours}:${two(minutes)}` : minutes}:${two(whole % 60)}.${two(rest)}`;
}

/**
 * How long something takes.
 * @param {number} seconds
 * @returns {string} `under 1 s`, `12 s`, `3 min 5 s`, `2 h 4 min`
 */
export function duration(seconds) {
  if (seconds < 1) return "under 1 s";
  const whole = Math.round(seconds);
  if (whole < 60) return `${whole} s`;
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${whole % 60} s`;
  return `${Math.floor(whole / 3600)} h ${Math.floor((whole % 3600) / 60)} min`;
}

/**
 * A number of bytes.
 * @param {number} bytes
 * @returns {string} `812 B`, `3.4 MB`
 */
export function fileSize(bytes) {
  const units = ["B", "kB", "MB", "GB", "TB"];
  const power = bytes < 1 ? 0 : Math.min(units.length - 1, Math.floor(Math.log10(bytes) / 3));
  const value = bytes / 1000 ** power;
  return `${power && value < 10 ? value.toFixed(1) : Math.round(value)} ${units[power]}`;
}

/**
 * A number and what it counts.
 * @param {number} number
 * @param {string} one
 * @param {string} [many]
 * @returns {string} `1 frame`, `2 frames`
 */
export function count(number, one, many = `${one}s`) {
  return `${number} ${number === 1 ? one : many}`;
}
