// Where the points of a raster lie between the points of the grid of logits.

/**
 * Where the points of a raster lie.
 *
 * @typedef {object} Sampling
 * @property {number} left image coordinate of the raster's left edge.
 * @property {number} top image coordinate of its top edge.
 * @property {number} stepX image pixels from one point to the next.
 * @property {number} stepY image pixels from one row of points to the next.
 */

/**
 * Find between which points of the grid positions lie along one axis.
 *
 * @param {ArrayLike<number>} positions image coordinates.
 * @param {number} count how many points the grid has along this axis.
 * @param {number} start where the part that the network saw begins.
 * @param {number} stop where it ends.
 * @returns {{cells: Int32Array, fractions: Float32Array, seen: Uint8Array}} for each position: the
 *     point before it, the fraction of the way from there to the next point, and 1 if it was seen.
 */
export function planAxis(positions, count, start, stop) {
  const cells = new Int32Array(positions.length);
  const fractions = new Float32Array(positions.length);
  const seen = new Uint8Array(positions.length);
  for (let i = 0; i < positions.length; i++) {
    const along = ((positions[i] - start) * count) / (stop - start) - 0.5;
    const inside = Math.min(Math.max(along, 0), count - 1);
    cells[i] = Math.min(Math.floor(inside), count - 2);
    fractions[i] = inside - cells[i];
    seen[i] = positions[i] >= start && positions[i] < stop ? 1 : 0;
  }
  return { cells, fractions, seen };
}

/**
 * Points of a raster's row, from `from` up to but not including `to`, that all lie between the same
 * two points of the grid.
 *
 * @typedef {{cell: number, from: number, to: number}} Run
 */

/**
 * Cut the points of a row that the network saw into runs.
 *
 * @param {{cells: Int32Array, seen: Uint8Array}} axis see planAxis.
 */
export function cutIntoRuns({ cells, seen }) {
  /** @type {Run[]} */
  const runs = [];
  for (let from = 0; from < cells.length; ) {
    let to = from + 1;
    while (to < cells.length && cells[to] === cells[from] && seen[to] === seen[from]) to++;
    if (seen[from]) runs.push({ cell: cells[from], from, to });
    from = to;
  }
  return runs;
}
