/** Reads frames from a video or pictures that the user chose. They never leave the page. */
import { Queue } from "studio/queue.js";

/** @typedef {{ name: string, width: number, height: number, num_frames: number, frame_rate: number }} Facts */

/**
 * @typedef {Facts & {
 *   read: (frame: number) => Promise<ImageBitmap>,
 *   frameName: (frame: number) => string,
 *   close: () => void,
 * }} Footage `frameName`: the name, without suffix, of a file that belongs to the frame
 */

const PATIENCE_MS = 20_000;
const RATES = [24000 / 1001, 24, 25, 30000 / 1001, 30, 48, 50, 60000 / 1001, 60, 120];
const LOOKED_AT = 60; // frames played to find the rate
const LOOKED_AT_MS = 3000;
const PICTURES_RATE = 24; // frames per second for pictures

/**
 * Opens the chosen files.
 * @param {File[]} files one video, or pictures
 * @returns {Promise<Footage>}
 * @throws {Error} with a sentence for the user, if they cannot be used as frames
 */
export async function openFiles(files) {
  const pictures = files.filter((file) => file.type.startsWith("image/"));
  if (pictures.length && pictures.length === files.length) return openPictures(pictures);
  if (files.length === 1) return openVideo(files[0]);
  throw new Error("Choose one video, or its frames as pictures: these files are of different kinds.");
}

/**
 * @param {File[]} files
 * @returns {Promise<Footage>}
 */
async function openPictures(files) {
  const order = new Intl.Collator("en", { numeric: true });
  const sorted = [...files].sort((one, other) => order.compare(one.name, other.name));
  const stems = sorted.map(({ name }) => name.replace(/\.[^.]*$/, ""));
  const twice = stems.find((stem, place) => stems.indexOf(stem) !== place);
  if (twice !== undefined) throw new Error(`Two pictures are called ${twice}: their masks would have the same name.`);
  const first = await decoded(sorted[0]);
  const { width, height } = first;
  first.close();
  return {
    name: sorted.length === 1 ? sorted[0].name : `${sorted[0].name} – ${sorted[sorted.length - 1].name}`,
    width, height, num_frames: sorted.length, frame_rate: PICTURES_RATE,
    async read(frame) {
      const picture = await decoded(sorted[frame]);
      if (picture.width === width && picture.height === height) return picture;
      const [found, expected] = [`${picture.width} × ${picture.height}`, `${width} × ${height}`];
      picture.close();
      throw new Error(`${sorted[frame].name} has ${found} pixels, but the first picture has ${expected}: all must have the same size.`);
    },
    frameName: (frame) => stems[frame],
    close() {},
  };
}

/**
 * @param {File} file
 * @returns {Promise<ImageBitmap>}
 */
async function decoded(file) {
  try {
    return await createImageBitmap(file);
  } catch {
    throw new Error(`${file.name} is not a picture that this browser can read.`);
  }
}

/**
 * @param {File} file
 * @returns {Promise<Footage>}
 */
async function openVideo(file) {
  const video = document.createElement("video");
  Object.assign(video, { muted: true, playsInline: true, preload: "auto" });
  const problem = `${file.name} is not a video that this browser can play. Most browsers play WebM, and MP4 with H.264.`;
  video.src = URL.createObjectURL(file);
  const close = () => {
    URL.revokeObjectURL(video.src);
    video.removeAttribute("src");
    video.load(); // only this makes the browser release the file
  };
  try {
    await happened(video, "loadeddata", problem);
    if (!video.videoWidth) throw new Error(problem);
    if (!Number.isFinite(video.duration)) throw new Error(`${file.name} does not say how long it is.`);
    const frame_rate = await rateOf(video);
    return videoFrames(file.name, video, frame_rate, close);
  } catch (error) {
    close();
    throw error;
  }
}

/**
 * @param {string} name
 * @param {HTMLVideoElement} video
 * @param {number} frame_rate
 * @param {() => void} close
 * @returns {Footage}
 */
function videoFrames(name, video, frame_rate, close) {
  const num_frames = Math.max(1, Math.round(video.duration * frame_rate));
  const turns = new Queue();
  return {
    name, width: video.videoWidth, height: video.videoHeight, num_frames, frame_rate,
    read: (frame) => turns.add(async () => {
      if (!video.hasAttribute("src")) throw new Error(`${name} is closed.`);
      const sought = happened(video, "seeked", `Frame ${frame} of ${name} cannot be read.`);
      video.currentTime = Math.min((frame + 0.5) / frame_rate, video.duration - 1e-3); // the middle of the frame
      await sought;
      return createImageBitmap(video);
    }),
    frameName: (frame) => String(frame).padStart(5, "0"),
    close,
  };
}

/**
 * Finds the frame rate by playing the beginning, since browsers do not report it.
 * @param {HTMLVideoElement} video
 * @returns {Promise<number>} frames per second
 * @throws {Error} with a sentence for the user, if the browser does not report when frames are shown
 */
async function rateOf(video) {
  if (!video.requestVideoFrameCallback) {
    throw new Error("This browser cannot find the frame rate of videos (requestVideoFrameCallback): choose the frames as pictures.");
  }
  /** @type {number[]} */
  const times = [];
  const ended = new AbortController();
  let [asked, timer] = [0, 0];
  await new Promise((resolve) => {
    const note = (/** @type {number} */ _, /** @type {VideoFrameCallbackMetadata} */ { mediaTime }) => {
      times.push(mediaTime);
      if (times.length >= LOOKED_AT) resolve(null);
      else asked = video.requestVideoFrameCallback(note);
    };
    asked = video.requestVideoFrameCallback(note);
    video.addEventListener("ended", resolve, { signal: ended.signal });
    timer = setTimeout(resolve, LOOKED_AT_MS);
    video.play().catch(resolve);
  });
  ended.abort();
  clearTimeout(timer);
  video.cancelVideoFrameCallback(asked);
  video.pause();
  return rateOfTimes(times);
}

/**
 * The rate of frames that were shown at these times; some may have been skipped.
 * @param {number[]} times seconds
 * @returns {number} frames per second: a common rate if one is within 0.2 %; 25 if too few frames were shown
 */
export function rateOfTimes(times) {
  const steps = times.slice(1).map((time, place) => time - times[place]).filter((step) => step > 1e-3);
  if (!steps.length) return 25;
  const shortest = Math.min(...steps);
  const frames = steps.reduce((sum, step) => sum + Math.round(step / shortest), 0);
  const rate = frames / steps.reduce((sum, step) => sum + step, 0);
  const usual = RATES.reduce((best, each) => (Math.abs(each - rate) < Math.abs(best - rate) ? each : best));
  return Math.abs(usual - rate) / usual < 0.002 ? usual : rate;
}

/**
 * Waits for an event, and stops listening once it has come or can no longer come.
 * @param {HTMLVideoElement} video
 * @param {string} name of the event
 * @param {string} problem the error message if it does not come
 * @returns {Promise<unknown>}
 */
function happened(video, name, problem) {
  const settled = new AbortController();
  const { signal } = settled;
  let timer = 0;
  return new Promise((resolve, reject) => {
    const fail = () => reject(new Error(problem));
    timer = setTimeout(fail, PATIENCE_MS);
    video.addEventListener(name, resolve, { signal });
    for (const end of ["error", "emptied"]) video.addEventListener(end, fail, { signal });
  }).finally(() => {
    clearTimeout(timer);
    settled.abort();
  });
}
