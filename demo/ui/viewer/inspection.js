// What can be asked about a result in the browser: classes to paint, areas, and what is at a point.

import { Field } from "./field.js";
import { percent } from "./percent.js";
import { SureAreas } from "./sure_areas.js";

/** @import { ClassConfidence, ClassField } from "./field.js" */
/** @import { Areas } from "./sure_areas.js" */
/** @import { ClassInfo, ViewerValue } from "./types.js" */

/**
 * What a viewer asks about its result.
 *
 * @typedef {object} Inspection
 * @property {ClassField} field what to paint.
 * @property {(threshold: number) => Areas} areasAbove
 * @property {(x: number, y: number, threshold: number) => string | null} describe says what is at a
 *     point of the image; null where the network saw nothing.
 */

/**
 * @param {ViewerValue} result
 * @param {ClassInfo[]} classes
 * @returns {Inspection}
 */
export function inspect(result, classes) {
  const field = new Field(result);
  const areas = new SureAreas(field, result.areas);
  return {
    field,
    areasAbove: (threshold) => areas.above(threshold),
    describe: (x, y, threshold) => describe(field, classes, x, y, threshold),
  };
}

/**
 * Name the two most likely classes at a point with their confidence.
 *
 * @param {Field} field
 * @param {ClassInfo[]} classes
 * @param {number} x
 * @param {number} y
 * @param {number} threshold below which a class is called unsure.
 */
function describe(field, classes, x, y, threshold) {
  const found = field.probe(x, y);
  if (!found) return null;
  const best = found.winner.confidence;
  const digits = best > 0.99 && best < 1 ? 1 : 0; // in both, so that they add up
  const name = (/** @type {ClassConfidence} */ { id, confidence }) =>
    `${classes[id].name} ${percent(confidence, digits)}`;
  const unsure = found.winner.confidence < threshold ? "unsure: " : "";
  const where = `column ${Math.floor(x)}, row ${Math.floor(y)}`;
  return `${unsure}${name(found.winner)} · runner-up ${name(found.runnerUp)} · ${where}`;
}
