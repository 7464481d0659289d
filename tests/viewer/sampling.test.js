import assert from "node:assert/strict";
import { test } from "node:test";

import { cutIntoRuns, planAxis } from "../../demo/ui/viewer/sampling.js";

// four points of the grid over 10 to 50: they lie at 15, 25, 35 and 45
const CASES = /** @type {const} */ ([
  ["before the box", 9, 0, 0, 0],
  ["at the edge of the box, before the first point", 10, 0, 0, 1],
  ["at a point", 25, 1, 0, 1],
  ["between two points", 27.5, 1, 0.25, 1],
  ["after the last point", 49, 2, 1, 1],
  ["at the end of the box", 50, 2, 1, 0],
]);

for (const [name, position, cell, fraction, seen] of CASES) {
  test(`a position ${name}`, () => {
    const axis = planAxis([position], 4, 10, 50);
    assert.deepEqual([axis.cells[0], axis.fractions[0], axis.seen[0]], [cell, fraction, seen]);
  });
}

test("runs are the seen positions between the same two points", () => {
  const axis = planAxis([5, 12, 24, 26, 34, 36, 55], 4, 10, 50);
  assert.deepEqual(cutIntoRuns(axis), [
    { cell: 0, from: 1, to: 3 },
    { cell: 1, from: 3, to: 5 },
    { cell: 2, from: 5, to: 6 },
  ]);
});
