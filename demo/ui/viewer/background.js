// Draws a picture in which some classes are kept and everything else is blurred or replaced, as
// demo/background.py does it for files.

import { context2d, make, resize } from "./dom.js";
import { applyGuidedFilter, fitGuidedFilter } from "./edges.js";

/** @import { ClassField } from "./field.js" */
/** @import { Sampling } from "./sampling.js" */

/**
 * What stands behind the kept classes.
 *
 * @typedef {object} Effect
 * @property {"blurred" | "colour" | "picture" | "transparent"} kind
 * @property {string} colour as CSS writes it.
 * @property {ImageBitmap | null} picture cut to fill the image.
 * @property {Set<number>} kept ids of the classes that stay.
 * @property {boolean} refine let edges follow those of the picture.
 */

/**
 * A picture, and its size in pixels.
 *
 * @typedef {{image: HTMLImageElement | HTMLVideoElement, width: number, height: number}} Picture
 * @typedef {{image: CanvasImageSource, width: number, height: number}} Drawable
 */

/** How pictures are scaled, and the side of the grid on which refined edges are computed. */
export const STILL = /** @type {const} */ ({ grid: 256, smoothing: "high" });
export const LIVE = /** @type {const} */ ({ grid: 64, smoothing: "low" });

const BLURRED_SIDE = 32; // short side of the finest picture that the blurred one is made of

export class BackgroundPainter {
  /**
   * @param {HTMLCanvasElement} canvas
   * @param {{grid: number, smoothing: ImageSmoothingQuality}} quality see STILL and LIVE.
   */
  constructor(canvas, { grid, smoothing }) {
    this.canvas = canvas;
    this.grid = grid;
    this.smoothing = smoothing;
    this.part = make("canvas");
    this.guide = make("canvas");
    this.mask = make("canvas");
    /** @type {HTMLCanvasElement[]} from the finest to the coarsest. */
    this.levels = Array.from({ length: 5 }, () => make("canvas"));
    this.enlarged = Array.from({ length: 3 }, () => make("canvas"));
  }

  /**
   * Fill the canvas.
   *
   * @param {Picture} picture
   * @param {ClassField} field the result for it.
   * @param {Sampling} sampling the part of the field's image that the canvas shows.
   * @param {Effect} effect
   */
  paint(picture, field, sampling, effect) {
    const { canvas, grid } = this;
    const { width, height } = canvas;
    if (!width || !height || !picture.width) return;
    const whole = { left: 0, top: 0, stepX: field.width / grid, stepY: field.height / grid };
    const onGrid = keptPoints(field, whole, grid, grid, effect.kept);
    const part = partOf(field, sampling, width, height);
    const pixels = readPart(this.part, picture, part, [width, height], this.smoothing);
    const shown = isWhole(part) ? { image: this.part, width, height } : picture;
    const alpha = effect.refine
      ? this.#refine(shown, onGrid, pixels, part)
      : keptPoints(field, sampling, width, height, effect.kept).map((kept) => 255 * kept);
    for (let i = 0; i < alpha.length; i++) pixels.data[4 * i + 3] = alpha[i];
    const context = context2d(canvas);
    context.putImageData(pixels, 0, 0);
    context.globalCompositeOperation = "destination-over";
    if (effect.kind === "blurred") {
      drawPart(context, this.#blur(shown, onGrid), part);
    } else if (effect.kind === "colour") {
      context.fillStyle = effect.colour;
      context.fillRect(0, 0, width, height);
    } else if (effect.kind === "picture" && effect.picture) {
      drawFilling(context, effect.picture, field, part);
    }
  }

  /**
   * Compute alpha with edges that follow the picture.
   *
   * @param {Drawable} picture
   * @param {Uint8Array} onGrid 1 where a point of the grid is kept.
   * @param {ImageData} pixels of the part that the canvas shows.
   * @param {Part} part
   */
  #refine(picture, onGrid, pixels, part) {
    const { grid } = this;
    const guide = readPart(this.guide, picture, WHOLE, [grid, grid], this.smoothing);
    const coefficients = fitGuidedFilter(guide.data, onGrid, grid);
    return applyGuidedFilter(coefficients, grid, pixels.data, pixels, part);
  }

  /**
   * Blur what is not kept. The kept part is cut out, and the holes are filled by ever coarser
   * pictures, so that no halo surrounds it.
   *
   * @param {Drawable} picture
   * @param {Uint8Array} onGrid
   */
  #blur(picture, onGrid) {
    drawAlpha(this.mask, onGrid.map((kept) => 255 * kept), this.grid, this.grid);
    const shrink = BLURRED_SIDE / Math.min(picture.width, picture.height);
    this.levels.forEach((level, i) => {
      const size = [picture.width, picture.height].map((length) =>
        Math.max(1, Math.round((length * shrink) / 2 ** i)),
      );
      Object.assign(level, { width: size[0], height: size[1] }); // clears it, too
      const context = context2d(level);
      const finer = this.levels[i - 1];
      context.drawImage(finer ?? picture.image, 0, 0, level.width, level.height);
      if (finer) return;
      context.globalCompositeOperation = "destination-out";
      context.drawImage(this.mask, 0, 0, level.width, level.height);
    });
    const [finest] = this.levels;
    const context = context2d(finest);
    context.globalCompositeOperation = "destination-over";
    for (const level of this.levels.slice(1)) {
      // a second time, because a coarser picture is translucent where the kept part was
      for (let i = 0; i < 2; i++) context.drawImage(level, 0, 0, finest.width, finest.height);
    }
    return this.#enlarge(finest);
  }

  /**
   * Enlarge a small picture in steps, which leaves it smoother than one step does.
   *
   * @param {HTMLCanvasElement} small
   */
  #enlarge(small) {
    let last = small;
    for (const canvas of this.enlarged) {
      Object.assign(canvas, { width: 2 * last.width, height: 2 * last.height });
      context2d(canvas).drawImage(last, 0, 0, canvas.width, canvas.height);
      last = canvas;
    }
    return { image: last, width: last.width, height: last.height };
  }
}

/**
 * A part of an image, as fractions of it.
 *
 * @typedef {{left: number, top: number, right: number, bottom: number}} Part
 */

/** @type {Part} */
export const WHOLE = { left: 0, top: 0, right: 1, bottom: 1 };

/**
 * Read the pixels of a part of a picture.
 *
 * @param {HTMLCanvasElement} canvas is used for it.
 * @param {Drawable} picture
 * @param {Part} part
 * @param {[width: number, height: number]} size of what is read.
 * @param {ImageSmoothingQuality} smoothing
 */
export function readPart(canvas, picture, part, [width, height], smoothing) {
  resize(canvas, width, height);
  const context = canvas.getContext("2d", { willReadFrequently: true });
  if (!context) throw new Error("The browser gives no 2D canvas.");
  context.imageSmoothingQuality = smoothing;
  drawPart(context, picture, part);
  return context.getImageData(0, 0, width, height);
}

/** @param {Part} part */
function isWhole({ left, top, right, bottom }) {
  return left <= 0 && top <= 0 && right > 1 - 1e-6 && bottom > 1 - 1e-6;
}

/**
 * @param {{width: number, height: number}} field
 * @param {Sampling} sampling
 * @param {number} width
 * @param {number} height
 * @returns {Part}
 */
export function partOf(field, { left, top, stepX, stepY }, width, height) {
  return {
    left: left / field.width,
    top: top / field.height,
    right: (left + stepX * width) / field.width,
    bottom: (top + stepY * height) / field.height,
  };
}

/**
 * Find which points of a raster are of a kept class: 1, and 0 elsewhere.
 *
 * @param {ClassField} field
 * @param {Sampling} sampling
 * @param {number} width
 * @param {number} height
 * @param {Set<number>} kept
 */
function keptPoints(field, sampling, width, height, kept) {
  const isKept = Uint8Array.from({ length: 256 }, (_, id) => Number(kept.has(id)));
  return field.rasterise(sampling, width, height).map((id) => isKept[id]);
}

/**
 * @param {HTMLCanvasElement} canvas
 * @param {ArrayLike<number>} alpha in [0, 255].
 * @param {number} width
 * @param {number} height
 */
function drawAlpha(canvas, alpha, width, height) {
  resize(canvas, width, height);
  const context = context2d(canvas);
  const picture = context.createImageData(width, height);
  const pixels = new Uint32Array(picture.data.buffer);
  for (let i = 0; i < pixels.length; i++) pixels[i] = alpha[i] << 24;
  context.putImageData(picture, 0, 0);
}

/**
 * Draw a part of a picture over the whole canvas.
 *
 * @param {CanvasRenderingContext2D} context
 * @param {Drawable} picture
 * @param {Part} part
 */
function drawPart(context, { image, width, height }, { left, top, right, bottom }) {
  const { canvas } = context;
  const [x, y] = [left * width, top * height];
  const [across, down] = [(right - left) * width, (bottom - top) * height];
  context.drawImage(image, x, y, across, down, 0, 0, canvas.width, canvas.height);
}

/**
 * Draw a picture so that it fills the image, and cut off equally what is too much.
 *
 * @param {CanvasRenderingContext2D} context
 * @param {ImageBitmap} picture
 * @param {{width: number, height: number}} image
 * @param {Part} part of the image that the canvas shows.
 */
function drawFilling(context, picture, image, part) {
  const scale = Math.max(image.width / picture.width, image.height / picture.height);
  const [width, height] = [image.width / scale, image.height / scale];
  const [left, top] = [(picture.width - width) / 2, (picture.height - height) / 2];
  const shown = {
    left: (left + part.left * width) / picture.width,
    right: (left + part.right * width) / picture.width,
    top: (top + part.top * height) / picture.height,
    bottom: (top + part.bottom * height) / picture.height,
  };
  drawPart(context, { image: picture, width: picture.width, height: picture.height }, shown);
}
