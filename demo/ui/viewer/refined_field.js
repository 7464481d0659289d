// A field whose edges follow those of the picture. It embellishes what is painted; areas, files and
// what the pointer reads come from the field itself.

import { partOf, readPart, STILL, WHOLE } from "./background.js";
import { make } from "./dom.js";
import { applyGuidedFilter, fitGuidedFilter } from "./edges.js";
import { NOT_SEEN } from "./field.js";

/** @import { Drawable } from "./background.js" */
/** @import { ClassField } from "./field.js" */
/** @import { Sampling } from "./sampling.js" */

const { grid: GRID, smoothing: SMOOTHING } = STILL;

export class RefinedField {
  /**
   * @param {ClassField} field
   * @param {Drawable} picture that the field belongs to.
   */
  constructor(field, picture) {
    this.field = field;
    this.picture = picture;
    this.width = field.width;
    this.height = field.height;
    this.canvas = make("canvas");
    const whole = { left: 0, top: 0, stepX: field.width / GRID, stepY: field.height / GRID };
    const onGrid = field.rasterise(whole, GRID, GRID);
    const guide = readPart(this.canvas, picture, WHOLE, [GRID, GRID], SMOOTHING);
    const present = [...new Set(onGrid)].filter((id) => id !== NOT_SEEN);
    /** @type {[id: number, coefficients: Float32Array[]][]} */
    this.classes = present.map((id) => [
      id,
      fitGuidedFilter(guide.data, onGrid.map((each) => Number(each === id)), GRID),
    ]);
  }

  /**
   * Find the class at each point of a raster, see Field.
   *
   * @param {Sampling} sampling
   * @param {number} width
   * @param {number} height
   * @param {Float32Array | null} confidence is filled with what the field itself says.
   * @returns {Uint8Array} class ids, row by row.
   */
  rasterise(sampling, width, height, confidence = null) {
    const plain = this.field.rasterise(sampling, width, height, confidence);
    if (this.classes.length < 2) return plain;
    const part = partOf(this.field, sampling, width, height);
    const { data } = readPart(this.canvas, this.picture, part, [width, height], SMOOTHING);
    const ids = plain.slice();
    const best = new Uint8ClampedArray(width * height);
    for (const [id, coefficients] of this.classes) {
      const alpha = applyGuidedFilter(coefficients, GRID, data, { width, height }, part);
      for (let i = 0; i < ids.length; i++) {
        const isAhead = alpha[i] > best[i] || (alpha[i] === best[i] && plain[i] === id);
        if (!isAhead || plain[i] === NOT_SEEN) continue;
        best[i] = alpha[i];
        ids[i] = id;
      }
    }
    return ids;
  }
}
