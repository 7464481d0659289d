import assert from "node:assert/strict";
import { test } from "node:test";

import { chooseFraming, planInput, toPixelValues } from "../../demo/ui/browser/framing.js";
import { resample } from "../../demo/ui/browser/resample.js";

const RAMP = Uint8Array.from({ length: 5 * 3 * 4 }, (_, i) => (i * 37) % 256);

test("an image of the wanted size stays as it is", () => {
  const rgb = resample(RAMP, { width: 5, height: 3 }, { width: 5, height: 3 });
  assert.deepEqual(
    [...rgb],
    [...RAMP].filter((_, i) => i % 4 !== 3),
  );
});

test("one colour stays that colour at any size", () => {
  const grey = new Uint8Array(7 * 4 * 4).fill(201);
  for (const size of [1, 3, 64]) {
    const rgb = resample(grey, { width: 7, height: 4 }, { width: size, height: 2 * size });
    assert.ok(rgb.length === size * 2 * size * 3 && rgb.every((value) => value === 201));
  }
});

test("auto keeps the proportions beyond 2:1", () => {
  assert.equal(chooseFraming({ width: 200, height: 100 }, "auto"), "whole");
  assert.equal(chooseFraming({ width: 100, height: 201 }, "auto"), "aspect");
  assert.equal(chooseFraming({ width: 100, height: 900 }, "whole"), "whole");
});

for (const [width, height, wanted] of /** @type {const} */ ([
  [640, 480, [672, 512]],
  [512, 528, [512, 512]], // 16.5 strides: Python rounds half to even
  [512, 560, [512, 576]],
  [10, 9000, [512, 2048]],
])) {
  test(`the input of ${width}×${height} pixels is a multiple of 32`, () => {
    const input = planInput({ width, height }, "aspect", 512);
    assert.deepEqual([input.width, input.height], wanted);
  });
}

test("pixel values are BGR in [0, 1], one channel after the other", () => {
  const values = toPixelValues(
    Uint8Array.of(255, 51, 0, 255),
    { width: 1, height: 1 },
    { width: 1, height: 1 },
  );
  assert.deepEqual([...values], [0, Math.fround(51 * Math.fround(1 / 255)), 1]);
});
