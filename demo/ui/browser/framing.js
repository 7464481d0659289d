// How an image becomes the network's input, as demo/framing.py does it.

import { resample } from "./resample.js";

export const DEFAULT_SIDE = 512;

const STRIDE = 32;
const MAX_LONG_SIDE = 2048;
const LONGEST_WHOLE = 2; // long side / short side from which on "auto" keeps the proportions

/**
 * @typedef {{width: number, height: number}} Size
 * @typedef {"whole" | "aspect"} FramingName
 */

/**
 * Choose the framing that "auto" stands for.
 *
 * @param {Size} image
 * @param {FramingName | "auto"} name
 * @returns {FramingName}
 */
export function chooseFraming({ width, height }, name) {
  if (name !== "auto") return name;
  const isLong = Math.max(width, height) > LONGEST_WHOLE * Math.min(width, height);
  return isLong ? "aspect" : "whole";
}

/**
 * Compute the size of the network's input.
 *
 * @param {Size} image
 * @param {FramingName} name
 * @param {number} side of the square, or the short side for "aspect".
 * @returns {Size}
 */
export function planInput({ width, height }, name, side) {
  if (name === "whole") return { width: side, height: side };
  const scale = side / Math.min(width, height);
  const fit = (/** @type {number} */ length) =>
    Math.min(STRIDE * roundHalfToEven((length * scale) / STRIDE), MAX_LONG_SIDE);
  return { width: fit(width), height: fit(height) };
}

/** @param {number} value rounded as Python's round() does. */
function roundHalfToEven(value) {
  const floor = Math.floor(value);
  const rest = value - floor;
  if (rest !== 0.5) return Math.round(value);
  return floor % 2 ? floor + 1 : floor;
}

const SCALED = Float32Array.from({ length: 256 }, (_, value) => value * Math.fround(1 / 255));

/**
 * Turn an image into what the checkpoints expect: BGR, scaled by 1/255.
 *
 * @param {Uint8ClampedArray | Uint8Array} rgba rows of the image.
 * @param {Size} from size of the image.
 * @param {Size} to size of the network's input.
 * @returns {Float32Array} of shape (3, h, w), in [0, 1].
 */
export function toPixelValues(rgba, from, to) {
  const rgb = resample(rgba, from, to);
  const plane = to.width * to.height;
  const values = new Float32Array(3 * plane);
  for (let i = 0; i < plane; i++) {
    values[i] = SCALED[rgb[3 * i + 2]];
    values[plane + i] = SCALED[rgb[3 * i + 1]];
    values[2 * plane + i] = SCALED[rgb[3 * i]];
  }
  return values;
}
