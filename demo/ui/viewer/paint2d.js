// Paints a field on a 2D canvas with typed arrays: where there is no GPU.

import { NOT_SEEN } from "./field.js";
import { confidenceColour, isStriped, STRIPE_GREY } from "./style.js";

export class Painter2D {
  /** @param {HTMLCanvasElement} canvas */
  constructor(canvas) {
    this.canvas = canvas;
    this.context = canvas.getContext("2d");
    this.field = null;
    this.raster = null;
  }

  setField(field) {
    this.field = field;
    this.raster = null;
  }

  /**
   * @param {{left: number, top: number, stepX: number, stepY: number}} view see Field.rasterise.
   * @param {object} style see style.js.
   */
  paint(view, style) {
    const { width, height } = this.canvas;
    if (!this.field || !width || !height) return;
    const raster = this.#rasterise(view, width, height, style.needsConfidence);
    const picture = this.context.createImageData(width, height);
    const pixels = new Uint32Array(picture.data.buffer);
    const colours = style.colours;
    const { ids, confidence } = raster;
    for (let i = 0; i < ids.length; i++) pixels[i] = colours[ids[i]];
    if (style.mode === "confidence") paintConfidence(pixels, ids, confidence);
    else if (style.threshold > 0) paintUnsure(pixels, ids, confidence, style);
    if (style.outlineWidth) paintOutlines(pixels, ids, width, style);
    if (raster.hasNotSeen) paintStripes(pixels, ids, width);
    this.context.putImageData(picture, 0, 0);
  }

  #rasterise(view, width, height, withConfidence) {
    const key = [view.left, view.top, view.stepX, view.stepY, width, height].join();
    const kept = this.raster;
    if (kept && kept.key === key && (kept.confidence || !withConfidence)) return kept;
    const { ids, confidence } = this.field.rasterise(view, width, height, withConfidence);
    this.raster = { key, ids, confidence, hasNotSeen: ids.includes(NOT_SEEN) };
    return this.raster;
  }
}

function paintConfidence(pixels, ids, confidence) {
  for (let i = 0; i < ids.length; i++) {
    pixels[i] = ids[i] === NOT_SEEN ? 0 : confidenceColour(confidence[i]);
  }
}

function paintUnsure(pixels, ids, confidence, { threshold, unsureColour }) {
  for (let i = 0; i < ids.length; i++) {
    if (confidence[i] < threshold && ids[i] !== NOT_SEEN) pixels[i] = unsureColour;
  }
}

/** The last pixels of a class before another one, to the right or below, are drawn opaque. */
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

function paintStripes(pixels, ids, width) {
  for (let i = 0; i < ids.length; i++) {
    if (ids[i] === NOT_SEEN && isStriped(i % width, Math.floor(i / width))) pixels[i] = STRIPE_GREY;
  }
}
