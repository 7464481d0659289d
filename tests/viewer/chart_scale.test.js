import assert from "node:assert/strict";
import { test } from "node:test";

import { contrast, legibleOn, roundTop, spread } from "../../demo/ui/viewer/chart_scale.js";

/** @import { Colour } from "../../demo/ui/viewer/types.js" */

test("the scale ends at a round number that everything fits under", () => {
  assert.deepEqual([0, 0.04, 0.05, 0.36, 0.81, 1].map(roundTop), [0.05, 0.05, 0.05, 0.4, 1, 1]);
});

test("names move apart and stay on the chart", () => {
  assert.deepEqual(spread([10, 50, 90], 15, 0, 100), [10, 50, 90]);
  assert.deepEqual(spread([40, 42, 44], 15, 0, 100), [40, 55, 70]);
  assert.deepEqual(spread([98, 99, 100], 15, 0, 100), [70, 85, 100]);
  assert.deepEqual(spread([0, 0, 100], 50, 0, 100), [0, 50, 100]);
});

test("a class's colour can be read on light and on dark, and changes no more than it must", () => {
  /** @type {Colour[]} */
  const colours = [[0, 0, 128], [128, 0, 0], [240, 228, 66], [192, 128, 128], [0, 0, 0]];
  /** @type {Colour[]} */
  const backgrounds = [[255, 255, 255], [15, 15, 17]];
  for (const background of backgrounds) {
    for (const colour of colours) {
      const shown = legibleOn(colour, background);
      assert.ok(contrast(shown, background) >= 4.5, `${colour} on ${background}`);
      if (contrast(colour, background) >= 4.5) assert.deepEqual(shown, colour);
    }
  }
});
