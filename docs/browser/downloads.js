/** Downloads masks as files. */
import { parseColour } from "studio/colours.js";
import { MOST_BYTES, MOST_FILES, bytesInZip, indexPng, zip } from "./png.js";

/** @typedef {import("./session.js").Session} Session */

/**
 * Downloads the masks of all frames that have one, as a ZIP file.
 * @param {Session} session
 */
export async function downloadAll(session) {
  const { video } = session.state;
  const frames = [...session.masks.keys()].sort((one, other) => one - other);
  if (!video || !frames.length) return session.say("There are no masks yet: paint an object and track it.", "warning");
  if (frames.length > MOST_FILES) {
    return session.say(`A ZIP file holds at most ${MOST_FILES} masks, but there are ${frames.length}: use a shorter part of the video.`, "warning");
  }
  const files = [];
  let room = MOST_BYTES - 22; // the end record takes 22 bytes
  for (const frame of frames) {
    const file = { name: `${video.frameName(frame)}.png`, content: await maskFile(session, frame) };
    room -= bytesInZip(file);
    if (room < 0) return session.say("A ZIP file holds at most 4 GB, but these masks take more: use a shorter part of the video.", "warning");
    files.push(file);
  }
  offer(zip(files), "masks.zip");
}

/**
 * Downloads the mask of the shown frame.
 * @param {Session} session
 */
export async function downloadShown(session) {
  const { video } = session.state;
  if (!video || !session.masks.has(session.frame)) return session.say("This frame has no mask yet.", "warning");
  const content = /** @type {BlobPart} */ (await maskFile(session, session.frame));
  offer(new Blob([content], { type: "image/png" }), `${video.frameName(session.frame)}.png`);
}

/**
 * @param {Session} session
 * @param {number} frame
 * @returns {Promise<Uint8Array>}
 */
function maskFile(session, frame) {
  const colours = new Map([...session.colours].map(([id, colour]) => [id, parseColour(colour)]));
  return indexPng(session.mapOf(frame), colours);
}

/**
 * @param {Blob} content
 * @param {string} name
 */
function offer(content, name) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(content);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}
