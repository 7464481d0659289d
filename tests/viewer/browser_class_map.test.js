import assert from "node:assert/strict";
import { test } from "node:test";

import { classifyPixels, countAreas, findWinners } from "../../demo/ui/browser/class_map.js";
import { findAgreement } from "../../demo/ui/browser/compare.js";
import { encodeRuns } from "../../demo/ui/browser/annotations.js";
import { archiveName, buildFiles } from "../../demo/ui/browser/files.js";
import { LiveMemory } from "../../demo/ui/browser/live_memory.js";

const [HEIGHT, WIDTH] = [2, 3];

/**
 * Build logits that are 0 but where they are given.
 *
 * @param {Record<number, number[]>} given by class id.
 */
function buildLogits(given) {
  const logits = new Float32Array(21 * HEIGHT * WIDTH);
  for (const [id, values] of Object.entries(given)) logits.set(values, Number(id) * HEIGHT * WIDTH);
  return logits;
}

test("a class that leads nowhere can win between the points of the grid", () => {
  const logits = buildLogits({ 3: [9, 0, 0, 9, 0, 0], 4: [0, 9, 0, 0, 9, 0], 5: [8, 8, 1, 8, 8, 1] });
  assert.deepEqual(findWinners(logits, HEIGHT, WIDTH), [3, 4, 5]);
});

test("areas count every pixel once, largest first", () => {
  const logits = buildLogits({ 7: [5, 5, -5, 5, 5, -5] });
  const winners = findWinners(logits, HEIGHT, WIDTH);
  const map = classifyPixels(logits, [HEIGHT, WIDTH], winners, { width: 30, height: 20 });
  const areas = countAreas(map);
  assert.deepEqual(
    areas.map(([id]) => id),
    [7, 0],
  );
  assert.equal(areas[0][1] + areas[1][1], 600);
});

test("smoothing weighs the past, and another scene forgets it", () => {
  const memory = new LiveMemory();
  const frame = (/** @type {number} */ value) => ({
    values: new Float32Array(3 * 32 * 32).fill(value),
    width: 32,
    height: 32,
  });
  const [first, second] = [buildLogits({ 1: [8, 8, 8, 8, 8, 8] }), buildLogits({})];
  assert.equal(memory.add(first, [HEIGHT, WIDTH], frame(0.5), 0.75).flicker, null);
  const next = memory.add(second, [HEIGHT, WIDTH], frame(0.6), 0.75);
  assert.equal(next.smoothed[HEIGHT * WIDTH], 6);
  assert.deepEqual(next.flicker, [1, 0]);
  const cut = memory.add(second, [HEIGHT, WIDTH], frame(0.9), 0.75);
  assert.equal(cut.smoothed[HEIGHT * WIDTH], 0);
  assert.equal(cut.flicker, null);
});

test("agreement is the fraction of equal pixels, for each pair and for all", () => {
  const maps = new Map([
    ["xxs", Uint8Array.of(0, 0, 1, 1)],
    ["xs", Uint8Array.of(0, 0, 1, 2)],
    ["s", Uint8Array.of(0, 3, 1, 2)],
  ]);
  assert.deepEqual(findAgreement(maps), [
    { variants: ["xxs", "xs"], share: 0.75 },
    { variants: ["xxs", "s"], share: 0.5 },
    { variants: ["xs", "s"], share: 0.75 },
    { variants: ["xxs", "xs", "s"], share: 0.5 },
  ]);
});

test("runs are COCO's: column by column, long ones as differences", () => {
  const mask = Uint8Array.of(0, 1, 1, 0, 0, 1, 1, 0, 0, 1, 1, 0); // 4 wide, 3 high
  assert.equal(encodeRuns(mask, 1, 4, 3), "363"); // runs of 3, 6 and 3 pixels
  assert.equal(encodeRuns(new Uint8Array(1000), 1, 100, 10), "Xo0"); // 1000 pixels outside
});

for (const [name, wanted] of [
  ["holiday.tar.jpg", "holiday.tar-segmentation.zip"],
  ["# a: b?.png", "a b-segmentation.zip"],
  [".jpg", ".jpg-segmentation.zip"],
  ["", "image-segmentation.zip"],
]) {
  test(`the ZIP of '${name}' is '${wanted}'`, () => assert.equal(archiveName(name), wanted));
}

test("a class 0 that is no background is in every file", () => {
  /** @type {[number, number, number]} */
  const voc = [9, 9, 9];
  const classes = ["road", "car"].map((name) => ({ name, voc }));
  const words = { accuracy: "", readme: "", weights: "own" };
  const facts = { ...words, classes, groups: ["", ""], notes: {}, fixed: {} };
  const result = { rgba: new Uint8Array(16).fill(200), classMap: Uint8Array.of(0, 0, 1, 1) };
  const areas = /** @type {import("../../demo/ui/viewer/types.js").AreaRow[]} */ ([
    [0, 2],
    [1, 2],
  ]);
  const pictures = /** @type {Record<string, number[]>} */ ({});
  const png = {
    encode: (/** @type {any} */ { data, channels }) => {
      pictures[`${Object.keys(pictures).length}, ${channels}`] = [...data];
      return new Uint8Array();
    },
  };
  const files = buildFiles(
    png,
    { ...result, width: 2, height: 2, areas, name: "a.jpg", run: { weights: {} } },
    facts,
  );
  const read = (/** @type {string} */ name) => new TextDecoder().decode(files[name]);
  assert.match(read("yolo/labels/a.txt"), /^0 .*\n1 /);
  const coco = JSON.parse(read("coco.json"));
  assert.deepEqual([coco.categories.length, coco.annotations.length], [2, 2]);
  assert.equal(JSON.parse(read("label-studio.json"))[0].predictions[0].result.length, 2);
  assert.ok(pictures["1, 3"].every((value) => value !== 200)); // the overlay covers all
  for (const cutOut of ["2, 4", "3, 4"]) {
    assert.deepEqual(pictures[cutOut].filter((_, i) => i % 4 === 3), [255, 255, 255, 255]);
  }
});
