// How much each class covers: the server's exact counts, less what is unsure.

import { NOT_SEEN } from "./field.js";

const SAMPLES = 256; // along the longer side

/**
 * Pixels of each class with at least a confidence. Without a threshold these are the server's
 * counts; with one, each is multiplied by the share of its samples that are sure enough.
 */
export class Areas {
  /**
   * @param {Field} field
   * @param {number[][]} counts [class id, pixels] of the server's class map, largest first.
   */
  constructor(field, counts) {
    this.field = field;
    this.counts = counts;
    this.samples = null;
  }

  /** @returns {{rows: {id, pixels}[], unsure: number}} */
  above(threshold) {
    if (!threshold) {
      return { rows: this.counts.map(([id, pixels]) => ({ id, pixels })), unsure: 0 };
    }
    const kept = this.#shareKept(threshold);
    const rows = this.counts.map(([id, pixels]) => ({ id, pixels: Math.round(pixels * kept(id)) }));
    const all = this.counts.reduce((sum, [, pixels]) => sum + pixels, 0);
    return { rows, unsure: all - rows.reduce((sum, { pixels }) => sum + pixels, 0) };
  }

  #shareKept(threshold) {
    this.samples ??= this.#draw();
    const { ids, confidence } = this.samples;
    const all = new Uint32Array(256);
    const sure = new Uint32Array(256);
    for (let i = 0; i < ids.length; i++) {
      all[ids[i]]++;
      if (confidence[i] >= threshold) sure[ids[i]]++;
    }
    return (id) => (id === NOT_SEEN || !all[id] ? 1 : sure[id] / all[id]);
  }

  #draw() {
    const { field } = this;
    const [width, height] = [field.right - field.left, field.bottom - field.top];
    const longer = Math.max(width, height);
    const [across, down] = [width, height].map((each) => Math.ceil((SAMPLES * each) / longer));
    const steps = { stepX: width / across, stepY: height / down };
    return field.rasterise({ left: field.left, top: field.top, ...steps }, across, down, true);
  }
}
