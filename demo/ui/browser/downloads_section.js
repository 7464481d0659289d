// The downloads: all files of the result, made when they are asked for.

import { find, make } from "../viewer/dom.js";
import { archiveName } from "./files.js";

/** @import { SegmentAnswer } from "./network_worker.js" */
/** @import { FilesRequest } from "./files_worker.js" */
/** @import { Site } from "./site.js" */

/** @typedef {Omit<FilesRequest, "packages">} Wanted */

export class DownloadsSection {
  /**
   * @param {Site} site
   * @param {() => Promise<Wanted>} choose gives what the files are made from; rejects with a
   *     sentence.
   */
  constructor(site, choose) {
    this.site = site;
    this.choose = choose;
    /** @type {string[]} addresses of the files that are offered. */
    this.addresses = [];
    /** @type {symbol | null} identifies the latest request. */
    this.latest = null;
    this.button = find(document, "#download-button", HTMLButtonElement);
    this.message = find(document, "#download-message", HTMLElement);
    this.list = find(document, "#downloads ul", HTMLElement);
    this.button.addEventListener("click", () => this.#make());
    this.clear();
    this.button.disabled = true;
  }

  /** Forget the files, as there is another result. */
  clear() {
    this.latest = null;
    for (const address of this.addresses) URL.revokeObjectURL(address);
    this.addresses = [];
    this.message.textContent = "";
    this.button.disabled = false;
    this.list.replaceChildren(
      ...Object.entries(this.site.notes).map(([name, note]) => renderLine(name, note, "")),
    );
  }

  async #make() {
    this.clear();
    const latest = Symbol("files");
    this.latest = latest;
    this.button.disabled = true;
    this.message.textContent = "Making the files …";
    try {
      const wanted = await this.choose();
      const { archive, files } = await makeFiles(this.site, wanted);
      if (this.latest === latest) this.#offer(archiveName(wanted.name), archive, files);
    } catch (error) {
      if (this.latest !== latest) return;
      this.message.textContent = error instanceof Error ? error.message : String(error);
    } finally {
      if (this.latest === latest) this.button.disabled = false;
    }
  }

  /**
   * List the files, and begin the download of the ZIP.
   *
   * @param {string} name of the ZIP.
   * @param {Uint8Array<ArrayBuffer>} archive
   * @param {Record<string, Uint8Array<ArrayBuffer>>} files
   */
  #offer(name, archive, files) {
    this.message.textContent = "";
    const alone = Object.entries(files).filter(([each]) => !each.includes("/"));
    const lines = [
      this.#renderFile(name, "all files in one", archive),
      ...alone.map(([each, content]) => this.#renderFile(each, this.#describe(each), content)),
      renderLine("folders", this.site.notes.folders, ""),
    ];
    this.list.replaceChildren(...lines);
    find(this.list, "a", HTMLAnchorElement).click();
  }

  /** @param {string} name */
  #describe(name) {
    const found = /^class-(.*)\.png$/.exec(name);
    return found ? `mask of ${found[1]}, white where it is` : this.site.notes[name];
  }

  /**
   * @param {string} name
   * @param {string} note
   * @param {Uint8Array<ArrayBuffer>} content
   */
  #renderFile(name, note, content) {
    const address = URL.createObjectURL(new Blob([content]));
    this.addresses.push(address);
    const link = make("a", { href: address, download: name }, name);
    return renderLine(link, note, formatSize(content.length));
  }
}

/**
 * Describe what the files of an answer are made from.
 *
 * @param {Site} site
 * @param {SegmentAnswer} answer with its class map.
 * @param {ImageBitmap} image
 * @param {string} name of the image's file.
 * @param {string} variant
 * @returns {Wanted}
 */
export function describeFiles(site, answer, image, name, variant) {
  const { areas, classMap, elapsedMs, framing, height, networkHw, width } = answer;
  if (!classMap) throw new Error("Segment the picture again.");
  const { accuracy, licence, readme, source } = site.networks[variant];
  const { classes, fixed, groups, notes, versions } = site;
  const run = {
    image: name,
    image_hw: [height, width],
    variant,
    weights: source,
    weights_licence: licence,
    framing,
    network_hw: networkHw,
    seen_box: [0, 0, height, width],
    elapsed_ms: Math.round(elapsedMs * 10) / 10,
    precision: "f32",
    notes: [],
    made_at: new Date().toISOString(),
    versions,
  };
  const weights = String(source.name);
  const facts = { accuracy, classes, fixed, groups, notes, readme, weights };
  return { areas, classMap, facts, image, name, run };
}

/**
 * @param {Site} site
 * @param {Wanted} wanted its image is handed over.
 * @returns {Promise<{archive: Uint8Array<ArrayBuffer>,
 *     files: Record<string, Uint8Array<ArrayBuffer>>}>}
 */
export function makeFiles(site, wanted) {
  const worker = new Worker(new URL("./files_worker.js", import.meta.url), { type: "module" });
  const address = (/** @type {string} */ path) => new URL(path, document.baseURI).href;
  const packages = { png: address(site.packages.png), zip: address(site.packages.zip) };
  return new Promise((resolve, reject) => {
    worker.onmessage = ({ data }) => ("error" in data ? reject(new Error(data.error)) : resolve(data));
    worker.onerror = () => reject(new Error("The files could not be made. Reload the page."));
    worker.postMessage({ ...wanted, packages }, [wanted.image]);
  }).finally(() => worker.terminate());
}

/**
 * @param {Node | string} name
 * @param {string} note
 * @param {string} size
 */
function renderLine(name, note, size) {
  const parts = [make("span", { class: "name" }, name), make("span", { class: "note" }, note)];
  return make("li", {}, ...parts, make("span", { class: "size" }, size));
}

/** @param {number} bytes */
function formatSize(bytes) {
  if (bytes < 1000) return `${bytes} B`;
  return bytes < 1e6 ? `${Math.round(bytes / 1000)} kB` : `${(bytes / 1e6).toFixed(1)} MB`;
}
