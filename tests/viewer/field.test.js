import assert from "node:assert/strict";
import { test } from "node:test";

import { NOT_SEEN } from "../../demo/ui/viewer/field.js";
import { makeField, noise } from "./support.js";

test("a raster has the class and the confidence of each of its points", () => {
  const field = makeField(noise);
  const [width, height] = [27, 19];
  const sampling = { left: 0, top: 0, stepX: field.width / width, stepY: field.height / height };
  const confidence = new Float32Array(width * height);
  const ids = field.rasterise(sampling, width, height, confidence);
  assert.ok(new Set(ids).size > 5);
  ids.forEach((id, i) => {
    const x = ((i % width) + 0.5) * sampling.stepX;
    const y = (Math.floor(i / width) + 0.5) * sampling.stepY;
    const found = field.probe(x, y);
    assert.ok(found);
    assert.equal(id, found.winner.id);
    assert.ok(Math.abs(confidence[i] - found.winner.confidence) < 1e-4);
    assert.ok(found.winner.confidence >= found.runnerUp.confidence);
  });
});

test("a boundary lies halfway between two points of the grid that are equally sure", () => {
  const field = makeField((id, _, column) => (id === (column < 2 ? 3 : 7) ? 5 : 0));
  const ids = field.rasterise({ left: 0, top: 0, stepX: 1, stepY: 60 }, 80, 1);
  assert.deepEqual(new Set(ids.subarray(0, 40)), new Set([3]));
  assert.deepEqual(new Set(ids.subarray(40)), new Set([7]));
});

test("nothing is known outside the box that the network saw", () => {
  const field = makeField(noise, { box: [0, 10, 60, 70] });
  const ids = field.rasterise({ left: 0, top: 0, stepX: 1, stepY: 60 }, 80, 1);
  assert.deepEqual([9, 10, 69, 70].map((x) => ids[x] === NOT_SEEN), [true, false, false, true]);
  assert.equal(field.probe(9.5, 30), null);
  assert.notEqual(field.probe(10, 30), null);
});
