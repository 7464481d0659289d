// What a live session remembers of the frames before, as demo/live.py does.

import { classifyPixels, findWinners } from "./class_map.js";

const CUT = 40 / 255; // mean difference of thumbnails from which on the scene is another
const THUMBNAIL = 16;

export class LiveMemory {
  constructor() {
    /** @type {Float32Array | null} */
    this.mean = null;
    /** @type {Float32Array | null} */
    this.thumbnail = null;
    /** @type {[raw: Uint8Array, smoothed: Uint8Array] | null} */
    this.maps = null;
  }

  /**
   * Take the logits of a frame into the running mean.
   *
   * @param {Float32Array} logits of shape (21, h, w).
   * @param {[h: number, w: number]} grid
   * @param {{values: Float32Array, width: number, height: number}} input the frame as the network
   *     saw it, (3, h, w) in [0, 1].
   * @param {number} smoothing weight of the past in [0, 0.95].
   * @returns {{smoothed: Float32Array, winners: number[], classMap: Uint8Array,
   *     flicker: [raw: number, smoothed: number] | null}}
   */
  add(logits, grid, input, smoothing) {
    this.#forgetOtherScenes(input);
    const raw = classify(logits, grid, input);
    const smoothed = this.#smooth(logits, smoothing);
    const kept = smoothed === logits ? raw : classify(smoothed, grid, input);
    /** @type {[number, number] | null} */
    const flicker = this.maps && [
      changedFraction(raw.classMap, this.maps[0]),
      changedFraction(kept.classMap, this.maps[1]),
    ];
    this.maps = [raw.classMap, kept.classMap];
    return { smoothed, ...kept, flicker };
  }

  /** @param {{values: Float32Array, width: number, height: number}} input */
  #forgetOtherScenes(input) {
    const thumbnail = shrink(input);
    const before = this.thumbnail;
    this.thumbnail = thumbnail;
    const size = input.width * input.height;
    const isSameSize = this.maps?.[0].length === size;
    if (before && isSameSize && meanDifference(thumbnail, before) <= CUT) return;
    this.mean = null;
    this.maps = null;
  }

  /**
   * @param {Float32Array} logits
   * @param {number} smoothing
   */
  #smooth(logits, smoothing) {
    const { mean } = this;
    this.mean =
      mean && smoothing ? logits.map((now, i) => now + smoothing * (mean[i] - now)) : logits;
    return this.mean;
  }
}

/**
 * @param {Float32Array} logits
 * @param {[h: number, w: number]} grid
 * @param {{width: number, height: number}} size
 */
function classify(logits, grid, size) {
  const winners = findWinners(logits, ...grid);
  return { winners, classMap: classifyPixels(logits, grid, winners, size) };
}

/**
 * Average blocks of a frame, all three channels of it.
 *
 * @param {{values: Float32Array, width: number, height: number}} input sides are multiples of 16.
 */
function shrink({ values, width, height }) {
  const [across, down] = [width / THUMBNAIL, height / THUMBNAIL];
  const thumbnail = new Float32Array(3 * THUMBNAIL * THUMBNAIL);
  for (let row = 0; row < 3 * height; row++) {
    const to = Math.floor(row / down) * THUMBNAIL; // a channel has 16 rows of blocks
    for (let x = 0; x < width; x++) {
      thumbnail[to + Math.floor(x / across)] += values[row * width + x];
    }
  }
  return thumbnail.map((sum) => sum / (across * down));
}

/**
 * @param {Float32Array} one
 * @param {Float32Array} other
 */
function meanDifference(one, other) {
  return one.reduce((sum, value, i) => sum + Math.abs(value - other[i]), 0) / one.length;
}

/**
 * @param {Uint8Array} now
 * @param {Uint8Array} before
 */
function changedFraction(now, before) {
  let changed = 0;
  for (let i = 0; i < now.length; i++) if (now[i] !== before[i]) changed++;
  return changed / now.length;
}
