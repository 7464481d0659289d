import assert from "node:assert/strict";
import { test } from "node:test";

import { placeLabels } from "../../demo/ui/viewer/labels.js";
import { makeField } from "./support.js";

test("each large region has a place for its name, its innermost point", () => {
  // class 5 in a column on the left and in one on the right, background between
  const field = makeField(
    (id, _, column) => (id === (column > 1 && column < 6 ? 0 : 5) ? 9 : 0),
    { grid: [4, 8], image: { width: 160, height: 80 } },
  );
  const labels = placeLabels(field).map(({ id, x, y }) => ({ id, x: Math.round(x), y }));
  assert.deepEqual(labels.map(({ id }) => id), [5, 0, 5]);
  const [left, , right] = labels;
  assert.ok(left.x > 15 && left.x < 25 && right.x > 135 && right.x < 145);
  assert.ok(labels.every(({ y }) => y > 15 && y < 65));
});

test("a small region gets no name", () => {
  const field = makeField(
    (id, row, column) => (id === (row === 9 && column === 9 ? 5 : 0) ? 9 : 0),
    { grid: [40, 40] },
  );
  assert.deepEqual(placeLabels(field).map(({ id }) => id), [0]);
});
