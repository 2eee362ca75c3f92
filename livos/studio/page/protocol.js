/**
 * The types of what the server sends. Frames are numbered from 0; points are in pixels of the whole frame.
 *
 * @typedef {{ id: number, name: string, color: string, hidden: boolean, locked: boolean }} TrackedObject
 * @typedef {{ name: string, width: number, height: number, num_frames: number, frame_rate: number, has_sound: boolean }} Video
 * @typedef {{ weights: string, size: number | null, precision: string, device: string }} Settings
 * @typedef {{ weights: string[], precisions: string[], devices: string[] }} Choices
 * @typedef {{ first: number, last: number }} FrameRange
 * @typedef {{ id: number, folder: string, kinds: string[], first: number, last: number, files: number, bytes: number }} Export
 *
 * @typedef {object} Job
 * @property {number} id
 * @property {"track" | "refill" | "export" | "import"} kind
 * @property {string} title
 * @property {number} first
 * @property {number} last
 * @property {number} frame the last finished one
 * @property {number} done
 * @property {number} total
 * @property {number | null} rate frames per second
 * @property {number | null} left_s seconds
 *
 * @typedef {object} State
 * @property {"choose" | "opening" | "missing" | "ready"} phase
 * @property {string} sentence
 * @property {{ name: string, folder: string } | null} project
 * @property {Video | null} video
 * @property {TrackedObject[]} objects
 * @property {FrameRange | null} range in and out points, null if no project is open
 * @property {Settings | null} settings null if no project is open
 * @property {Choices} choices
 * @property {string | null} undo
 * @property {string | null} redo
 * @property {Job | null} job
 * @property {Export[]} exports
 * @property {number} doubtful_below 0 to 1
 * @property {boolean} demo whether the demo clip is on this machine
 *
 * @typedef {object} Timeline
 * @property {Record<string, number[]>} marks ids of given masks by frame
 * @property {{ id: number, by: string, confidence: number[] }[]} objects one character and one number per frame
 *
 * @typedef {{ id: string, name: string, kind: "folder" | "video" | "frames" | "project", size: number | null }} Entry
 * @typedef {{ title: string, parent: string | null, entries: Entry[] }} Listing
 */

export {};
