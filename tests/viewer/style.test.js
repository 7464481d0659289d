import assert from "node:assert/strict";
import { test } from "node:test";

import * as style from "../../demo/ui/viewer/style.js";

/** @import { Choices } from "../../demo/ui/viewer/style.js" */
/** @import { ClassInfo } from "../../demo/ui/viewer/types.js" */

/** @type {ClassInfo[]} */
const CLASSES = [
  { name: "background", voc: [0, 0, 0], safe: [0, 0, 0] },
  { name: "cat", voc: [64, 0, 0], safe: [240, 228, 66] },
];

const VOC = style.choosePalette(CLASSES, false);

/** @param {Partial<Choices>} choices */
function build(choices) {
  const hidden = new Set(choices.hidden);
  return style.buildStyle({ ...style.DEFAULT_CHOICES, ...choices, hidden }, VOC, 3);
}

test("the palette follows the choice of colours", () => {
  assert.deepEqual(VOC, [CLASSES[0].voc, CLASSES[1].voc]);
  assert.deepEqual(style.choosePalette(CLASSES, true)[1], [240, 228, 66]);
});

test("class 0 is painted where it is no background", () => {
  const choices = { ...style.DEFAULT_CHOICES, dim: false, hidden: new Set() };
  assert.equal(style.buildStyle(choices, VOC, 1, true).colours[0], 0);
  assert.notEqual(style.buildStyle(choices, VOC, 1, false).colours[0], 0);
  assert.equal(style.hasBackground(CLASSES), true);
  assert.equal(style.hasBackground(CLASSES.slice(1)), false);
});

test("a packed colour has its bytes in the order of ImageData", () => {
  const bytes = new Uint8Array(Uint32Array.of(style.packColour([1, 2, 3], 0.2)).buffer);
  assert.deepEqual([...bytes], [1, 2, 3, 51]);
});

const CAT = style.packColour(VOC[1], 0.4);
const DIMMED = style.packColour([0, 0, 0], 0.35);

/** @type {[string, Partial<Choices>, number, number][]} */
const PAINTED = [
  ["the overlay can leave background clear", { opacity: 0.4, dim: false }, 0, CAT],
  ["the overlay darkens background", { opacity: 0.4 }, DIMMED, CAT],
  ["the class map paints all opaque", { view: "map" }, 0xff000000, style.packColour(VOC[1], 1)],
  ["a hidden class is not painted", { hidden: new Set([1]), dim: false }, 0, 0],
  ["a hidden class is darkened like background", { hidden: new Set([1]) }, DIMMED, DIMMED],
];

for (const [name, choices, background, cat] of PAINTED) {
  test(name, () => assert.deepEqual([...build(choices).colours.slice(0, 2)], [background, cat]));
}

test("background and hidden classes have no outline", () => {
  assert.deepEqual([...build({}).outlineColours.slice(0, 2)], [0, 0xffffffff]);
  assert.equal(build({ hidden: new Set([1]) }).outlineColours[1], 0);
});

test("outlines are drawn in all views but that of confidence", () => {
  assert.equal(build({ outlines: true }).outlineWidth, 3);
  assert.equal(build({ outlines: true, view: "confidence" }).outlineWidth, 0);
  assert.equal(build({ outlines: false }).outlineWidth, 0);
});

test("confidence is computed only where it is shown", () => {
  assert.equal(build({}).needsConfidence, false);
  assert.equal(build({ threshold: 0.1 }).needsConfidence, true);
  assert.equal(build({ view: "confidence" }).needsConfidence, true);
});

test("the colours of confidence go through all stops", () => {
  const at = [0, 0.25, 0.5, 0.75, 1].map((confidence, i) => {
    const [found, stop] = [style.confidenceColour(confidence), style.CONFIDENCE_STOPS[i]];
    const bytes = new Uint8Array(Uint32Array.of(found).buffer);
    return Math.max(...stop.map((value, channel) => Math.abs(value - bytes[channel])));
  });
  assert.ok(Math.max(...at) <= 3, `off by ${at}`);
});
