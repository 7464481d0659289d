import assert from "node:assert/strict";
import { test } from "node:test";

import { areaPercent, percent } from "../../demo/ui/viewer/percent.js";

const AREAS = /** @type {const} */ ([
  ["nothing", 0, "0.00"],
  ["next to nothing", 1e-7, "< 0.01"],
  ["a part", 0.12345, "12.35"],
  ["nearly everything", 0.99999, "> 99.99"],
  ["everything", 1, "100.00"],
]);

for (const [name, fraction, expected] of AREAS) {
  test(`the area of ${name}`, () => assert.equal(areaPercent(fraction), expected));
}

test("a percentage has as many digits as asked for", () => {
  assert.equal(percent(0.256), "26 %");
  assert.equal(percent(0.256, 1), "25.6 %");
});
