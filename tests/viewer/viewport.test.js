import assert from "node:assert/strict";
import { test } from "node:test";

import { Viewport } from "../../demo/ui/viewer/viewport.js";

/** A viewport of 400 × 300 that shows an image of 200 × 100, so at twice its size. */
function makeViewport() {
  const viewport = new Viewport();
  viewport.stage = { width: 400, height: 300 };
  viewport.show({ photo: "one", width: 200, height: 100 });
  return viewport;
}

/**
 * @param {{x: number, y: number}} found
 * @param {number} x
 * @param {number} y
 */
function assertAt(found, x, y) {
  assert.ok(Math.hypot(found.x - x, found.y - y) < 1e-9, `${found.x}, ${found.y}`);
}

test("at first the whole image is in the middle of the stage", () => {
  const viewport = makeViewport();
  assert.deepEqual(viewport.visible, { left: 0, top: 50, width: 400, height: 200 });
  assertAt(viewport.toImage(0, 50), 0, 0);
  assertAt(viewport.toStage(200, 100), 400, 250);
});

test("zooming keeps the point that it is about", () => {
  const viewport = makeViewport();
  const before = viewport.toImage(150, 120);
  viewport.zoomAt(4, 150, 120);
  assert.equal(viewport.scale, 8);
  assertAt(viewport.toImage(150, 120), before.x, before.y);
});

test("zoom has limits, and zooming out ends at the whole image", () => {
  const viewport = makeViewport();
  viewport.zoomAt(1000);
  assert.equal(viewport.zoom, 32);
  viewport.step("out");
  assert.ok(viewport.zoom < 32);
  viewport.zoomAt(0.001, 0, 0);
  assert.deepEqual(viewport.visible, makeViewport().visible);
});

test("the image is dragged by as many pixels as the pointer, up to its edge", () => {
  const viewport = makeViewport();
  viewport.zoomAt(4);
  const { x, y } = viewport.offset;
  viewport.panBy(30, -20);
  assertAt(viewport.offset, x + 30, y - 20);
  viewport.panBy(1e6, 1e6);
  assertAt(viewport.offset, 0, 0);
});

test("a point is brought in from beyond the edge", () => {
  const viewport = makeViewport();
  viewport.zoomAt(4);
  viewport.bringIn(195, 50);
  assertAt(viewport.toStage(195, 50), 380, 150);
});

test("a new image is shown whole, the same one stays as it is", () => {
  const viewport = makeViewport();
  viewport.zoomAt(4);
  viewport.show({ photo: "one", width: 200, height: 100 });
  assert.equal(viewport.zoom, 4);
  viewport.show({ photo: "two", width: 50, height: 100 });
  assert.equal(viewport.zoom, 1);
});

test("a raster covers just the visible part of the image", () => {
  const viewport = makeViewport();
  viewport.zoomAt(4);
  const { width, height, sampling } = viewport.sample(1.5);
  assert.deepEqual([width, height], [600, 450]);
  assertAt(viewport.toImage(0, 0), sampling.left, sampling.top);
  const right = sampling.left + width * sampling.stepX;
  const bottom = sampling.top + height * sampling.stepY;
  assertAt(viewport.toStage(right, bottom), 400, 300);
});
