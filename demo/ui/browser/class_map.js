// The class map of a result and its areas, as demo/class_map.py and demo/areas.py give them.

import { Field } from "../viewer/field.js";

/** @import { AreaRow } from "../viewer/types.js" */

/**
 * Find the classes that can have the largest logit somewhere between the points of the grid: those
 * that no other class leads at all four corners of some cell.
 *
 * @param {Float32Array} logits of shape (C, h, w).
 * @param {number} height at least 2, as is the width.
 * @param {number} width
 * @returns {number[]} class ids, ascending.
 */
export function findWinners(logits, height, width) {
  const plane = height * width;
  const corners = [0, 1, width, width + 1];
  const classes = logits.length / plane;
  const leaders = findLeaders(logits, plane);
  /** @type {Set<number>} */
  const winners = new Set();
  for (let y = 0; y < height - 1; y++) {
    for (let x = 0; x < width - 1; x++) {
      const at = y * width + x;
      const first = leaders[at];
      winners.add(first);
      if (corners.every((corner) => leaders[at + corner] === first)) continue;
      for (let id = 0; id < classes; id++) {
        if (!winners.has(id) && !isBehind(logits, plane, id, at, width)) winners.add(id);
      }
    }
  }
  return [...winners].sort((one, other) => one - other);
}

/**
 * Find the class with the largest logit at each point of the grid; the lowest id wins a tie.
 *
 * @param {Float32Array} logits
 * @param {number} plane number of points of the grid.
 */
function findLeaders(logits, plane) {
  const leaders = new Uint8Array(plane);
  const best = logits.slice(0, plane);
  for (let id = 1; id < logits.length / plane; id++) {
    for (let at = 0; at < plane; at++) {
      const logit = logits[id * plane + at];
      if (logit > best[at]) {
        best[at] = logit;
        leaders[at] = id;
      }
    }
  }
  return leaders;
}

/**
 * Tell whether some class is ahead of another at all four corners of a cell.
 *
 * @param {Float32Array} logits
 * @param {number} plane number of points of the grid.
 * @param {number} id of the class that may be behind.
 * @param {number} at the cell's first corner.
 * @param {number} width of the grid.
 */
function isBehind(logits, plane, id, at, width) {
  const a = id * plane + at;
  for (let other = 0; other < logits.length / plane; other++) {
    const b = other * plane + at;
    if (
      logits[b] > logits[a] &&
      logits[b + 1] > logits[a + 1] &&
      logits[b + width] > logits[a + width] &&
      logits[b + width + 1] > logits[a + width + 1]
    ) {
      return true;
    }
  }
  return false;
}

/**
 * Find the class of each pixel of an image that the network saw whole.
 *
 * @param {Float32Array} logits of shape (C, h, w).
 * @param {[h: number, w: number]} grid
 * @param {number[]} winners see findWinners.
 * @param {{width: number, height: number}} image
 * @returns {Uint8Array} class ids, row by row.
 */
export function classifyPixels(logits, grid, winners, { width, height }) {
  /** @type {[number, number, number, number]} */
  const box = [0, 0, height, width];
  const field = new Field({ logits, grid, box, winners, width, height });
  return field.rasterise({ left: 0, top: 0, stepX: 1, stepY: 1 }, width, height);
}

/**
 * Count the pixels of each class.
 *
 * @param {Uint8Array} classMap
 * @returns {AreaRow[]} largest first.
 */
export function countAreas(classMap) {
  const counts = new Float64Array(256);
  for (const id of classMap) counts[id]++;
  return Array.from(counts.subarray(0, 255), (_, id) => /** @type {AreaRow} */ ([id, counts[id]]))
    .filter(([, pixels]) => pixels)
    .sort(([, one], [, other]) => other - one);
}
