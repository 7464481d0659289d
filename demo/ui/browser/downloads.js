// Files that are large: fetched with progress, and checked against their hash.

/**
 * A file of the site.
 *
 * @typedef {object} SiteFile
 * @property {string} path relative to the page.
 * @property {number} bytes
 * @property {string} sha256 hexadecimal.
 */

/**
 * Fetch a file. One that arrives damaged is fetched once more, past the browser's cache.
 *
 * @param {SiteFile} file
 * @param {URL | string} base the page's address.
 * @param {(loaded: number) => void} onProgress called with the bytes that have come.
 * @returns {Promise<Uint8Array<ArrayBuffer>>}
 * @throws {Error} with a sentence.
 */
export async function fetchFile(file, base, onProgress) {
  const address = new URL(file.path, base);
  const content = await fetchBytes(address, "default", onProgress);
  if (await isWhole(content, file)) return content;
  const second = await fetchBytes(address, "reload", onProgress);
  if (await isWhole(second, file)) return second;
  throw new Error(`${file.path} arrived damaged twice. Reload the page to try again.`);
}

/**
 * Fetch several files at the same time, see fetchFile.
 *
 * @param {SiteFile[]} files
 * @param {URL | string} base
 * @param {(progress: {loaded: number, total: number}) => void} onProgress called with the bytes of
 *     all of them.
 */
export function fetchAll(files, base, onProgress) {
  const loaded = files.map(() => 0);
  const total = files.reduce((sum, { bytes }) => sum + bytes, 0);
  return Promise.all(
    files.map((file, i) =>
      fetchFile(file, base, (bytes) => {
        loaded[i] = bytes;
        onProgress({ loaded: loaded.reduce((sum, part) => sum + part, 0), total });
      }),
    ),
  );
}

/**
 * @param {URL} address
 * @param {RequestCache} cache
 * @param {(loaded: number) => void} onProgress
 */
async function fetchBytes(address, cache, onProgress) {
  const response = await fetch(address, { cache }).catch(() => null);
  if (!response?.ok || !response.body) {
    throw new Error("A part of the page could not be fetched. Check the connection and try again.");
  }
  /** @type {Uint8Array[]} */
  const parts = [];
  let loaded = 0;
  const reader = response.body.getReader();
  const read = async () => {
    const { value } = await reader.read();
    if (!value) return false;
    parts.push(value);
    loaded += value.length;
    onProgress(loaded);
    return true;
  };
  try {
    // eslint-disable-next-line no-await-in-loop -- a stream comes one part after the other
    while (await read());
  } catch {
    // It was cut off; the caller sees that it is not whole.
  }
  return new Uint8Array(await new Blob(/** @type {BlobPart[]} */ (parts)).arrayBuffer());
}

/**
 * Compare a file with what it should be. Browsers hash only where the page came by https or from
 * this machine; elsewhere its length must do.
 *
 * @param {Uint8Array<ArrayBuffer>} content
 * @param {SiteFile} file
 */
async function isWhole(content, { bytes, sha256 }) {
  if (content.length !== bytes) return false;
  if (!globalThis.crypto?.subtle) return true;
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", content));
  const text = Array.from(digest, (byte) => byte.toString(16).padStart(2, "0")).join("");
  return text === sha256;
}
