// A result in the formats of tools that label and train, as demo/annotations.py makes them.

import { hasBackground, isLeftOut } from "../viewer/style.js";
import { tracePolygons } from "./polygons.js";

/** @import { FileFacts, Result } from "./files.js" */

const RUN_BITS = [4, 8, 12, 16]; // sizes of run lengths in Label Studio's encoding

/**
 * Build COCO annotations: one for each class but background.
 *
 * @param {Result} result
 * @param {FileFacts} facts
 * @param {boolean} asPolygons write polygons along the edges of the pixels; else run-length masks.
 */
export function cocoRecord(result, { classes, groups, weights }, asPolygons) {
  const { areas, classMap, height, name, width } = result;
  const found = areas.filter(([id]) => !isLeftOut(classes, id));
  const shape = (/** @type {number} */ id) =>
    asPolygons
      ? tracePolygons(classMap, id, width).map((ring) => ring.flat())
      : { size: [height, width], counts: encodeRuns(classMap, id, width, height) };
  const annotations = found.map(([id, pixels], i) => ({
    id: i + 1,
    image_id: 1,
    category_id: id,
    segmentation: shape(id),
    area: pixels,
    bbox: findBox(classMap, id, width),
    iscrowd: 0,
  }));
  const now = new Date();
  return {
    info: {
      description: "Classes found by MobileViT + DeepLabV3, one mask for each class",
      version: "1.0",
      year: now.getUTCFullYear(),
      contributor: weights,
      url: "",
      date_created: now.toISOString(),
    },
    licenses: [],
    images: [{ id: 1, file_name: name, height, width }],
    annotations,
    categories: classes
      .map((each, id) => ({ id, name: each.name, supercategory: groups[id] }))
      .filter(({ id }) => !isLeftOut(classes, id)),
  };
}

/**
 * Write a mask as COCO's compressed runs: lengths of pixels that are outside and inside by turns,
 * column by column; from the third run on, the difference from the one before the last.
 *
 * @param {Uint8Array} classMap
 * @param {number} wanted
 * @param {number} width
 * @param {number} height
 */
export function encodeRuns(classMap, wanted, width, height) {
  const runs = [0];
  let isInside = false;
  for (let x = 0; x < width; x++) {
    for (let y = 0; y < height; y++) {
      if ((classMap[y * width + x] === wanted) !== isInside) {
        isInside = !isInside;
        runs.push(0);
      }
      runs[runs.length - 1]++;
    }
  }
  return runs.map((run, i) => encodeNumber(i > 2 ? run - runs[i - 2] : run)).join("");
}

/** @param {number} value five bits a character, lowest first; a sixth bit says that more follow. */
function encodeNumber(value) {
  let rest = value;
  let written = "";
  for (let isLast = false; !isLast; ) {
    const bits = rest & 31;
    rest >>= 5;
    isLast = bits & 16 ? rest === -1 : rest === 0;
    written += String.fromCharCode((isLast ? bits : bits | 32) + 48);
  }
  return written;
}

/**
 * @param {Uint8Array} classMap
 * @param {number} wanted
 * @param {number} width
 * @returns {[left: number, top: number, width: number, height: number]}
 */
function findBox(classMap, wanted, width) {
  let [left, top, right, bottom] = [Infinity, Infinity, -1, -1];
  classMap.forEach((id, i) => {
    if (id !== wanted) return;
    const [x, y] = [i % width, Math.floor(i / width)];
    left = Math.min(left, x);
    right = Math.max(right, x);
    top = Math.min(top, y);
    bottom = y;
  });
  return [left, top, right - left + 1, bottom - top + 1];
}

/**
 * Write YOLO's segmentation labels: a line for each polygon.
 *
 * @param {Result} result
 * @param {FileFacts} facts
 */
export function writeYoloLabels({ areas, classMap, height, width }, { classes }) {
  const first = Number(hasBackground(classes));
  const lines = areas
    .filter(([id]) => !isLeftOut(classes, id))
    .flatMap(([id]) =>
      tracePolygons(classMap, id, width).map((ring) => {
        const corners = ring.map(([x, y]) => `${fraction(x, width)} ${fraction(y, height)}`);
        return `${[id - first, ...corners].join(" ")}\n`;
      }),
    );
  return lines.join("");
}

/**
 * Write a fraction with six digits, a half rounded up.
 *
 * @param {number} position
 * @param {number} length
 */
function fraction(position, length) {
  return (Math.floor((position * 1e6) / length + 0.5) / 1e6).toFixed(6);
}

/**
 * Build a task of Label Studio with the result as its prediction.
 *
 * @param {Result} result
 * @param {FileFacts} facts
 */
export function labelStudioRecord({ areas, classMap, height, name, run, width }, facts) {
  const result = areas
    .filter(([id]) => !isLeftOut(facts.classes, id))
    .map(([id]) => ({
      id: facts.classes[id].name,
      type: "brushlabels",
      from_name: "tag",
      to_name: "image",
      original_width: width,
      original_height: height,
      image_rotation: 0,
      value: {
        format: "rle",
        rle: encodeBrush(classMap, id),
        brushlabels: [facts.classes[id].name],
      },
    }));
  const version = `MobileViT-${String(run.variant).toUpperCase()}, ${facts.weights}`;
  return [{ data: { image: name }, predictions: [{ model_version: version, result }] }];
}

/**
 * Encode a class as Label Studio's brush does, see demo/annotations.py.
 *
 * @param {Uint8Array} classMap
 * @param {number} wanted
 */
export function encodeBrush(classMap, wanted) {
  const header = [[4 * classMap.length, 32], [7, 5], ...RUN_BITS.map((size) => [size - 1, 4])];
  const bits = header.map(([value, size]) => inBits(value, size));
  for (let from = 0; from < classMap.length; ) {
    const isInside = classMap[from] === wanted;
    let to = from + 1;
    while (to < classMap.length && (classMap[to] === wanted) === isInside) to++;
    const longest = 2 ** 16;
    for (let left = 4 * (to - from); left > 0; left -= longest) {
      const length = Math.min(left, longest);
      const which = RUN_BITS.findIndex((size) => length <= 2 ** size);
      const run = inBits(length - 1, RUN_BITS[which]);
      bits.push("1", inBits(which, 2), run, isInside ? "11111111" : "00000000");
    }
    from = to;
  }
  const written = bits.join("");
  return Array.from({ length: Math.ceil(written.length / 8) }, (_, i) =>
    parseInt(written.slice(8 * i, 8 * i + 8).padEnd(8, "0"), 2),
  );
}

/**
 * @param {number} value
 * @param {number} size how many bits.
 */
function inBits(value, size) {
  return value.toString(2).padStart(size, "0");
}
