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
  /** @type {File[]} */
  const images = [];
  for (const file of files) {
    if (isZip(file.name)) {
      // eslint-disable-next-line no-await-in-loop -- what one leaves is what the next may take
      images.push(...(await unpack(file, room(images, limits), await loadUnzip())));
    } else if (isImage(file.name, limits.suffixes)) images.push(file);
    const left = room(images, limits);
    if (left.images < 0 || left.bytes < 0) {
      throw new Error(
        `These are more than ${limits.images} images or ${limits.bytes / 1e6} MB. Choose fewer at a time.`,
      );
    }
  }
  if (!images.length) {
    throw new Error("There is no image among these files. Choose images, or a ZIP of them.");
  }
  return images;
}

/**
 * Compute what may still come.
 *
 * @param {File[]} images
 * @param {BatchLimits} limits
 * @returns {BatchLimits}
 */
function room(images, { images: most, bytes, suffixes }) {
  const taken = images.reduce((sum, { size }) => sum + size, 0);
  return { images: most - images.length, bytes: bytes - taken, suffixes };
}

/**
 * @param {File} file
 * @param {BatchLimits} left
 * @param {Unzip} packages
 * @returns {Promise<File[]>} one image or a byte more than is left, if there is more.
 */
async function unpack(file, left, { unzipSync }) {
  const archive = new Uint8Array(await file.arrayBuffer());
  let { bytes, images } = left;
  /** @type {Record<string, Uint8Array>} */
  let members;
  try {
    members = unzipSync(archive, {
      filter: ({ name, originalSize }) => {
        if (!isImage(name, left.suffixes) || images < 0 || bytes < 0) return false;
        images -= 1;
        bytes -= originalSize;
        return bytes >= 0; // what is too much need not be unpacked
      },
    });
  } catch {
    throw new Error(
      `${file.name} cannot be read as a ZIP. Pack the images again, without a password.`,
    );
  }
  const found = Object.entries(members).map(
    ([name, content]) => new File([/** @type {BlobPart} */ (content)], name),
  );
  if (bytes < 0) found.push(new File([new Uint8Array(left.bytes + 1)], "too much"));
  return found;
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
