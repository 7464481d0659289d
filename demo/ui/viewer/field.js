// The logits of a result as a continuous field over the image: they lie on a grid and are
// interpolated bilinearly (align_corners=False), as demo/class_map.py does on the server.
//
// Positions are continuous image coordinates: pixel (row i, column j) has its centre at
// (i + 0.5, j + 0.5).

import { decodeBase64, decodeHalfFloats } from "./half_floats.js";
import { cutIntoRuns, planAxis } from "./sampling.js";

/** @import { Run, Sampling } from "./sampling.js" */
/** @import { ResultValue, ViewerImage } from "./types.js" */

/** Stands in a class map for pixels that the network was not shown. */
export const NOT_SEEN = 255;

const NEGLIGIBLE = 12; // a logit this far behind adds less than 1e-5 to the sum of a softmax

/**
 * What can be painted: a class at each point of an image.
 *
 * @typedef {object} ClassField
 * @property {number} width of the image, in pixels.
 * @property {number} height
 * @property {Field["rasterise"]} rasterise
 */

/**
 * A class with its softmax.
 *
 * @typedef {{id: number, confidence: number}} ClassConfidence
 */

/**
 * What a field is made of: base64 text of half floats, or logits that are decoded already, as
 * (C, h, w) floats.
 *
 * @typedef {Pick<ResultValue, "grid" | "box" | "winners"> & Pick<ViewerImage, "width" | "height">
 *     & {logits: string | Float32Array}} FieldSource
 */

export class Field {
  /** @param {FieldSource} result */
  constructor(result) {
    const { logits } = result;
    this.logits = typeof logits === "string" ? decodeHalfFloats(decodeBase64(logits)) : logits;
    this.gridHeight = result.grid[0];
    this.gridWidth = result.grid[1];
    this.classes = this.logits.length / (this.gridHeight * this.gridWidth);
    this.top = result.box[0];
    this.left = result.box[1];
    this.bottom = result.box[2];
    this.right = result.box[3];
    this.width = result.width;
    this.height = result.height;
    this.winners = result.winners;
  }

  /**
   * Find the most likely and the second most likely class at a point.
   *
   * @param {number} x
   * @param {number} y
   * @returns {{winner: ClassConfidence, runnerUp: ClassConfidence} | null} null where the network
   *     saw nothing.
   */
  probe(x, y) {
    if (x < this.left || x >= this.right || y < this.top || y >= this.bottom) return null;
    const across = planAxis([x], this.gridWidth, this.left, this.right);
    const down = planAxis([y], this.gridHeight, this.top, this.bottom);
    const row = this.#interpolateRow(down.cells[0], down.fractions[0]);
    const cell = across.cells[0];
    const scores = [];
    for (let id = 0; id < this.classes; id++) {
      const at = id * this.gridWidth + cell;
      const score = row[at] + across.fractions[0] * (row[at + 1] - row[at]);
      scores.push({ id, score });
    }
    scores.sort((one, other) => other.score - one.score);
    const best = scores[0].score;
    const sum = scores.reduce((total, { score }) => total + Math.exp(score - best), 0);
    const [winner, runnerUp] = scores
      .slice(0, 2)
      .map(({ id, score }) => ({ id, confidence: Math.exp(score - best) / sum }));
    return { winner, runnerUp };
  }

  /**
   * Interpolate the logits of all classes on a horizontal line through the grid.
   *
   * @param {number} cell the row of the grid above the line.
   * @param {number} fraction of the way from there to the next row.
   * @param {Float32Array} [out] is filled and returned.
   * @returns {Float32Array} of shape (C, w).
   */
  #interpolateRow(cell, fraction, out = new Float32Array(this.classes * this.gridWidth)) {
    const { classes, gridWidth: width, gridHeight: height, logits } = this;
    for (let id = 0; id < classes; id++) {
      const above = (id * height + cell) * width;
      for (let x = 0; x < width; x++) {
        const upper = logits[above + x];
        out[id * width + x] = upper + fraction * (logits[above + width + x] - upper);
      }
    }
    return out;
  }

  /**
   * Find the class at each point of a raster.
   *
   * @param {Sampling} sampling
   * @param {number} width points in a row.
   * @param {number} height rows.
   * @param {Float32Array | null} confidence is filled with the softmax of each point's class.
   * @returns {Uint8Array} class ids, row by row.
   */
  rasterise({ left, top, stepX, stepY }, width, height, confidence = null) {
    const columns = Float64Array.from({ length: width }, (_, i) => left + (i + 0.5) * stepX);
    const rows = Float64Array.from({ length: height }, (_, i) => top + (i + 0.5) * stepY);
    const across = planAxis(columns, this.gridWidth, this.left, this.right);
    const down = planAxis(rows, this.gridHeight, this.top, this.bottom);
    const ids = new Uint8Array(width * height).fill(NOT_SEEN);
    const runs = cutIntoRuns(across);
    const row = new Float32Array(this.classes * this.gridWidth);
    for (let y = 0; y < height; y++) {
      if (!down.seen[y]) continue;
      this.#interpolateRow(down.cells[y], down.fractions[y], row);
      for (const run of runs) {
        this.#fillIds(ids, y * width, row, run, across.fractions);
        if (!confidence) continue;
        this.#fillConfidence(confidence, ids, y * width, row, run, across.fractions);
      }
    }
    return ids;
  }

  /**
   * Fill in the class ids of a run. Between two points of the grid logits change linearly, so the
   * class that leads at both ends leads everywhere between.
   *
   * @param {Uint8Array} ids of the whole raster.
   * @param {number} start where the raster's row begins in it.
   * @param {Float32Array} row logits on the line of this row.
   * @param {Run} run
   * @param {Float32Array} fractions of each point of a row.
   */
  #fillIds(ids, start, row, { cell, from, to }, fractions) {
    const { gridWidth, winners } = this;
    const left = leader(row, winners, gridWidth, cell);
    if (left === leader(row, winners, gridWidth, cell + 1)) {
      ids.fill(left, start + from, start + to);
      return;
    }
    for (let x = from; x < to; x++) {
      let best = -Infinity;
      for (const id of winners) {
        const at = id * gridWidth + cell;
        const score = row[at] + fractions[x] * (row[at + 1] - row[at]);
        if (score > best) {
          best = score;
          ids[start + x] = id;
        }
      }
    }
  }

  /**
   * Fill in the confidence of a run. The parameters are those of #fillIds.
   *
   * @param {Float32Array} confidence of the whole raster.
   * @param {Uint8Array} ids
   * @param {number} start
   * @param {Float32Array} row
   * @param {Run} run
   * @param {Float32Array} fractions
   */
  #fillConfidence(confidence, ids, start, row, { cell, from, to }, fractions) {
    const { gridWidth, winners } = this;
    const close = closeClasses(row, winners, gridWidth, cell);
    if (close.length === 1) {
      confidence.fill(1, start + from, start + to);
      return;
    }
    for (let x = from; x < to; x++) {
      const own = ids[start + x] * gridWidth + cell;
      const best = row[own] + fractions[x] * (row[own + 1] - row[own]);
      let sum = 0;
      for (const id of close) {
        const at = id * gridWidth + cell;
        sum += Math.exp(row[at] + fractions[x] * (row[at + 1] - row[at]) - best);
      }
      confidence[start + x] = 1 / sum;
    }
  }
}

/**
 * Find the class with the largest logit at a point of the grid.
 *
 * @param {Float32Array} row
 * @param {number[]} winners
 * @param {number} gridWidth
 * @param {number} x
 */
function leader(row, winners, gridWidth, x) {
  let best = winners[0];
  for (const id of winners) if (row[id * gridWidth + x] > row[best * gridWidth + x]) best = id;
  return best;
}

/**
 * Find the classes that count in a softmax anywhere between two points of the grid.
 *
 * @param {Float32Array} row
 * @param {number[]} winners
 * @param {number} gridWidth
 * @param {number} cell
 */
function closeClasses(row, winners, gridWidth, cell) {
  const ends = [cell, cell + 1];
  const floor = Math.min(
    ...ends.map((x) => row[leader(row, winners, gridWidth, x) * gridWidth + x] - NEGLIGIBLE),
  );
  const close = [];
  for (let id = 0; id < row.length / gridWidth; id++) {
    if (ends.some((x) => row[id * gridWidth + x] > floor)) close.push(id);
  }
  return close;
}
