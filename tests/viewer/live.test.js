import assert from "node:assert/strict";
import { test } from "node:test";

import { settle } from "../../demo/ui/viewer/live_labels.js";
import { describe } from "../../demo/ui/viewer/live_readings.js";

test("a name stays until its region is elsewhere", () => {
  const before = [{ id: 15, x: 0.5, y: 0.5 }];
  const near = [{ id: 15, x: 0.55, y: 0.5 }];
  const far = [{ id: 15, x: 0.8, y: 0.5 }];
  assert.deepEqual(settle(near, before, () => 15), before);
  assert.deepEqual(settle(near, before, () => 0), near); // the region has left that point
  assert.deepEqual(settle(far, before, () => 15), far);
  assert.deepEqual(settle([{ id: 8, x: 0.5, y: 0.5 }], before, () => 8)[0].id, 8);
  const two = settle([...near, { id: 15, x: 0.45, y: 0.5 }], before, () => 15);
  assert.notDeepEqual(two[0], two[1]);
});

test("figures have their units", () => {
  const figures = { rate: 16.24, age: 56.6, roundTrip: 50 };
  assert.deepEqual(describe(figures, 256, [0.012, 0.004]), [
    ["Speed", "16.2 frames/s"],
    ["Delay", "57 ms"],
    ["Input", "256 × 256 px"],
    ["Flicker", "0.4 %, unsmoothed 1.2 %"],
  ]);
});
