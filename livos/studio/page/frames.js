/** Fetches pictures and masks of frames from the server, and keeps the most recent ones. */
import { Cache } from "./cache.js";
import { LabelMap } from "./masks/label_map.js";
import { decodeRuns, runsOfBytes } from "./masks/runs.js";

/** @typedef {import("./server.js").Server} Server */
/** @typedef {import("./protocol.js").Video} Video */

/** A mask and the objects that were given by hand on its frame. @typedef {{ map: LabelMap, given: number[] }} Mask */

const WIDTHS = [96, 160, 320, 640, 960, 1280, 1920];
const QUICK_WIDTH = 960;
const PICTURES_BYTES = 192 * 2 ** 20;
const MASKS_BYTES = 96 * 2 ** 20;

/**
 * The width at which the server sends a picture.
 * @param {number} wanted the least width
 * @param {number} full the video's width
 * @returns {number} `full` if nothing smaller is wide enough
 */
export function offeredWidth(wanted, full) {
  return Math.min(full, WIDTHS.find((width) => width >= wanted) ?? full);
}

export class Frames {
  /**
   * @param {Server} server
   * @param {Video} video
   * @param {string} version differs between projects, so that the browser's cache does not mix up their frames
   */
  constructor(server, video, version) {
    this.server = server;
    this.video = video;
    this.version = version;
    /** @type {Cache<ImageBitmap>} */
    this.pictures = new Cache(
      PICTURES_BYTES,
      (picture) => 4 * picture.width * picture.height,
      () => {} // a picture may still be on the stage: the browser frees it when nothing refers to it
    );
    /** @type {Cache<Mask>} */
    this.masks = new Cache(MASKS_BYTES, (mask) => mask.map.labels.length);
    /** @type {Map<number, number>} how often each frame's mask was dropped, to recognise outdated answers */
    this.dropped = new Map();
    this.droppedAll = 0;
  }

  /**
   * The picture of a frame, if one at least this wide has already been loaded.
   * @param {number} frame
   * @param {number} width
   * @returns {ImageBitmap | undefined}
   */
  keptPicture(frame, width) {
    for (const offered of [...WIDTHS.filter((each) => each >= width && each < this.video.width), this.video.width]) {
      const picture = this.pictures.get(`${frame} ${offered}`);
      if (picture) return picture;
    }
    return undefined;
  }

  /**
   * @param {number} frame
   * @param {number} width in device pixels, at which it will be shown
   * @param {AbortSignal} [signal]
   * @returns {Promise<ImageBitmap>}
   */
  async picture(frame, width, signal) {
    const kept = this.keptPicture(frame, width);
    if (kept) return kept;
    const offered = offeredWidth(width, this.video.width);
    const query = offered < this.video.width ? `width=${offered}&` : "";
    const answer = await this.server.request(`/api/frames/${frame}?${query}v=${this.version}`, { signal });
    const picture = await createImageBitmap(await answer.blob());
    this.pictures.set(`${frame} ${offered}`, picture);
    return picture;
  }

  /**
   * What can be shown at once in place of a frame: the frame itself, or the key frame before it if the frame takes long to
   * decode. It may be less sharp than wanted.
   * @param {number} frame
   * @param {number} width as for `picture`
   * @returns {Promise<{ frame: number, picture: ImageBitmap }>} which frame it is, and its picture
   */
  async quickPicture(frame, width) {
    const kept = this.keptPicture(frame, width);
    if (kept) return { frame, picture: kept };
    const offered = offeredWidth(Math.min(width, QUICK_WIDTH), this.video.width);
    const query = offered < this.video.width ? `width=${offered}&` : "";
    const answer = await this.server.request(`/api/frames/${frame}?${query}quick=1`);
    const found = Number(answer.headers.get("X-Studio-Frame") ?? frame);
    const picture = await createImageBitmap(await answer.blob());
    this.pictures.set(`${found} ${offered}`, picture);
    return { frame: found, picture };
  }

  /**
   * @param {number} frame
   * @param {AbortSignal} [signal]
   * @returns {Promise<Mask>}
   */
  async mask(frame, signal) {
    const kept = this.masks.get(frame);
    if (kept) return kept;
    const age = this.age(frame);
    const answer = await this.server.request(`/api/masks/${frame}`, { signal });
    const given = (answer.headers.get("X-Studio-Given") ?? "").split(",").filter(Boolean).map(Number);
    const { width, height } = this.video;
    const labels = decodeRuns(runsOfBytes(await answer.arrayBuffer()), width * height);
    const mask = { map: new LabelMap(width, height, labels), given };
    if (age === this.age(frame)) this.masks.set(frame, mask);
    return mask;
  }

  /**
   * A text that changes whenever the frame's mask is dropped.
   * @param {number} frame
   * @returns {string}
   */
  age(frame) {
    return `${this.droppedAll} ${this.dropped.get(frame) ?? 0}`;
  }

  /**
   * Forgets masks that have changed on the server.
   * @param {number} first
   * @param {number} last
   */
  dropMasks(first, last) {
    if (first === last) this.dropped.set(first, (this.dropped.get(first) ?? 0) + 1);
    else this.droppedAll++;
    for (const key of [...this.masks.kept.keys()].map(Number)) if (key >= first && key <= last) this.masks.delete(key);
  }
}
