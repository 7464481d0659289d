// The frames of a video as small square JPEGs, which the network's input is made from.

import { FRAME_QUALITY, takeFrame } from "./webcam.js";

/**
 * What the worker is asked.
 *
 * @typedef {object} FrameRequest
 * @property {VideoFrame | ImageBitmap} frame is closed by the worker.
 * @property {number} side of the JPEG in pixels.
 * @property {number} quality of the JPEG, in [0, 1].
 */

export class FrameEncoder {
  constructor() {
    this.canvas = document.createElement("canvas"); // serves without a worker
    this.hasWorkers = typeof OffscreenCanvas !== "undefined";
    /** @type {Worker | null} begins with the first frame. */
    this.worker = null;
  }

  /**
   * Take the picture that a video shows now, squashed to a square. Wait for one frame before the
   * next is asked for.
   *
   * @param {HTMLVideoElement} video
   * @param {number} side in pixels.
   * @returns {Promise<ArrayBuffer>} a JPEG.
   */
  async encode(video, side) {
    if (!this.hasWorkers) return takeFrame(video, this.canvas, side);
    const worker = (this.worker ??= startWorker());
    const frame = await copyFrame(video);
    try {
      return await new Promise((resolve, reject) => {
        worker.onmessage = ({ data }) => resolve(data);
        worker.onerror = reject;
        worker.postMessage({ frame, side, quality: FRAME_QUALITY }, [frame]);
      });
    } catch {
      worker.terminate();
      this.hasWorkers = false; // it could not be loaded
      return takeFrame(video, this.canvas, side);
    }
  }
}

/**
 * Copy what a video shows; a VideoFrame is not a copy, and comes at once.
 *
 * @param {HTMLVideoElement} video
 */
export async function copyFrame(video) {
  return typeof VideoFrame === "undefined" ? createImageBitmap(video) : new VideoFrame(video);
}

function startWorker() {
  return new Worker(new URL("./frame_worker.js", import.meta.url), { type: "module" });
}
