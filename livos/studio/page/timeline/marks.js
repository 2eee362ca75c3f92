/** Answers questions about the timeline: which frames have given masks, which are doubtful, which were tracked. */

/** @typedef {import("../protocol.js").Timeline} Timeline */

/**
 * @param {Timeline} timeline
 * @param {number | null} [id] of one object only
 * @returns {number[]} the frames with given masks, in ascending order
 */
export function markedFrames(timeline, id = null) {
  return Object.entries(timeline.marks)
    .filter(([, ids]) => (id === null ? ids.length > 0 : ids.includes(id)))
    .map(([frame]) => Number(frame))
    .sort((one, other) => one - other);
}

/**
 * The nearest of some frames in one direction.
 * @param {number[]} frames in ascending order
 * @param {number} from
 * @param {1 | -1} direction
 * @returns {number | null} null if there is none
 */
export function nextOf(frames, from, direction) {
  const found = direction > 0 ? frames.find((frame) => frame > from) : frames.findLast((frame) => frame < from);
  return found ?? null;
}

/**
 * The frames at which a doubtful stretch begins. A frame is doubtful if the confidence of some object is below the limit.
 * @param {Timeline} timeline
 * @param {number} below limit, 0 to 1
 * @param {number} frames the number of frames in the video
 * @param {ReadonlySet<number>} [hidden] objects to ignore
 * @returns {number[]} in ascending order
 */
export function doubtfulStretches(timeline, below, frames, hidden = new Set()) {
  const starts = [];
  let before = false;
  for (let frame = 0; frame < frames; frame++) {
    const doubtful = timeline.objects.some(
      ({ id, confidence }) => !hidden.has(id) && !isGiven(timeline, frame, id) && isBelow(confidence[frame], below)
    );
    if (doubtful && !before) starts.push(frame);
    before = doubtful;
  }
  return starts;
}

/**
 * @param {number | undefined} confidence 0 to 100, -1 for none
 * @param {number} limit 0 to 1
 * @returns {boolean}
 */
function isBelow(confidence, limit) {
  return confidence !== undefined && confidence >= 0 && confidence < 100 * limit;
}

/**
 * @param {Timeline} timeline
 * @param {number} frame
 * @param {number} id
 * @returns {boolean} whether the object's mask was given by hand on this frame
 */
export function isGiven(timeline, frame, id) {
  return timeline.marks[frame]?.includes(id) ?? false;
}

/**
 * The stretches between given masks of an object that can be refilled around a frame.
 * @param {number[]} marks frames with a given mask of the object, in ascending order
 * @param {number} frame the current one
 * @returns {[number, number][]} one stretch around the frame, or two that meet there if it has a given mask itself; only
 *   those with frames between their ends
 */
export function stretchesAround(marks, frame) {
  const before = nextOf(marks, frame, -1);
  const after = nextOf(marks, frame, 1);
  /** @type {[number | null, number | null][]} */
  const stretches = marks.includes(frame) ? [[before, frame], [frame, after]] : [[before, after]];
  return /** @type {[number, number][]} */ (
    stretches.filter(([first, last]) => first !== null && last !== null && last - first > 1)
  );
}

/**
 * Stretches of frames that were tracked in the same way.
 * @param {string} by one character a frame: `f`, `b`, `s`, or `.` for none
 * @returns {{ first: number, last: number, by: string }[]}
 */
export function doneStretches(by) {
  const stretches = [];
  for (let first = 0; first < by.length; ) {
    let end = first + 1;
    while (end < by.length && by[end] === by[first]) end++;
    if (by[first] !== ".") stretches.push({ first, last: end - 1, by: by[first] });
    first = end;
  }
  return stretches;
}

/**
 * Records a mask that has just been computed.
 * @param {Timeline} timeline changed in place
 * @param {{ frame: number, by: string, confidence: Record<string, number> }} event confidences by id, 0 to 1
 * @param {number} frames the number of frames in the video
 */
export function noteTracked(timeline, { frame, by, confidence }, frames) {
  const letter = by[0];
  for (const [key, value] of Object.entries(confidence)) {
    const id = Number(key);
    let object = timeline.objects.find((each) => each.id === id);
    if (!object) timeline.objects.push((object = { id, by: ".".repeat(frames), confidence: Array(frames).fill(-1) }));
    object.by = object.by.slice(0, frame) + letter + object.by.slice(frame + 1);
    object.confidence[frame] = Math.round(100 * value);
  }
}
