// The page's side of the worker that runs the networks.

/** @import { SegmentAnswer, SegmentRequest, Setup } from "./network_worker.js" */

/**
 * @typedef {(progress: {loaded: number, total: number}) => void} OnProgress
 *
 * @typedef {object} Waiting
 * @property {(answer: SegmentAnswer) => void} resolve
 * @property {(error: Error) => void} reject
 * @property {OnProgress} onProgress
 */

export class Network {
  /** @param {Setup} setup */
  constructor(setup) {
    /** @type {Map<number, Waiting>} */
    this.waiting = new Map();
    this.nextId = 0;
    this.worker = new Worker(new URL("./network_worker.js", import.meta.url), { type: "module" });
    this.worker.onmessage = ({ data }) => this.#receive(data);
    this.worker.onerror = () => this.#failAll("The network's worker could not be started.");
    this.worker.postMessage(setup);
  }

  /**
   * Segment an image, whose memory is handed over.
   *
   * @param {Omit<SegmentRequest, "id">} request
   * @param {OnProgress} [onProgress] called while files are fetched.
   * @returns {Promise<SegmentAnswer>}
   */
  segment(request, onProgress = () => {}) {
    const id = this.nextId++;
    const { image } = request;
    const memory = image instanceof ImageData ? [image.data.buffer] : [image];
    return new Promise((resolve, reject) => {
      this.waiting.set(id, { resolve, reject, onProgress });
      this.worker.postMessage({ ...request, id }, memory);
    });
  }

  /**
   * @param {{id: number, progress?: {loaded: number, total: number}, result?: SegmentAnswer,
   *     error?: string}} message
   */
  #receive({ id, progress, result, error }) {
    const waiting = this.waiting.get(id);
    if (!waiting) return;
    if (progress) {
      waiting.onProgress(progress);
      return;
    }
    this.waiting.delete(id);
    if (result) waiting.resolve(result);
    else waiting.reject(new Error(error));
  }

  /** @param {string} sentence */
  #failAll(sentence) {
    for (const { reject } of this.waiting.values()) reject(new Error(sentence));
    this.waiting.clear();
  }
}
