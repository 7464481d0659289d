import assert from "node:assert/strict";
import { test } from "node:test";

import { applyGuidedFilter, fitGuidedFilter } from "../../demo/ui/viewer/edges.js";

const N = 64;

/**
 * @param {(x: number, y: number) => number} grey
 */
function paint(grey) {
  return Uint8ClampedArray.from({ length: 4 * N * N }, (_, i) => {
    const point = i >> 2;
    return i % 4 === 3 ? 255 : grey(point % N, Math.floor(point / N));
  });
}

test("an edge that lies beside one of the picture moves onto it", () => {
  const picture = paint((x) => (x < 30 ? 40 : 200));
  const wanted = Uint8Array.from({ length: N * N }, (_, i) => Number(i % N >= 31));
  const coefficients = fitGuidedFilter(picture, wanted, N);
  const alpha = applyGuidedFilter(coefficients, N, picture, { width: N, height: N });
  for (let x = 0; x < N; x++) assert.equal(alpha[20 * N + x] > 127, x >= 30, `column ${x}`);
});

test("where the picture is flat, what was wanted stays but for a soft edge", () => {
  const picture = paint(() => 100);
  const wanted = Uint8Array.from({ length: N * N }, (_, i) => Number(i % N >= 32));
  const coefficients = fitGuidedFilter(picture, wanted, N);
  const alpha = applyGuidedFilter(coefficients, N, picture, { width: N, height: N });
  assert.equal(alpha[10 * N + 20], 0);
  assert.equal(alpha[10 * N + 44], 255);
});

test("a part of the picture gets the alpha that it has in the whole", () => {
  const picture = paint((x, y) => (x * 37 + y * 91) % 256);
  const wanted = Uint8Array.from({ length: N * N }, (_, i) => Number(i % N > Math.floor(i / N)));
  const coefficients = fitGuidedFilter(picture, wanted, N);
  const whole = applyGuidedFilter(coefficients, N, picture, { width: N, height: N });
  const half = N / 2;
  const corner = Uint8ClampedArray.from({ length: 4 * half * half }, (_, i) => {
    const point = i >> 2;
    return picture[4 * (Math.floor(point / half) * N + (point % half)) + (i % 4)];
  });
  const part = { left: 0, top: 0, right: 0.5, bottom: 0.5 };
  const alpha = applyGuidedFilter(coefficients, N, corner, { width: half, height: half }, part);
  for (let i = 0; i < alpha.length; i++) {
    assert.equal(alpha[i], whole[Math.floor(i / half) * N + (i % half)]);
  }
});
