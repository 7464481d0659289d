// The networks in their runtime: on the CPU, and on the GPU where that gives the same logits sooner.

import { fetchAll } from "./downloads.js";

/** @import { OnProgress } from "./network.js" */
/** @import { Setup } from "./network_worker.js" */
/** @import { RuntimeFiles } from "./site.js" */

/** @typedef {typeof import("onnxruntime-web")} Runtime */

/**
 * What a network sees: the size, and values of shape (3, height, width).
 *
 * @typedef {{values: Float32Array, width: number, height: number}} Input
 *
 * @typedef {object} Output
 * @property {Float32Array} logits of shape (21, h, w).
 * @property {[h: number, w: number]} grid
 *
 * @typedef {(input: Input) => Promise<Output>} Run
 */

/** The GPU is used if no logit differs by more from the CPU's. */
const MOST_DIFFERENCE = 5e-3;

export class Sessions {
  /** @param {Setup} setup */
  constructor(setup) {
    this.setup = setup;
    /** @type {Map<RuntimeFiles, Promise<Runtime>>} */
    this.runtimes = new Map();
    /** @type {Map<string, Promise<Run>>} by variant. */
    this.onCpu = new Map();
    /** @type {Map<string, Run>} by variant; those that passed the check. */
    this.onGpu = new Map();
    /** @type {Map<string, string>} why a variant does not run on the GPU, or empty. */
    this.refusals = new Map();
  }

  /**
   * Fetch a network, and the runtime with the first one.
   *
   * @param {string} variant
   * @param {OnProgress} onProgress
   */
  open(variant, onProgress) {
    let run = this.onCpu.get(variant);
    if (!run) {
      run = this.#create(variant, this.setup.runtime.cpu, "wasm", onProgress);
      this.onCpu.set(variant, run);
      run.catch(() => this.onCpu.delete(variant)); // the next request tries again
    }
    return run;
  }

  /**
   * Run a network.
   *
   * @param {string} variant
   * @param {Input} input
   * @returns {Promise<Output & {processor: string}>} also what it ran on, in words.
   */
  async run(variant, input) {
    const onGpu = this.onGpu.get(variant);
    if (onGpu) {
      try {
        return { ...(await onGpu(input)), processor: "the GPU" };
      } catch {
        this.onGpu.clear(); // it was lost
        for (const each of this.refusals.keys()) this.refusals.set(each, "the GPU failed");
      }
    }
    const onCpu = await this.open(variant, () => {});
    const reason = this.refusals.get(variant);
    return { ...(await onCpu(input)), processor: `the CPU${reason ? `, because ${reason}` : ""}` };
  }

  /**
   * Let the GPU show, once for each variant, that it gives the same logits as the CPU in less time.
   * From then on it is used. A picture of one colour would show too little.
   *
   * @param {string} variant
   * @param {Input} input what the CPU was given.
   * @param {Output} output what the CPU gave.
   * @param {number} elapsedMs time of the CPU.
   */
  async tryGpu(variant, input, output, elapsedMs) {
    if (this.refusals.has(variant)) return;
    if (input.values.every((value) => value === input.values[0])) return;
    this.refusals.set(variant, "");
    if (!(await hasGpu(this.setup.gpu))) return;
    const reason = await this.#check(variant, input, output, elapsedMs).catch(
      () => "the GPU failed",
    );
    this.refusals.set(variant, reason);
  }

  /**
   * @param {string} variant
   * @param {Input} input
   * @param {Output} wanted
   * @param {number} elapsedMs
   * @returns {Promise<string>} why the GPU is not used, or empty.
   */
  async #check(variant, input, wanted, elapsedMs) {
    const { gpu, runtime } = this.setup;
    const files = "Suspending" in WebAssembly ? runtime.suspending : runtime.gpu;
    const run = await this.#create(variant, files, "webgpu", () => {});
    const { logits } = await run(input); // compiles its programs
    if (!isClose(logits, wanted.logits)) return "the GPU gave other logits";
    if (gpu === "real") {
      const began = performance.now();
      await run(input);
      if (performance.now() - began > elapsedMs) return "the GPU is slower";
    }
    this.onGpu.set(variant, run);
    return "";
  }

  /**
   * @param {string} variant
   * @param {RuntimeFiles} files
   * @param {"wasm" | "webgpu"} provider
   * @param {OnProgress} onProgress
   * @returns {Promise<Run>}
   */
  async #create(variant, files, provider, onProgress) {
    const { base, networks, threads } = this.setup;
    const missing = this.runtimes.has(files) ? [] : [files.wasm];
    const [network, wasm] = await fetchAll([networks[variant], ...missing], base, onProgress);
    if (wasm) this.runtimes.set(files, startRuntime(files, wasm, base, threads));
    const ort = await /** @type {Promise<Runtime>} */ (this.runtimes.get(files));
    const session = await ort.InferenceSession.create(network, {
      executionProviders: [provider],
      logSeverityLevel: 3,
    });
    return async ({ values, width, height }) => {
      const tensor = new ort.Tensor("float32", values, [1, 3, height, width]);
      const { logits } = await session.run({ pixel_values: tensor });
      const [, , rows, columns] = logits.dims;
      return { logits: /** @type {Float32Array} */ (logits.data).slice(), grid: [rows, columns] };
    };
  }
}

/**
 * @param {RuntimeFiles} files
 * @param {Uint8Array<ArrayBuffer>} wasm
 * @param {string} base
 * @param {number} threads
 * @returns {Promise<Runtime>}
 */
async function startRuntime({ module, loader }, wasm, base, threads) {
  /** @type {Runtime} */
  const ort = await import(new URL(module.path, base).href);
  ort.env.wasm.wasmBinary = wasm;
  ort.env.wasm.wasmPaths = { mjs: new URL(loader.path, base).href };
  ort.env.wasm.numThreads = threads;
  return ort;
}

/**
 * Tell whether there is a GPU of the asked kind.
 *
 * @param {Setup["gpu"]} kind a real one, or any, also one that the CPU imitates.
 */
async function hasGpu(kind) {
  const { gpu } = /** @type {{gpu?: {requestAdapter: () => Promise<any>}}} */ (navigator);
  if (kind === "none" || !gpu) return false;
  const adapter = await gpu.requestAdapter().catch(() => null);
  if (!adapter) return false;
  const isImitated = adapter.info?.isFallbackAdapter ?? adapter.isFallbackAdapter ?? false;
  return kind === "any" || !isImitated;
}

/**
 * @param {Float32Array} one
 * @param {Float32Array} other
 */
function isClose(one, other) {
  // a number that is none is close to nothing
  return one.every((value, i) => Math.abs(value - other[i]) <= MOST_DIFFERENCE);
}
