// Paints a field on a 2D canvas with typed arrays, for browsers without a GPU.

import { context2d } from "./dom.js";
import { NOT_SEEN } from "./field.js";
import { confidenceColour, isStriped, STRIPE_GREY } from "./style.js";

/** @import { ClassField } from "./field.js" */
/** @import { Sampling } from "./sampling.js" */
/** @import { Style } from "./style.js" */

/**
 * A class map of the canvas.
 *
 * @typedef {object} Raster
 * @property {string} key tells what it was made for.
 * @property {Uint8Array} ids
 * @property {Float32Array | null} confidence
 * @property {boolean} hasNotSeen
 */

export class Painter2D {
  /** @param {HTMLCanvasElement} canvas */
  constructor(canvas) {
    this.canvas = canvas;
    this.context = context2d(canvas);
    /** @type {ClassField | null} */
    this.field = null;
    /** @type {Raster | null} the last raster, which many changes of style can use again. */
    this.raster = null;
  }

  /** @param {ClassField} field */
  setField(field) {
    this.field = field;
    this.raster = null;
  }

  /**
   * @param {Sampling} sampling
   * @param {Style} style
   */
  paint(sampling, style) {
    const { width, height } = this.canvas;
    if (!this.field || !width || !height) return;
    const raster = this.#rasterise(this.field, sampling, style.needsConfidence);
    const picture = this.context.createImageData(width, height);
    const pixels = new Uint32Array(picture.data.buffer);
    const colours = style.colours;
    const { ids, confidence } = raster;
    for (let i = 0; i < ids.length; i++) pixels[i] = colours[ids[i]];
    if (confidence && style.mode === "confidence") paintConfidence(pixels, ids, confidence);
    else if (confidence && style.threshold > 0) paintUnsure(pixels, ids, confidence, style);
    if (style.outlineWidth) paintOutlines(pixels, ids, width, style);
    if (raster.hasNotSeen) paintStripes(pixels, ids, width);
    this.context.putImageData(picture, 0, 0);
  }

  /**
   * @param {ClassField} field
   * @param {Sampling} sampling
   * @param {boolean} withConfidence
   * @returns {Raster}
   */
  #rasterise(field, sampling, withConfidence) {
    const { width, height } = this.canvas;
    const { left, top, stepX, stepY } = sampling;
    const key = [left, top, stepX, stepY, width, height].join();
    const last = this.raster;
    if (last?.key === key && (last.confidence || !withConfidence)) return last;
    const confidence = withConfidence ? new Float32Array(width * height) : null;
    const ids = field.rasterise(sampling, width, height, confidence);
    this.raster = { key, ids, confidence, hasNotSeen: ids.includes(NOT_SEEN) };
    return this.raster;
  }
}

/**
 * @param {Uint32Array} pixels
 * @param {Uint8Array} ids
 * @param {Float32Array} confidence
 */
function paintConfidence(pixels, ids, confidence) {
  for (let i = 0; i < ids.length; i++) {
    pixels[i] = ids[i] === NOT_SEEN ? 0 : confidenceColour(confidence[i]);
  }
}

/**
 * @param {Uint32Array} pixels
 * @param {Uint8Array} ids
 * @param {Float32Array} confidence
 * @param {Style} style
 */
function paintUnsure(pixels, ids, confidence, { threshold, unsureColour }) {
  for (let i = 0; i < ids.length; i++) {
    if (confidence[i] < threshold && ids[i] !== NOT_SEEN) pixels[i] = unsureColour;
  }
}

/**
 * Paint the last pixels of a class before another one, to the right or below, opaque.
 *
 * @param {Uint32Array} pixels
 * @param {Uint8Array} ids
 * @param {number} width of the canvas.
 * @param {Style} style
 */
function paintOutlines(pixels, ids, width, { outlineColours, outlineWidth }) {
  for (let i = 0; i < ids.length; i++) {
    const right = (i % width) + outlineWidth < width ? ids[i + outlineWidth] : ids[i];
    const below = ids[i + outlineWidth * width] ?? ids[i];
    if (right === ids[i] && below === ids[i]) continue;
    // background and hidden classes have no outline of their own
    const colour = outlineColours[ids[i]] || outlineColours[right] || outlineColours[below];
    if (colour) pixels[i] = colour;
  }
}

/**
 * @param {Uint32Array} pixels
 * @param {Uint8Array} ids
 * @param {number} width of the canvas.
 */
function paintStripes(pixels, ids, width) {
  for (let i = 0; i < ids.length; i++) {
    if (ids[i] === NOT_SEEN && isStriped(i % width, Math.floor(i / width))) pixels[i] = STRIPE_GREY;
  }
}
