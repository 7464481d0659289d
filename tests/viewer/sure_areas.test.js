import assert from "node:assert/strict";
import { test } from "node:test";

import { SureAreas } from "../../demo/ui/viewer/sure_areas.js";
import { makeField } from "./support.js";

/** @import { AreaRow } from "../../demo/ui/viewer/types.js" */

/** Class 3 on the left, sure but for its boundary; class 7 on the right, never sure. */
const FIELD = makeField((id, _, column) => {
  if (id === 3) return column < 2 ? 12 : 0;
  if (id === 7) return column < 2 ? 0 : 2;
  return 0;
});

/** @type {AreaRow[]} */
const COUNTS = [
  [3, 2800],
  [7, 2000],
];

test("without a threshold areas are the server's counts", () => {
  assert.deepEqual(new SureAreas(FIELD, COUNTS).above(0), { rows: COUNTS, unsure: 0 });
});

test("with a threshold only sure pixels count, and the others are unsure", () => {
  const { rows, unsure } = new SureAreas(FIELD, COUNTS).above(0.9);
  const [[left, sure], right] = rows;
  assert.equal(left, 3);
  assert.ok(sure > 2000 && sure < 2800, `${sure}`);
  assert.deepEqual(right, [7, 0]);
  assert.equal(sure + unsure, 4800);
});

test("a class smaller than the distance of samples is looked at closely", () => {
  const field = makeField(
    (id, row, column) => {
      if (id === 0) return 0;
      return id === 7 && row === 9 && column === 9 ? 100 : -3000;
    },
    { grid: [32, 32], image: { width: 4000, height: 4000 } },
  );
  const { rows } = new SureAreas(field, [
    [0, 16e6 - 60],
    [7, 60],
  ]).above(0.9);
  assert.ok(rows[1][1] > 45, `${rows[1]}`);
});
