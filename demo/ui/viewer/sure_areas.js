// How much of the image each class covers when unsure pixels do not count.

import { clamp } from "./viewport.js";

/** @import { Field } from "./field.js" */
/** @import { AreaRow } from "./types.js" */

const SAMPLES = 256; // along the longer side of the image
const FEW = 100; // a class with fewer samples than this is sampled again, more densely:
const CLOSE_SAMPLES = 32_768; // this often over all the cells where it may lead,
const MOST_IN_CELL = 32; // but at most this often along each side of a cell

/**
 * A rectangle in image coordinates.
 *
 * @typedef {{left: number, top: number, width: number, height: number}} Cell
 */

/**
 * The areas of the classes at or above a threshold of confidence.
 *
 * @typedef {object} Areas
 * @property {AreaRow[]} rows
 * @property {number} unsure the area below the threshold.
 */

/**
 * Estimates the area of each class that has at least some confidence. Without a threshold, areas
 * are the server's exact counts. With one, each count is multiplied by the fraction of the class's
 * samples that are sure enough.
 */
export class SureAreas {
  /**
   * @param {Field} field
   * @param {AreaRow[]} counts pixels of the server's class map.
   */
  constructor(field, counts) {
    this.field = field;
    this.counts = counts;
    /** @type {number[][] | null} the confidence of each sample, by class id. */
    this.confidences = null;
  }

  /**
   * @param {number} threshold in [0, 1).
   * @returns {Areas} in pixels.
   */
  above(threshold) {
    if (!threshold) return { rows: this.counts, unsure: 0 };
    const confidences = (this.confidences ??= this.#sample());
    /** @type {AreaRow[]} */
    const rows = this.counts.map(([id, pixels]) => {
      const found = confidences[id];
      const sure = found.filter((confidence) => confidence >= threshold).length;
      return [id, found.length ? Math.round((pixels * sure) / found.length) : 0];
    });
    return { rows, unsure: sum(this.counts) - sum(rows) };
  }

  /** @returns {number[][]} the confidence of each sample of the whole image, by class id. */
  #sample() {
    const { left, top, right, bottom } = this.field;
    const [width, height] = [right - left, bottom - top];
    const longer = Math.max(width, height);
    const [across, down] = [width, height].map((side) => Math.ceil((SAMPLES * side) / longer));
    const { ids, confidence } = this.#rasterise({ left, top, width, height }, across, down);
    /** @type {number[][]} */
    const found = Array.from({ length: 256 }, () => []);
    ids.forEach((id, i) => found[id].push(confidence[i]));
    for (const [id] of this.counts) if (found[id].length < FEW) found[id] = this.#lookCloser(id);
    return found;
  }

  /**
   * Sample a class where it may lead. If nothing is found, the class has a few pixels between other
   * classes, and none of them is sure.
   *
   * @param {number} id
   */
  #lookCloser(id) {
    const cells = findCells(this.field, id);
    const side = Math.min(MOST_IN_CELL, Math.ceil(Math.sqrt(CLOSE_SAMPLES / cells.length)));
    return cells.flatMap((cell) => {
      const { ids, confidence } = this.#rasterise(cell, side, side);
      return Array.from(confidence.filter((_, i) => ids[i] === id));
    });
  }

  /**
   * @param {Cell} cell
   * @param {number} across samples in a row.
   * @param {number} down rows.
   */
  #rasterise({ left, top, width, height }, across, down) {
    const sampling = { left, top, stepX: width / across, stepY: height / down };
    const confidence = new Float32Array(across * down);
    const ids = this.field.rasterise(sampling, across, down, confidence);
    return { ids, confidence };
  }
}

/** @param {AreaRow[]} rows */
function sum(rows) {
  return rows.reduce((total, [, area]) => total + area, 0);
}

/**
 * Find where a class may lead: cells between four neighbouring points of the grid in which no other
 * class has the larger logit at all four.
 *
 * @param {Field} field
 * @param {number} id
 */
function findCells(field, id) {
  const { gridWidth, gridHeight, logits, winners } = field;
  const plane = gridWidth * gridHeight;
  const width = (field.right - field.left) / gridWidth;
  const height = (field.bottom - field.top) / gridHeight;
  /** @type {Cell[]} */
  const cells = [];
  for (let row = -1; row < gridHeight; row++) {
    for (let column = -1; column < gridWidth; column++) {
      const corners = [0, 1].flatMap((down) =>
        [0, 1].map((right) => {
          const y = clamp(row + down, 0, gridHeight - 1);
          return y * gridWidth + clamp(column + right, 0, gridWidth - 1);
        }),
      );
      const beats = (/** @type {number} */ other) =>
        corners.some((at) => logits[id * plane + at] >= logits[other * plane + at]);
      if (!winners.every(beats)) continue;
      const left = field.left + (column + 0.5) * width;
      const top = field.top + (row + 0.5) * height;
      cells.push({ left, top, width, height });
    }
  }
  return cells;
}
