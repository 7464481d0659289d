// Makes the files of a result beside the page, and packs them into one ZIP.

import { buildFiles } from "./files.js";

/** @import { FileFacts, Result } from "./files.js" */

const page = /** @type {Worker} */ (/** @type {unknown} */ (self));

page.onmessage = async (/** @type {MessageEvent<FilesRequest>} */ { data }) => {
  try {
    const { facts, image, packages, ...rest } = data;
    const [png, { zipSync }] = await Promise.all([
      /** @type {Promise<typeof import("fast-png")>} */ (import(packages.png)),
      /** @type {Promise<typeof import("fflate")>} */ (import(packages.zip)),
    ]);
    const rgba = readPixels(image);
    const files = buildFiles(png, { ...rest, ...rgba }, facts);
    const archive = zipSync(
      Object.fromEntries(
        Object.entries(files).map(([name, content]) => [
          name,
          [content, { level: name.endsWith(".png") ? 0 : 6 }],
        ]),
      ),
    );
    page.postMessage({ files, archive });
  } catch (error) {
    page.postMessage({ error: error instanceof Error ? error.message : String(error) });
  }
};

/**
 * @typedef {Omit<Result, "rgba" | "width" | "height"> & {facts: FileFacts, image: ImageBitmap,
 *     packages: {png: string, zip: string}}} FilesRequest
 */

/** @param {ImageBitmap} image */
function readPixels(image) {
  const { width, height } = image;
  const context = new OffscreenCanvas(width, height).getContext("2d");
  if (!context) throw new Error("The browser gives no 2D canvas. Close other tabs and try again.");
  context.fillStyle = "white"; // transparency is laid over white
  context.fillRect(0, 0, width, height);
  context.drawImage(image, 0, 0);
  return { rgba: context.getImageData(0, 0, width, height).data, width, height };
}
