// The Batch tab: images, a folder or a ZIP in; a row for each, one ZIP and one table out.

import { download, find, make } from "../viewer/dom.js";
import { cssColour, isLeftOut } from "../viewer/style.js";
import { gatherImages, nameFolders, writeTable } from "./batch.js";
import { describeFiles, makeFiles } from "./downloads_section.js";
import { DEFAULT_SIDE } from "./framing.js";

/** @import { BatchRow } from "./batch.js" */
/** @import { Network } from "./network.js" */
/** @import { Site } from "./site.js" */

const THUMBNAIL_SIDE = 160;
const TOP_CLASSES = 3;
const UNREADABLE = "This browser cannot read the file as a picture.";

export class BatchTab {
  /**
   * @param {Site} site
   * @param {Network} network
   * @param {(file: File) => void} open shows an image in the Image tab.
   */
  constructor(site, network, open) {
    this.site = site;
    this.network = network;
    this.open = open;
    /** @type {File[]} what was chosen last. */
    this.files = [];
    /** @type {symbol | null} identifies the run; null while nothing runs. */
    this.run = null;
    /** @type {{archive: Blob, table: Blob} | null} */
    this.results = null;
    const root = find(document, "#panel-batch", HTMLElement);
    this.begin = find(root, "#batch-begin", HTMLButtonElement);
    this.cancel = find(root, "#batch-cancel", HTMLButtonElement);
    this.status = find(root, "#batch-status", HTMLElement);
    this.progress = find(root, "progress", HTMLProgressElement);
    this.rows = find(root, ".batch-rows", HTMLElement);
    this.downloads = find(root, ".batch-downloads", HTMLElement);
    this.variants = find(root, "[name=batch-variant]", HTMLSelectElement);
    this.#listen(root);
  }

  /** @param {HTMLElement} root */
  #listen(root) {
    for (const input of root.querySelectorAll("input[type=file]")) {
      if (!(input instanceof HTMLInputElement)) continue;
      input.addEventListener("change", () => {
        this.#choose([...(input.files ?? [])]);
        input.value = ""; // the same choice counts again
      });
    }
    root.addEventListener("dragover", (event) => event.preventDefault());
    root.addEventListener("drop", (event) => {
      event.preventDefault();
      this.#choose([...(event.dataTransfer?.files ?? [])]);
    });
    this.begin.addEventListener("click", () => this.#segmentAll());
    this.cancel.addEventListener("click", () => this.#stop("Cancelled. The rows so far stay."));
    const [archive, table] = this.downloads.querySelectorAll("button");
    archive.addEventListener("click", () => this.#download("archive", "segmentation.zip"));
    table.addEventListener("click", () => this.#download("table", "areas.csv"));
  }

  /** @param {File[]} files */
  #choose(files) {
    this.files = files;
    const count = `${files.length} file${files.length === 1 ? "" : "s"}`;
    this.#stop(files.length ? `${count} can be segmented.` : "Choose images to begin.");
    this.#clear();
    this.begin.disabled = !files.length;
  }

  #clear() {
    this.results = null;
    this.downloads.hidden = true;
    this.rows.replaceChildren();
  }

  /** @param {string} sentence */
  #stop(sentence) {
    this.run = null;
    this.begin.hidden = false;
    this.cancel.hidden = true;
    this.progress.hidden = true;
    this.status.textContent = sentence;
  }

  async #segmentAll() {
    const run = Symbol("run");
    this.run = run;
    this.#clear();
    this.begin.hidden = true;
    this.cancel.hidden = false;
    this.progress.removeAttribute("value");
    this.progress.hidden = false;
    this.status.textContent = "Segmenting …";
    const began = performance.now();
    try {
      const images = await gatherImages(this.files, this.site.batch, () => importZip(this.site));
      const packing = await startArchive(this.site);
      const variant = this.variants.value;
      const folders = nameFolders(images.map(({ name }) => name));
      /** @type {BatchRow[]} */
      const rows = [];
      for (const [i, image] of images.entries()) {
        // eslint-disable-next-line no-await-in-loop -- one after the other, so that memory stays flat
        const { row, files } = await this.#segmentOne(image, variant);
        if (this.run !== run) return;
        for (const [name, content] of Object.entries(files)) packing.add(`${folders[i]}/${name}`, content);
        rows.push(row);
        // eslint-disable-next-line no-await-in-loop -- rows stand in their order
        const item = await this.#renderRow(row, image, files["overlay.png"]);
        if (this.run !== run) return;
        this.rows.append(item);
        this.progress.value = rows.length / images.length;
        this.status.textContent = `${rows.length} of ${images.length} images`;
      }
      const table = new TextEncoder().encode(writeTable(rows, this.site.classes));
      packing.add("areas.csv", table);
      this.results = { archive: packing.end(), table: new Blob([table], { type: "text/csv" }) };
      this.downloads.hidden = false;
      this.#stop(describe(this.site.networks[variant].label, rows, performance.now() - began));
    } catch (error) {
      if (this.run === run) this.#stop(error instanceof Error ? error.message : String(error));
    }
  }

  /**
   * @param {File} file
   * @param {string} variant
   * @returns {Promise<{row: BatchRow, files: Record<string, Uint8Array<ArrayBuffer>>}>}
   */
  async #segmentOne(file, variant) {
    const { name } = file;
    try {
      const image = await createImageBitmap(file).catch(() => {
        throw new Error(UNREADABLE);
      });
      const request = { variant, framing: /** @type {const} */ ("auto"), side: DEFAULT_SIDE };
      const answer = await this.network.segment({ image, ...request, hasMap: true });
      const { areas, height, width } = answer;
      const bitmap = await createImageBitmap(file);
      const { files } = await makeFiles(
        this.site,
        describeFiles(this.site, answer, bitmap, name, variant),
      );
      return { row: { name, pixels: width * height, areas, error: "" }, files };
    } catch (reason) {
      const error = reason instanceof Error ? reason.message : String(reason);
      return { row: { name, pixels: 0, areas: [], error }, files: {} };
    }
  }

  /**
   * @param {BatchRow} row
   * @param {File} image
   * @param {Uint8Array<ArrayBuffer>} [overlay]
   */
  async #renderRow({ name, pixels, areas, error }, image, overlay) {
    const label = make("span", { class: "name" }, name);
    if (!overlay) return make("li", { class: "failed" }, label, error);
    const button = make(
      "button",
      { type: "button", title: "Open in the Image tab" },
      await drawThumbnail(overlay),
    );
    button.addEventListener("click", () => this.open(image));
    const shown = areas
      .filter(([id]) => !isLeftOut(this.site.classes, id))
      .slice(0, TOP_CLASSES)
      .map(([id, count]) => {
        const dot = make("i");
        dot.style.background = cssColour(this.site.classes[id].voc);
        return make("span", {}, dot, `${this.site.classes[id].name} ${Math.round((100 * count) / pixels)}%`);
      });
    return make("li", {}, button, label, ...(shown.length ? shown : ["Nothing was found."]));
  }

  /**
   * @param {"archive" | "table"} which
   * @param {string} name
   */
  #download(which, name) {
    if (this.results) download(this.results[which], name);
  }
}

/**
 * @param {Site} site
 * @returns {Promise<typeof import("fflate")>}
 */
function importZip(site) {
  return import(new URL(site.packages.zip, document.baseURI).href);
}

/**
 * Begin a ZIP whose parts the browser may put on its disk as they come.
 *
 * @param {Site} site
 */
async function startArchive(site) {
  const { Zip, ZipDeflate, ZipPassThrough } = await importZip(site);
  /** @type {Blob[]} */
  const parts = [];
  const zip = new Zip((error, chunk) => {
    if (error) throw error;
    parts.push(new Blob([/** @type {BlobPart} */ (chunk)]));
  });
  return {
    add: (/** @type {string} */ name, /** @type {Uint8Array} */ content) => {
      const file = name.endsWith(".png") ? new ZipPassThrough(name) : new ZipDeflate(name);
      zip.add(file);
      file.push(content, true);
    },
    end: () => {
      zip.end();
      return new Blob(parts, { type: "application/zip" });
    },
  };
}

/** @param {Uint8Array<ArrayBuffer>} png */
async function drawThumbnail(png) {
  const bitmap = await createImageBitmap(new Blob([png]));
  const scale = Math.min(1, THUMBNAIL_SIDE / Math.max(bitmap.width, bitmap.height));
  const canvas = make("canvas");
  canvas.width = Math.max(1, Math.round(bitmap.width * scale));
  canvas.height = Math.max(1, Math.round(bitmap.height * scale));
  canvas.getContext("2d")?.drawImage(bitmap, 0, 0, canvas.width, canvas.height);
  bitmap.close();
  return canvas;
}

/**
 * @param {string} label
 * @param {BatchRow[]} rows
 * @param {number} tookMs
 */
function describe(label, rows, tookMs) {
  const failed = rows.filter(({ error }) => error).length;
  const done = rows.length - failed;
  const summary = `${label}: ${done} image${done === 1 ? "" : "s"} in ${(tookMs / 1000).toFixed(1)} s.`;
  return failed ? `${summary} ${failed} could not be segmented; the rows say why.` : summary;
}
