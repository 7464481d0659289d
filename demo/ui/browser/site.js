// What the page knows of its site: site.json, which demo/site.py writes.

/** @import { SiteFile } from "./downloads.js" */
/** @import { ClassInfo, ExampleInfo } from "../viewer/types.js" */

/**
 * What is to be known of one variant's weights.
 *
 * @typedef {object} NetworkInfo
 * @property {SiteFile} file
 * @property {string} label name of the variant.
 * @property {string} short short name of the variant.
 * @property {number} parameters in millions.
 * @property {string} accuracy name and figure of the accuracy of the weights, or empty.
 * @property {string} badge names the weights in two words.
 * @property {string} weights says where they come from and what they know.
 * @property {Record<string, unknown>} source where they come from, as run.json has it.
 * @property {string} licence
 * @property {string} readme first lines of README.txt.
 *
 * @typedef {{module: SiteFile, loader: SiteFile, wasm: SiteFile}} RuntimeFiles
 *
 * @typedef {object} Site
 * @property {ClassInfo[]} classes
 * @property {ExampleInfo[]} examples those that the first variant can do.
 * @property {string} first key of the variant to begin with.
 * @property {Record<string, NetworkInfo>} networks by the variant's key.
 * @property {{cpu: RuntimeFiles, gpu: RuntimeFiles, suspending: RuntimeFiles}} runtime for the CPU,
 *     and for the GPU: in any browser, and, smaller, where WebAssembly can be suspended.
 * @property {{png: string, zip: string}} packages addresses of the modules that write PNG and ZIP.
 * @property {Record<string, string>} notes what each file that can be downloaded is.
 * @property {string[]} groups PASCAL VOC's group of each class; empty for background.
 * @property {Record<string, string>} fixed content of the files that are always the same.
 * @property {import("./batch.js").BatchLimits} batch what the Batch tab accepts.
 * @property {Record<string, string>} versions of the packages that run the network.
 */

/** Read what the page knows. */
export async function readSite() {
  const response = await fetch(new URL("site.json", document.baseURI));
  if (!response.ok) throw new Error("site.json is missing. Build the site again.");
  return /** @type {Promise<Site>} */ (response.json());
}
