// Runs the networks beside the page. Each request is answered with a result or an error; while files
// are fetched, their progress is told.

import { classifyPixels, countAreas, findWinners } from "./class_map.js";
import { fetchFile } from "./downloads.js";
import { chooseFraming, planInput, toPixelValues } from "./framing.js";
import { LiveMemory } from "./live_memory.js";

/** @import { SiteFile } from "./downloads.js" */
/** @import { FramingName } from "./framing.js" */
/** @import { AreaRow } from "../viewer/types.js" */
/** @import { InferenceSession } from "onnxruntime-web" */

/**
 * What the worker is told first.
 *
 * @typedef {object} Setup
 * @property {string} base the page's address.
 * @property {{module: SiteFile, wasm: SiteFile, loader: SiteFile}} runtime
 * @property {Record<string, SiteFile>} networks by the variant's key.
 * @property {number} threads
 */

/**
 * One image to segment; its memory is handed over.
 *
 * @typedef {object} SegmentRequest
 * @property {number} id is sent back.
 * @property {ImageBitmap | VideoFrame | ImageData} image
 * @property {string} variant
 * @property {FramingName | "auto"} framing
 * @property {number} side
 * @property {boolean} [hasMap] whether the class map is to be sent, too.
 * @property {{smoothing: number, isFirst: boolean}} [live] for a frame of a camera: the weight of
 *     the past in [0, 0.95], and whether the frame begins a session. Areas are then fractions.
 */

/**
 * What the network said of one image.
 *
 * @typedef {object} SegmentAnswer
 * @property {Float32Array} logits of shape (21, h, w).
 * @property {[h: number, w: number]} grid
 * @property {number[]} winners
 * @property {AreaRow[]} areas
 * @property {FramingName} framing
 * @property {[h: number, w: number]} networkHw size of the network's input.
 * @property {number} width of the image.
 * @property {number} height
 * @property {number} elapsedMs of the network alone.
 * @property {Uint8Array} [classMap]
 * @property {[raw: number, smoothed: number] | null} [flicker] of live frames, see LiveHeader.
 */

const page = /** @type {Worker} */ (/** @type {unknown} */ (self));

/** @type {Setup} */
let setup;

/** @type {Promise<typeof import("onnxruntime-web")> | null} */
let runtime = null;

/** @type {Map<string, Promise<InferenceSession>>} */
const sessions = new Map();

let memory = new LiveMemory();

const canvas = new OffscreenCanvas(1, 1);
const context = canvas.getContext("2d", { willReadFrequently: true });

/** Images are segmented one after the other. */
let turn = Promise.resolve();

page.onmessage = ({ data }) => {
  if ("base" in data) {
    setup = data;
    return;
  }
  turn = turn.then(() => answer(data));
};

/** @param {SegmentRequest} request */
async function answer(request) {
  const { id } = request;
  try {
    const session = await openSession(request.variant, (progress) =>
      page.postMessage({ id, progress }),
    );
    const result = await segment(session, request);
    const parts = [result.logits.buffer, ...(result.classMap ? [result.classMap.buffer] : [])];
    page.postMessage({ id, result }, parts);
  } catch (error) {
    page.postMessage({ id, error: error instanceof Error ? error.message : String(error) });
  }
}

/**
 * @param {string} variant
 * @param {(progress: {loaded: number, total: number}) => void} onProgress in bytes.
 */
function openSession(variant, onProgress) {
  let session = sessions.get(variant);
  if (!session) {
    session = createSession(variant, onProgress);
    sessions.set(variant, session);
    session.catch(() => sessions.delete(variant)); // the next request tries again
  }
  return session;
}

/**
 * @param {string} variant
 * @param {(progress: {loaded: number, total: number}) => void} onProgress
 */
async function createSession(variant, onProgress) {
  const files = [setup.networks[variant], ...(runtime ? [] : [setup.runtime.wasm])];
  const loaded = files.map(() => 0);
  const total = files.reduce((sum, { bytes }) => sum + bytes, 0);
  const [network, wasm] = await Promise.all(
    files.map((file, i) =>
      fetchFile(file, setup.base, (bytes) => {
        loaded[i] = bytes;
        onProgress({ loaded: loaded.reduce((sum, part) => sum + part, 0), total });
      }),
    ),
  );
  if (wasm) runtime = startRuntime(wasm);
  const ort = await /** @type {NonNullable<typeof runtime>} */ (runtime);
  return ort.InferenceSession.create(network, { executionProviders: ["wasm"] });
}

/** @param {Uint8Array<ArrayBuffer>} wasm */
async function startRuntime(wasm) {
  const module = new URL(setup.runtime.module.path, setup.base).href;
  /** @type {typeof import("onnxruntime-web")} */
  const ort = await import(module);
  ort.env.wasm.wasmBinary = wasm;
  ort.env.wasm.wasmPaths = { mjs: new URL(setup.runtime.loader.path, setup.base).href };
  ort.env.wasm.numThreads = setup.threads;
  return ort;
}

/**
 * @param {InferenceSession} session
 * @param {SegmentRequest} request
 * @returns {Promise<SegmentAnswer>}
 */
async function segment(session, { image, framing: asked, side, hasMap = false, live }) {
  const { data, width, height } = readPixels(image);
  const size = { width, height };
  const framing = chooseFraming(size, asked);
  const input = planInput(size, framing, side);
  const values = toPixelValues(data, size, input);
  const began = performance.now();
  const { logits, grid } = await run(session, values, input);
  /** @type {[number, number]} */
  const networkHw = [input.height, input.width];
  const facts = { grid, framing, networkHw, elapsedMs: performance.now() - began, ...size };
  if (live) return { ...facts, ...remember(logits, grid, { values, ...input }, live) };
  const winners = findWinners(logits, ...grid);
  const classMap = classifyPixels(logits, grid, winners, size);
  const found = { logits, winners, areas: countAreas(classMap) };
  return { ...facts, ...found, ...(hasMap ? { classMap } : {}) };
}

/**
 * Smooth the logits of a frame over time.
 *
 * @param {Float32Array} logits
 * @param {[h: number, w: number]} grid
 * @param {{values: Float32Array, width: number, height: number}} input the frame as the network saw
 *     it.
 * @param {NonNullable<SegmentRequest["live"]>} live
 */
function remember(logits, grid, input, { smoothing, isFirst }) {
  if (isFirst) memory = new LiveMemory();
  const { smoothed, winners, classMap, flicker } = memory.add(logits, grid, input, smoothing);
  const pixels = input.width * input.height;
  const areas = countAreas(classMap).map(
    ([id, count]) => /** @type {AreaRow} */ ([id, count / pixels]),
  );
  return { logits: smoothed.slice(), winners, areas, flicker };
}

/**
 * @param {InferenceSession} session
 * @param {Float32Array} values of shape (3, h, w).
 * @param {{width: number, height: number}} input
 */
async function run(session, values, { width, height }) {
  const ort = await /** @type {NonNullable<typeof runtime>} */ (runtime);
  const tensor = new ort.Tensor("float32", values, [1, 3, height, width]);
  const { logits } = await session.run({ pixel_values: tensor });
  const [, , rows, columns] = logits.dims;
  /** @type {[number, number]} */
  const grid = [rows, columns];
  return { logits: /** @type {Float32Array} */ (logits.data).slice(), grid };
}

/** @param {SegmentRequest["image"]} image */
function readPixels(image) {
  if (image instanceof ImageData) return image;
  const isFrame = "displayWidth" in image;
  const width = isFrame ? image.displayWidth : image.width;
  const height = isFrame ? image.displayHeight : image.height;
  if (canvas.width !== width || canvas.height !== height) Object.assign(canvas, { width, height });
  if (!context) throw new Error("The browser gives no 2D canvas. Close other tabs and try again.");
  context.fillStyle = "white"; // transparency is laid over white
  context.fillRect(0, 0, width, height);
  context.drawImage(image, 0, 0, width, height);
  image.close();
  return context.getImageData(0, 0, width, height);
}
