import assert from "node:assert/strict";
import { test } from "node:test";

import { fitSide, Pace } from "../../demo/ui/viewer/pace.js";

/**
 * A pace that began at 10 s, with results at these times after that.
 *
 * @param {number[]} times ms.
 */
function paceOf(times) {
  const pace = new Pace();
  pace.restart(10_000);
  for (const time of times) pace.add({ at: 10_000 + time, age: time, roundTrip: 2 * time });
  return pace;
}

test("figures are a rate and medians", () => {
  const figures = paceOf([100, 200, 900]).measure(11_000);
  assert.deepEqual(figures, { rate: 3, age: 200, roundTrip: 400 });
});

test("figures are those of the last two seconds", () => {
  const pace = paceOf([100, 2500, 3000]);
  assert.deepEqual(pace.measure(13_500), { rate: 1, age: 3000, roundTrip: 6000 });
  assert.equal(pace.measure(15_000), null);
});

// 12 results per second leave 83 ms for each; the time grows with the square of the side
const SIDES = /** @type {const} */ ([
  ["a fast one grows by one step", 256, 20, 384],
  ["one that just keeps the rate stays", 384, 80, 384],
  ["one that would be too slow if it grew stays", 256, 40, 256],
  ["a slow one shrinks by one step", 512, 200, 384],
  ["the smallest stays, however slow it is", 256, 500, 256],
  ["the largest stays, however fast it is", 512, 1, 512],
]);

for (const [name, side, roundTrip, expected] of SIDES) {
  test(`side of the frames: ${name}`, () => assert.equal(fitSide(side, roundTrip), expected));
}

test("the side changes at most every two seconds, and results are counted from then on", () => {
  const pace = paceOf([100]);
  pace.adapt(1, 10_200);
  assert.equal(pace.side, 384);
  assert.equal(pace.measure(10_200), null);
  pace.adapt(1, 12_100);
  assert.equal(pace.side, 384);
  pace.adapt(1, 12_200);
  assert.equal(pace.side, 512);
});
