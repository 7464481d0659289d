// Where the names of large regions are written.

import { make, move } from "./dom.js";
import { NOT_SEEN } from "./field.js";
import { cssColour } from "./style.js";

/** @import { ClassField } from "./field.js" */
/** @import { Colour } from "./types.js" */

const ACROSS = 96; // raster points along the longer side of the image
const LEAST_FRACTION = 0.015; // a region that covers less of the image gets no name

/**
 * A class and a point in image coordinates.
 *
 * @typedef {{id: number, x: number, y: number}} Label
 */

/**
 * Find the innermost point of each large connected region, also of the background.
 *
 * @param {ClassField} field
 * @param {number} [across] raster points along the longer side of the image.
 * @returns {Label[]}
 */
export function placeLabels(field, across = ACROSS) {
  const longer = Math.max(field.width, field.height);
  const width = Math.ceil((across * field.width) / longer);
  const height = Math.ceil((across * field.height) / longer);
  const [stepX, stepY] = [field.width / width, field.height / height];
  const ids = field.rasterise({ left: 0, top: 0, stepX, stepY }, width, height);
  const depth = measureDepth(ids, width, height);
  const least = LEAST_FRACTION * ids.length;
  return findRegions(ids, width, height)
    .filter(({ id, places }) => id !== NOT_SEEN && places.length >= least)
    .map(({ id, places }) => {
      const inmost = places.reduce((best, each) => (depth[each] > depth[best] ? each : best));
      const [row, column] = [Math.floor(inmost / width), inmost % width];
      return { id, x: (column + 0.5) * stepX, y: (row + 0.5) * stepY };
    });
}

/**
 * Write names on the stage. A name near an edge is moved inwards, so that it is shown whole.
 *
 * @param {HTMLElement} layer
 * @param {{name: string, colour: Colour, x: number, y: number}[]} names with their centres, in CSS
 *     pixels of the layer.
 * @param {{width: number, height: number}} stage its size in CSS pixels.
 */
export function renderLabels(layer, names, stage) {
  const spans = names.map(({ name, colour }) => {
    const span = make("span", {}, name);
    span.style.borderColor = cssColour(colour);
    return span;
  });
  layer.replaceChildren(...spans);
  const halves = spans.map((span) => ({ x: span.offsetWidth / 2, y: span.offsetHeight / 2 }));
  spans.forEach((span, i) => {
    const within = (/** @type {"x" | "y"} */ axis, /** @type {number} */ length) =>
      Math.max(halves[i][axis], Math.min(length - halves[i][axis], names[i][axis]));
    move(span, { x: within("x", stage.width), y: within("y", stage.height) });
  });
}

/**
 * Find the connected regions of a class map.
 *
 * @param {Uint8Array} ids
 * @param {number} width
 * @param {number} height
 * @returns {{id: number, places: number[]}[]} with the indices of each region's points.
 */
function findRegions(ids, width, height) {
  const taken = new Uint8Array(ids.length);
  const regions = [];
  for (let start = 0; start < ids.length; start++) {
    if (taken[start]) continue;
    taken[start] = 1;
    const places = [start];
    for (let next = 0; next < places.length; next++) {
      for (const other of neighbours(places[next], width, height)) {
        if (!taken[other] && ids[other] === ids[start]) {
          taken[other] = 1;
          places.push(other);
        }
      }
    }
    regions.push({ id: ids[start], places });
  }
  return regions;
}

/**
 * Measure the city-block distance of each point to the nearest point of another class, or to the
 * border.
 *
 * @param {Uint8Array} ids
 * @param {number} width
 * @param {number} height
 */
function measureDepth(ids, width, height) {
  const depth = new Uint16Array(ids.length);
  const queue = [];
  for (let place = 0; place < ids.length; place++) {
    const around = neighbours(place, width, height);
    if (around.length < 4 || around.some((other) => ids[other] !== ids[place])) {
      depth[place] = 1;
      queue.push(place);
    }
  }
  for (let next = 0; next < queue.length; next++) {
    for (const other of neighbours(queue[next], width, height)) {
      if (!depth[other]) {
        depth[other] = depth[queue[next]] + 1;
        queue.push(other);
      }
    }
  }
  return depth;
}

/**
 * @param {number} place index of a point.
 * @param {number} width
 * @param {number} height
 */
function neighbours(place, width, height) {
  const [row, column] = [Math.floor(place / width), place % width];
  const around = [];
  if (column > 0) around.push(place - 1);
  if (column < width - 1) around.push(place + 1);
  if (row > 0) around.push(place - width);
  if (row < height - 1) around.push(place + width);
  return around;
}
