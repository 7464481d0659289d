// Many images: taken out of ZIP files, named, and listed in one table, as demo/batch.py does it.

import { listedName } from "./files.js";

/** @import { AreaRow } from "../viewer/types.js" */

/**
 * What is accepted at a time; demo/site.py writes it.
 *
 * @typedef {{images: number, bytes: number, suffixes: string[]}} BatchLimits
 *
 * What became of one image; areas in pixels, largest first, or why there are none.
 *
 * @typedef {{name: string, pixels: number, areas: AreaRow[], error: string}} BatchRow
 *
 * @typedef {{unzipSync: typeof import("fflate").unzipSync}} Unzip
 */

/**
 * Take the images out of ZIP files, and check how many there are.
 *
 * @param {File[]} files images, ZIP files, and what a folder holds beside them.
 * @param {BatchLimits} limits
 * @param {() => Promise<Unzip>} loadUnzip
 * @returns {Promise<File[]>}
 * @throws {Error} with a sentence.
 */
export async function gatherImages(files, limits, loadUnzip) {
  const asked = files.filter(({ name }) => isZip(name) || isImage(name, limits.suffixes));
  checkSize(asked, limits);
  const found = await Promise.all(
    asked.map(async (file) =>
      isZip(file.name) ? unpack(file, limits, await loadUnzip()) : [file],
    ),
  );
  const images = found.flat();
  checkSize(images, limits);
  if (!images.length) {
    throw new Error("There is no image among these files. Choose images, or a ZIP of them.");
  }
  return images;
}

/**
 * @param {File[]} files
 * @param {BatchLimits} limits
 */
function checkSize(files, limits) {
  const bytes = files.reduce((sum, { size }) => sum + size, 0);
  if (files.length <= limits.images && bytes <= limits.bytes) return;
  throw new Error(
    `These are more than ${limits.images} images or ${limits.bytes / 1e6} MB. Choose fewer at a time.`,
  );
}

/**
 * @param {File} file
 * @param {BatchLimits} limits
 * @param {Unzip} packages
 */
async function unpack(file, limits, { unzipSync }) {
  const archive = new Uint8Array(await file.arrayBuffer());
  let left = limits.bytes;
  let count = 0;
  /** @type {Record<string, Uint8Array>} */
  let members;
  try {
    members = unzipSync(archive, {
      filter: ({ name, originalSize }) => {
        // what is refused as too much need not be unpacked
        if (!isImage(name, limits.suffixes) || left < 0 || count > limits.images) return false;
        left -= originalSize;
        count += 1;
        return left >= 0;
      },
    });
  } catch {
    throw new Error(
      `${file.name} cannot be read as a ZIP. Pack the images again, without a password.`,
    );
  }
  const images = Object.entries(members).map(
    ([name, content]) => new File([/** @type {BlobPart} */ (content)], name),
  );
  if (left < 0) checkSize([...images, new File([], "")], { ...limits, images: images.length });
  return images;
}

/** @param {string} name */
function isZip(name) {
  return name.toLowerCase().endsWith(".zip");
}

/**
 * @param {string} name a path, maybe.
 * @param {string[]} suffixes
 */
function isImage(name, suffixes) {
  const isHidden = name.split("/").some((part) => /^(\.|__MACOSX)/.test(part));
  return !isHidden && suffixes.some((suffix) => name.toLowerCase().endsWith(suffix));
}

/**
 * Name the folder of each image after its file; images of one name are numbered.
 *
 * @param {string[]} names
 * @returns {string[]}
 */
export function nameFolders(names) {
  /** @type {Set<string>} */
  const taken = new Set();
  return names.map((name) => {
    const stem = listedName(name);
    let folder = stem;
    for (let number = 2; taken.has(folder); number++) folder = `${stem}-${number}`;
    taken.add(folder);
    return folder;
  });
}

/**
 * Write one line for each class of each image, and one with the reason for each that failed.
 *
 * @param {BatchRow[]} rows
 * @param {{name: string}[]} classes
 * @returns {string} CSV.
 */
export function writeTable(rows, classes) {
  const lines = rows.flatMap(({ name, pixels, areas, error }) =>
    error
      ? [[name, "", "", "", "", error]]
      : areas.map(([id, count]) => [name, id, classes[id].name, count, (count / pixels).toFixed(6), ""]),
  );
  const header = ["image", "class_id", "class_name", "pixels", "fraction", "error"];
  return [header, ...lines].map((cells) => `${cells.map(quote).join(",")}\n`).join("");
}

/** @param {string | number} cell */
function quote(cell) {
  const text = String(cell);
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
