// Fields of known logits for the tests.

import { Field } from "../../demo/ui/viewer/field.js";

const CLASSES = 21;

/**
 * @typedef {object} Options
 * @property {[height: number, width: number]} [grid]
 * @property {{width: number, height: number}} [image]
 * @property {[top: number, left: number, bottom: number, right: number]} [box]
 */

/**
 * A field over an image, whose logits are a function of class and place on the grid.
 *
 * @param {(id: number, row: number, column: number) => number} logit
 * @param {Options} options
 */
export function makeField(logit, { grid = [3, 4], image = { width: 80, height: 60 }, box } = {}) {
  const [height, width] = grid;
  const plane = height * width;
  const logits = Float32Array.from({ length: CLASSES * plane }, (_, i) => {
    const at = i % plane;
    return logit(Math.floor(i / plane), Math.floor(at / width), at % width);
  });
  const winners = Array.from({ length: CLASSES }, (_, id) => id);
  return new Field({
    logits,
    grid,
    box: box ?? [0, 0, image.height, image.width],
    winners,
    ...image,
  });
}

/**
 * Logits that look random and are the same at each run.
 *
 * @param {number} id
 * @param {number} row
 * @param {number} column
 */
export function noise(id, row, column) {
  const wave = Math.sin(id * 12.9898 + row * 78.233 + column * 37.719) * 43758.5453;
  return 8 * (wave - Math.floor(wave));
}
