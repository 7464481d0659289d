// How much each class covers: the server's exact counts, less what is unsure.

const SAMPLES = 256; // along the longer side
const FEW = 100; // a class with fewer samples is looked at closely
const CLOSE_SAMPLES = 32_768; // then, over all cells of the grid where it may lead,
const MOST_IN_CELL = 32; // and along each side of one

/**
 * Pixels of each class with at least a confidence. Without a threshold these are the server's
 * counts; with one, each is multiplied by the share of its samples that are sure enough.
 * Small classes are sampled more densely, where they can be.
 */
export class SureAreas {
  /**
   * @param {Field} field
   * @param {number[][]} counts [class id, pixels] of the server's class map, largest first.
   */
  constructor(field, counts) {
    this.field = field;
    this.counts = counts;
    this.confidences = null; // class id -> confidence of each sample
  }

  /** @returns {{rows: {id, pixels}[], unsure: number}} */
  above(threshold) {
    if (!threshold) {
      return { rows: this.counts.map(([id, pixels]) => ({ id, pixels })), unsure: 0 };
    }
    this.confidences ??= this.#sample();
    const rows = this.counts.map(([id, pixels]) => {
      const found = this.confidences[id];
      const sure = found.reduce((sum, confidence) => sum + (confidence >= threshold), 0);
      return { id, pixels: found.length ? Math.round((pixels * sure) / found.length) : 0 };
    });
    const all = this.counts.reduce((sum, [, pixels]) => sum + pixels, 0);
    return { rows, unsure: all - rows.reduce((sum, { pixels }) => sum + pixels, 0) };
  }

  #sample() {
    const { field } = this;
    const [width, height] = [field.right - field.left, field.bottom - field.top];
    const longer = Math.max(width, height);
    const [across, down] = [width, height].map((each) => Math.ceil((SAMPLES * each) / longer));
    const steps = { stepX: width / across, stepY: height / down };
    const view = { left: field.left, top: field.top, ...steps };
    const { ids, confidence } = field.rasterise(view, across, down, true);
    const all = Array.from({ length: 256 }, () => []);
    for (let i = 0; i < ids.length; i++) all[ids[i]].push(confidence[i]);
    for (const [id] of this.counts) if (all[id].length < FEW) all[id] = this.#lookCloser(id);
    return all;
  }

  /** Nothing found is a class of a few pixels, hemmed in by others: none of it is sure. */
  #lookCloser(id) {
    const cells = this.field.cellsOf(id);
    const side = Math.min(MOST_IN_CELL, Math.ceil(Math.sqrt(CLOSE_SAMPLES / cells.length)));
    return cells.flatMap(({ left, top, width, height }) => {
      const steps = { stepX: width / side, stepY: height / side };
      const { ids, confidence } = this.field.rasterise({ left, top, ...steps }, side, side, true);
      return Array.from(confidence.filter((_, i) => ids[i] === id));
    });
  }
}
