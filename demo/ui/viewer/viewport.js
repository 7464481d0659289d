// Which part of the image is on the stage: zoom and pan.

/** @import { Sampling } from "./sampling.js" */

const MOST = 32;
const STEP = 1.5;

export class Viewport {
  constructor() {
    this.image = { width: 1, height: 1 };
    this.stage = { width: 1, height: 1 };
    this.photo = "";
    this.zoom = 1;
    this.centre = { x: 0.5, y: 0.5 };
  }

  /** Show the image whole. */
  reset() {
    this.zoom = 1;
    this.centre = { x: this.image.width / 2, y: this.image.height / 2 };
  }

  /**
   * Show an image whole, unless it is shown already.
   *
   * @param {{photo: string, width: number, height: number}} image
   */
  show({ photo, width, height }) {
    if (photo === this.photo) return;
    this.photo = photo;
    this.image = { width, height };
    this.reset();
  }

  /** CSS pixels of the screen for each pixel of the image. */
  get scale() {
    const { image, stage } = this;
    return Math.min(stage.width / image.width, stage.height / image.height) * this.zoom;
  }

  /** Where the upper left corner of the image lies on the stage. */
  get offset() {
    const { centre, image, stage } = this;
    return {
      x: this.#offsetAlong(stage.width, image.width, centre.x),
      y: this.#offsetAlong(stage.height, image.height, centre.y),
    };
  }

  /**
   * @param {number} stage length of the stage along an axis.
   * @param {number} image length of the image.
   * @param {number} centre what of the image is to be in the middle of the stage.
   */
  #offsetAlong(stage, image, centre) {
    const length = image * this.scale;
    if (length <= stage) return (stage - length) / 2;
    return Math.min(0, Math.max(stage - length, stage / 2 - centre * this.scale));
  }

  /** The visible part of the image on the stage, in CSS pixels. */
  get visible() {
    const { offset, scale, image, stage } = this;
    const left = Math.max(0, offset.x);
    const top = Math.max(0, offset.y);
    return {
      left,
      top,
      width: Math.min(stage.width, offset.x + image.width * scale) - left,
      height: Math.min(stage.height, offset.y + image.height * scale) - top,
    };
  }

  /**
   * Lay a raster over the visible part of the image.
   *
   * @param {number} density pixels of the raster for each CSS pixel.
   * @returns {{width: number, height: number, sampling: Sampling}}
   */
  sample(density) {
    const { offset, scale, visible } = this;
    const width = Math.max(1, Math.round(visible.width * density));
    const height = Math.max(1, Math.round(visible.height * density));
    const sampling = {
      left: (visible.left - offset.x) / scale,
      top: (visible.top - offset.y) / scale,
      stepX: visible.width / scale / width,
      stepY: visible.height / scale / height,
    };
    return { width, height, sampling };
  }

  /**
   * Find the point of the image at a point of the stage.
   *
   * @param {number} x
   * @param {number} y
   */
  toImage(x, y) {
    return { x: (x - this.offset.x) / this.scale, y: (y - this.offset.y) / this.scale };
  }

  /**
   * Find where a point of the image lies on the stage.
   *
   * @param {number} x
   * @param {number} y
   */
  toStage(x, y) {
    return { x: this.offset.x + x * this.scale, y: this.offset.y + y * this.scale };
  }

  /**
   * Zoom by a factor about a point of the stage: what is there stays there.
   *
   * @param {number} factor
   * @param {number} x
   * @param {number} y
   */
  zoomAt(factor, x = this.stage.width / 2, y = this.stage.height / 2) {
    const fixed = this.toImage(x, y);
    this.zoom = Math.min(MOST, Math.max(1, this.zoom * factor));
    this.#centreOn(
      fixed.x + (this.stage.width / 2 - x) / this.scale,
      fixed.y + (this.stage.height / 2 - y) / this.scale,
    );
  }

  /**
   * Zoom by one step, or show the image whole.
   *
   * @param {"in" | "out" | "reset"} direction
   * @param {number} [x] of the point of the stage to zoom about.
   * @param {number} [y]
   */
  step(direction, x, y) {
    if (direction === "reset") this.reset();
    else this.zoomAt(direction === "in" ? STEP : 1 / STEP, x, y);
  }

  /**
   * Move the image on the stage, in CSS pixels.
   *
   * @param {number} x
   * @param {number} y
   */
  panBy(x, y) {
    this.#centreOn(this.centre.x - x / this.scale, this.centre.y - y / this.scale);
  }

  /**
   * Pan as far as is needed to have a point of the image on the stage.
   *
   * @param {number} x
   * @param {number} y
   */
  bringIn(x, y) {
    const at = this.toStage(x, y);
    const excess = (/** @type {number} */ value, /** @type {number} */ length) =>
      value - clamp(value, length * 0.05, length * 0.95);
    this.panBy(-excess(at.x, this.stage.width), -excess(at.y, this.stage.height));
  }

  /**
   * @param {number} x
   * @param {number} y
   */
  #centreOn(x, y) {
    const { image, scale, stage } = this;
    const halfWidth = Math.min(stage.width / scale, image.width) / 2;
    const halfHeight = Math.min(stage.height / scale, image.height) / 2;
    this.centre = {
      x: clamp(x, halfWidth, image.width - halfWidth),
      y: clamp(y, halfHeight, image.height - halfHeight),
    };
  }
}

/**
 * @param {number} value
 * @param {number} least
 * @param {number} most
 */
export function clamp(value, least, most) {
  return Math.min(most, Math.max(least, value));
}
