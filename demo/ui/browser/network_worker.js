// Runs the networks beside the page. Each request is answered with a result or an error; while files
// are fetched, their progress is told.

import { classifyPixels, countAreas, findWinners } from "./class_map.js";
import { chooseFraming, planInput, toPixelValues } from "./framing.js";
import { LiveMemory } from "./live_memory.js";
import { Sessions } from "./sessions.js";

/** @import { SiteFile } from "./downloads.js" */
/** @import { FramingName } from "./framing.js" */
/** @import { Site } from "./site.js" */
/** @import { AreaRow } from "../viewer/types.js" */

/**
 * What the worker is told first.
 *
 * @typedef {object} Setup
 * @property {string} base the page's address.
 * @property {Site["runtime"]} runtime
 * @property {Record<string, SiteFile>} networks by the variant's key.
 * @property {number} threads
 * @property {"real" | "any" | "none"} gpu which one may run live frames.
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
 * @property {string} processor what the network ran on, in words.
 * @property {boolean} isSmaller whether memory ran out, and the side was made smaller.
 * @property {Uint8Array} [classMap]
 * @property {[raw: number, smoothed: number] | null} [flicker] of live frames, see LiveHeader.
 */

const page = /** @type {Worker} */ (/** @type {unknown} */ (self));

/** @type {Sessions} */
let sessions;

/** How runtime and browsers say that memory ran out. */
const OUT_OF_MEMORY = /alloc|memory|OOM/i;
const NO_MEMORY = "There is too little memory for this network. Close other tabs and try again.";
const SMALLEST_SIDE = 256;

let memory = new LiveMemory();

const canvas = new OffscreenCanvas(1, 1);
const context = canvas.getContext("2d", { willReadFrequently: true });

/** Images are segmented one after the other. */
let turn = Promise.resolve();

page.onmessage = ({ data }) => {
  if ("base" in data) {
    sessions = new Sessions(data);
    return;
  }
  turn = turn.then(() => answer(data));
};

/** @param {SegmentRequest} request */
async function answer(request) {
  const { id } = request;
  try {
    await sessions.open(request.variant, (progress) => page.postMessage({ id, progress }));
    const result = await segment(request);
    const parts = [result.logits.buffer, ...(result.classMap ? [result.classMap.buffer] : [])];
    page.postMessage({ id, result }, parts);
  } catch (error) {
    page.postMessage({ id, error: error instanceof Error ? error.message : String(error) });
  }
}

/**
 * @param {SegmentRequest} request
 * @returns {Promise<SegmentAnswer>}
 */
async function segment({ variant, image, framing: asked, side, hasMap = false, live }) {
  const { data, width, height } = readPixels(image);
  const size = { width, height };
  const framing = chooseFraming(size, asked);
  const { input, output, ...run } = await runAtSide(variant, data, size, framing, side);
  const { grid, logits, processor } = output;
  /** @type {[number, number]} */
  const networkHw = [input.height, input.width];
  const facts = { grid, framing, networkHw, processor, ...run, ...size };
  if (live) {
    sessions.tryGpu(variant, input, output, run.elapsedMs); // goes on beside the next frames
    return { ...facts, ...remember(logits, grid, input, live) };
  }
  const winners = findWinners(logits, ...grid);
  const classMap = classifyPixels(logits, grid, winners, size);
  const found = { logits, winners, areas: countAreas(classMap) };
  return { ...facts, ...found, ...(hasMap ? { classMap } : {}) };
}

/**
 * Run a network on an image; at half the side where there is too little memory.
 *
 * @param {string} variant
 * @param {Uint8ClampedArray} data RGBA.
 * @param {{width: number, height: number}} size of the image.
 * @param {FramingName} framing
 * @param {number} side
 * @param {boolean} isSmaller whether this is half of the side that was asked for.
 */
async function runAtSide(variant, data, size, framing, side, isSmaller = false) {
  const planned = planInput(size, framing, side);
  try {
    const input = { ...planned, values: toPixelValues(data, size, planned) };
    const began = performance.now();
    const output = await sessions.run(variant, input);
    return { input, output, isSmaller, elapsedMs: performance.now() - began };
  } catch (error) {
    if (!OUT_OF_MEMORY.test(String(error))) throw error;
    if (side <= SMALLEST_SIDE) throw new Error(NO_MEMORY, { cause: error });
    return runAtSide(variant, data, size, framing, side / 2, true);
  }
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
