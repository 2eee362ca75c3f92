/**
 * Computes the masks with ONNX Runtime and the exported graphs, outside the page's thread, so that the page stays responsive.
 * Answers each message `{ id, ask, ... }` with `{ id, answer }` or `{ id, problem }`.
 */
import { Tracker } from "./tracker.js";

/** @typedef {typeof import("onnxruntime-common")} Runtime */
/** @typedef {import("./tracker.js").Tensors} Tensors */
/** @typedef {import("./tracker.js").Memory} Memory */

const KEPT_EVERY = 10; // frames
const KEPT_AT_MOST = 20;

/** @type {Tracker} */
let tracker;
/** @type {Map<number, Memory>} the memory after some of the frames, oldest first */
const kept = new Map();
/** @type {{ frame: number, memory: Memory } | null} the memory after the last frame */
let latest = null;

/** @type {Record<string, (message: any) => Promise<unknown>>} */
const ANSWERS = { open, rewind, step };

self.onmessage = async ({ data: { id, ask, ...message } }) => {
  try {
    self.postMessage({ id, answer: await ANSWERS[ask](message) });
  } catch (error) {
    self.postMessage({ id, problem: error instanceof Error ? error.message : String(error) });
  }
};

/**
 * Reads the graphs.
 * @param {{ about: import("./tracker.js").About }} message
 * @returns {Promise<string>} the name of what runs the network
 */
async function open({ about }) {
  for (const engine of (await hasGpu()) ? ["webgpu", "wasm"] : ["wasm"]) {
    try {
      tracker = new Tracker(about, await runnerOf(engine, about));
      return engine === "webgpu" ? "WebGPU" : "WebAssembly";
    } catch (error) {
      if (engine === "wasm") throw error;
      console.warn("WebGPU cannot run the network, WebAssembly will:", error);
    }
  }
  throw new Error("This browser can run neither WebGPU nor WebAssembly.");
}

/** @returns {Promise<boolean>} whether WebGPU is available and not emulated by the CPU, which takes minutes per frame */
async function hasGpu() {
  try {
    const adapter = await /** @type {any} */ (navigator).gpu?.requestAdapter();
    return Boolean(adapter) && !adapter.info.isFallbackAdapter;
  } catch {
    return false;
  }
}

/**
 * @param {string} engine
 * @param {import("./tracker.js").About} about
 * @returns {Promise<(graph: string, inputs: Tensors) => Promise<Tensors>>}
 */
async function runnerOf(engine, about) {
  const folder = new URL("onnxruntime-web/", import.meta.url).href;
  /** @type {Runtime} */
  const runtime = await import(`${folder}ort.${engine}.min.mjs`);
  runtime.env.wasm.wasmPaths = folder;
  runtime.env.logLevel = "error";
  /** @type {Record<string, import("onnxruntime-common").InferenceSession>} */
  const sessions = {};
  for (const [name, { file }] of Object.entries(about.graphs)) {
    const path = new URL(`model/${file}`, import.meta.url).href;
    sessions[name] = await runtime.InferenceSession.create(path, { executionProviders: [engine] });
  }
  return async (graph, inputs) => {
    const feeds = Object.entries(inputs).map(([name, { data, dims }]) => [name, new runtime.Tensor("float32", data, dims)]);
    const results = await sessions[graph].run(Object.fromEntries(feeds));
    return /** @type {Tensors} */ (/** @type {unknown} */ (results));
  };
}

/**
 * Restores the last memory from before a frame.
 * @param {{ frame: number }} message
 * @returns {Promise<number>} the frame that this memory is from; -1 if it is empty
 */
async function rewind({ frame }) {
  if (latest && latest.frame < frame) return latest.frame;
  for (const known of [...kept.keys()]) if (known >= frame) kept.delete(known);
  const last = [...kept.keys()].at(-1) ?? -1;
  const memory = kept.get(last);
  latest = memory ? { frame: last, memory } : null;
  if (memory) tracker.memory = memory;
  else tracker.begin();
  return last;
}

/**
 * @param {object} message
 * @param {number} message.frame the one after the last, unless the memory is empty
 * @param {import("./tracker.js").Picture} message.picture
 * @param {number} message.shortSide in pixels, at which the network works
 * @param {import("./tracker.js").Given | null} message.given
 * @returns {Promise<Uint8Array>} labels
 */
async function step({ frame, picture, shortSide, given }) {
  const labels = await tracker.step(picture, shortSide, given);
  latest = { frame, memory: tracker.memory };
  if (frame % KEPT_EVERY === 0) kept.set(frame, tracker.memory);
  if (kept.size > KEPT_AT_MOST) kept.delete([...kept.keys()][0]);
  return labels;
}
