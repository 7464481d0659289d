// Files made from a result, as demo/exports.py makes them: pictures, tables and annotations.

import { applyGuidedFilter, fitGuidedFilter } from "../viewer/edges.js";
import { isLeftOut } from "../viewer/style.js";
import { cocoRecord, labelStudioRecord, writeYoloLabels } from "./annotations.js";
import { resample } from "./resample.js";

/** @import { AreaRow } from "../viewer/types.js" */

/**
 * What the files are made from.
 *
 * @typedef {object} Result
 * @property {Uint8ClampedArray | Uint8Array} rgba rows of the image.
 * @property {Uint8Array} classMap class ids, row by row.
 * @property {number} width
 * @property {number} height
 * @property {AreaRow[]} areas in pixels, largest first.
 * @property {string} name of the image's file.
 * @property {Record<string, unknown>} run what made the result; run.json holds it.
 */

/**
 * What the site says about its files; demo/site.py writes it.
 *
 * @typedef {object} FileFacts
 * @property {string} accuracy name and figure of the accuracy of the weights, or empty.
 * @property {{name: string, voc: [number, number, number]}[]} classes
 * @property {string[]} groups PASCAL VOC's group of each class; empty for background.
 * @property {Record<string, string>} notes what each file is.
 * @property {Record<string, string>} fixed content of the files that are always the same.
 * @property {string} readme first lines of README.txt: the network, its weights and their licence.
 * @property {string} weights name of the weights.
 */

/** @typedef {{encode: typeof import("fast-png").encode}} Png */

const OPACITY = 0.6;
const EDGES_GRID = 256;
const text = new TextEncoder();

/**
 * Make all files of a result.
 *
 * @param {Png} png
 * @param {Result} result
 * @param {FileFacts} facts
 * @returns {Record<string, Uint8Array>} content by name; some names have a folder.
 */
export function buildFiles(png, result, facts) {
  const { classMap, height, width } = result;
  const stem = listedName(result.name);
  const size = { width, height };
  const ids = png.encode({
    ...size,
    data: classMap,
    channels: 1,
    depth: 8,
    palette: facts.classes.map(({ voc }) => voc),
  });
  /** @type {Record<string, Uint8Array>} */
  const files = {
    "classes.png": ids,
    "overlay.png": png.encode({ ...size, data: drawOverlay(result, facts), channels: 3 }),
    "cutout.png": png.encode({ ...size, data: cutOut(result, facts), channels: 4 }),
    "cutout-refined.png": png.encode({ ...size, data: cutOutRefined(result, facts), channels: 4 }),
    "areas.csv": text.encode(writeCsv(result, facts)),
    "areas.json": text.encode(writeJson(areasRecord(result, facts))),
    "coco.json": text.encode(writeJson(cocoRecord(result, facts, false))),
    "coco-polygons.json": text.encode(writeJson(cocoRecord(result, facts, true))),
    "label-studio.json": text.encode(writeJson(labelStudioRecord(result, facts))),
    "class-ids.png": png.encode({ ...size, data: classMap, channels: 1, depth: 8 }),
    [`yolo/labels/${stem}.txt`]: text.encode(writeYoloLabels(result, facts)),
    ...Object.fromEntries(
      Object.entries(facts.fixed).map(([name, content]) => [name, text.encode(content)]),
    ),
    [`JPEGImages/${stem}.png`]: png.encode({ ...size, data: opaque(result.rgba), channels: 3 }),
    [`SegmentationClass/${stem}.png`]: ids,
    [`SegmentationObject/${stem}.png`]: ids,
    "ImageSets/Segmentation/default.txt": text.encode(`${stem}\n`),
    "run.json": text.encode(writeJson(result.run)),
    "README.txt": text.encode(writeReadme(result, facts)),
  };
  for (const [id] of result.areas) {
    const data = packMask(classMap, id, width, height);
    files[`class-${facts.classes[id].name}.png`] = png.encode({ ...size, data, channels: 1, depth: 1 });
  }
  return files;
}

/**
 * Name the ZIP after the image.
 *
 * @param {string} name
 */
export function archiveName(name) {
  return `${listedName(name).replace(/[\\/:*?"<>|]/g, "").slice(0, 80) || "image"}-segmentation.zip`;
}

/**
 * Give a file's name without its ending, as a line of a list can hold it.
 *
 * @param {string} name
 */
export function listedName(name) {
  const stem = name.replace(/^.*[\\/]/, "").replace(/(?<=.)\.[^.]*$/, "");
  return stem.replace(/[\r\n]+/g, " ").replace(/^[#\s]+/, "").trimEnd() || "image";
}

/** @param {Result["rgba"]} rgba */
function opaque(rgba) {
  const rgb = new Uint8Array((rgba.length / 4) * 3);
  for (let from = 0, to = 0; from < rgba.length; from += 4) {
    rgb[to++] = rgba[from];
    rgb[to++] = rgba[from + 1];
    rgb[to++] = rgba[from + 2];
  }
  return rgb;
}

/**
 * Blend class colours over the image; background keeps its pixels.
 *
 * @param {Result} result
 * @param {FileFacts} facts
 */
function drawOverlay({ classMap, rgba }, { classes }) {
  const rgb = opaque(rgba);
  classMap.forEach((id, i) => {
    if (isLeftOut(classes, id)) return;
    for (let part = 0; part < 3; part++) {
      const at = 3 * i + part;
      rgb[at] = Math.round(classes[id].voc[part] * OPACITY + rgb[at] * (1 - OPACITY));
    }
  });
  return rgb;
}

/**
 * @param {Result} result
 * @param {FileFacts} facts
 */
function cutOut({ classMap, rgba }, { classes }) {
  const out = Uint8Array.from(rgba);
  classMap.forEach((id, i) => (out[4 * i + 3] = isLeftOut(classes, id) ? 0 : 255));
  return out;
}

/**
 * Cut out with edges that follow the image, see demo/background.py.
 *
 * @param {Result} result
 * @param {FileFacts} facts
 */
function cutOutRefined(result, facts) {
  const { classMap, height, rgba, width } = result;
  const out = cutOut(result, facts);
  const isKept = (/** @type {number} */ id) => !isLeftOut(facts.classes, id);
  if (classMap.every(isKept) || !classMap.some(isKept)) return out;
  const n = EDGES_GRID;
  const wanted = Uint8Array.from({ length: n * n }, (_, i) => {
    const x = Math.floor((((i % n) + 0.5) * width) / n);
    const y = Math.floor(((Math.floor(i / n) + 0.5) * height) / n);
    return Number(isKept(classMap[y * width + x]));
  });
  const rgb = resample(rgba, { width, height }, { width: n, height: n });
  const guide = Uint8Array.from({ length: 4 * n * n }, (_, i) =>
    i % 4 < 3 ? rgb[3 * (i >> 2) + (i % 4)] : 255,
  );
  const alpha = applyGuidedFilter(fitGuidedFilter(guide, wanted, n), n, rgba, { width, height });
  alpha.forEach((value, i) => (out[4 * i + 3] = value));
  return out;
}

/**
 * Pack one class as one bit for each pixel, each row from a byte of its own.
 *
 * @param {Uint8Array} classMap
 * @param {number} wanted
 * @param {number} width
 * @param {number} height
 */
function packMask(classMap, wanted, width, height) {
  const stride = Math.ceil(width / 8);
  const bits = new Uint8Array(stride * height);
  classMap.forEach((id, i) => {
    if (id !== wanted) return;
    const x = i % width;
    bits[Math.floor(i / width) * stride + (x >> 3)] |= 128 >> (x & 7);
  });
  return bits;
}

/**
 * @param {Result} result
 * @param {FileFacts} facts
 */
function writeCsv({ areas, classMap }, { classes }) {
  const rows = areas.map(([id, pixels]) =>
    [id, classes[id].name, pixels, (pixels / classMap.length).toFixed(6)].join(","),
  );
  return `${["class_id,class_name,pixels,fraction", ...rows].join("\n")}\n`;
}

/** @param {unknown} record */
function writeJson(record) {
  return `${JSON.stringify(record, null, 2)}\n`;
}

/**
 * @param {Result} result
 * @param {FileFacts} facts
 */
function areasRecord({ areas, classMap, run }, { accuracy, classes }) {
  const rows = areas.map(([id, pixels]) => ({
    class_id: id,
    class_name: classes[id].name,
    pixels,
    fraction: pixels / classMap.length,
  }));
  const { variant, framing, weights, image_hw, elapsed_ms, precision } = run;
  const { kind, revision } = /** @type {{kind: string, revision: string}} */ (weights);
  const made = { variant, framing, weights_source: kind, revision, accuracy };
  return { ...made, image_hw, elapsed_ms, precision, areas: rows, not_seen: 0, notes: [] };
}

/**
 * @param {Result} result
 * @param {FileFacts} facts
 */
function writeReadme({ name }, { notes, readme }) {
  const lines = Object.entries(notes).map(([file, note]) => `${file}: ${note}`);
  return `Image: ${name.replace(/[\r\n]+/g, " ")}\n${readme}\n\n${lines.join("\n")}\n`;
}
