// Where the results of several variants disagree.

import { NOT_SEEN } from "./field.js";
import { cssColour } from "./style.js";

/** @import { ClassField, Field } from "./field.js" */
/** @import { Inspection } from "./inspection.js" */
/** @import { Sampling } from "./sampling.js" */
/** @import { ClassInfo, Colour } from "./types.js" */

const DIFFERENT = 254; // an id that no class has, so that hiding classes does not hide it

/** @type {Colour} */
const PINK = [255, 0, 200];

/** The colour of the pixels where variants disagree, for a style sheet. */
export const DISAGREEMENT_COLOUR = cssColour(PINK);

/** @type {ClassInfo} */
const SAME = { name: "the same", voc: [0, 0, 0], safe: [0, 0, 0] };

/** The classes of a disagreement: the same or different. @type {ClassInfo[]} */
export const DISAGREEMENT_CLASSES = Array(DIFFERENT).fill(SAME);
DISAGREEMENT_CLASSES[DIFFERENT] = { name: "different", voc: PINK, safe: PINK };

/**
 * Several fields as one that says where they are the same (0) and where DIFFERENT.
 *
 * @implements {ClassField}
 */
export class Disagreement {
  /**
   * @param {Field[]} fields of the same image.
   * @param {string[]} labels names of their variants.
   * @param {ClassInfo[]} classes
   */
  constructor(fields, labels, classes) {
    this.fields = fields;
    this.labels = labels;
    this.classes = classes;
    this.width = fields[0].width;
    this.height = fields[0].height;
  }

  /**
   * @param {Sampling} sampling
   * @param {number} width
   * @param {number} height
   */
  rasterise(sampling, width, height) {
    const [first, ...others] = this.fields.map((each) => each.rasterise(sampling, width, height));
    const ids = new Uint8Array(first.length);
    for (const other of others) {
      for (let i = 0; i < ids.length; i++) if (other[i] !== first[i]) ids[i] = DIFFERENT;
    }
    for (let i = 0; i < ids.length; i++) if (first[i] === NOT_SEEN) ids[i] = NOT_SEEN;
    return ids;
  }

  /**
   * Name the class that each variant sees at a point; null where they saw nothing.
   *
   * @param {number} x
   * @param {number} y
   */
  describe(x, y) {
    const names = [];
    for (const [i, field] of this.fields.entries()) {
      const found = field.probe(x, y);
      if (!found) return null;
      names.push(`${this.labels[i]}: ${this.classes[found.winner.id].name}`);
    }
    return names.join(", ");
  }

  /** @returns {Inspection} */
  inspect() {
    return {
      field: this,
      areasAbove: () => ({ rows: [], unsure: 0 }),
      describe: (x, y) => this.describe(x, y),
    };
  }
}
