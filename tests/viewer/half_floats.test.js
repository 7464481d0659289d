import assert from "node:assert/strict";
import { test } from "node:test";

import { decodeBase64, decodeHalfFloats } from "../../demo/ui/viewer/half_floats.js";

const CASES = /** @type {const} */ ([
  ["one", 0x3c00, 1],
  ["a negative number", 0xc100, -2.5],
  ["the largest", 0x7bff, 65504],
  ["the smallest", 0x0001, 2 ** -24],
  ["negative zero", 0x8000, -0],
  ["infinity", 0xfc00, -Infinity],
  ["not a number", 0x7e00, NaN],
]);

for (const [name, half, expected] of CASES) {
  test(`half floats: ${name}`, () => {
    assert.deepEqual([...decodeHalfFloats(Uint16Array.of(half).buffer)], [expected]);
  });
}

test("base64 is decoded to bytes in their order", () => {
  assert.deepEqual([...decodeHalfFloats(decodeBase64("ADwAwA=="))], [1, -2]);
});
