// Where to write the names of large regions.

import { NOT_SEEN } from "./field.js";

const ACROSS = 96; // raster points along the longer side
const LEAST_SHARE = 0.015; // of the image, for a region to be named

/** The innermost point of each large connected region: [{id, x, y}] in image coordinates. */
export function placeLabels(field) {
  const longer = Math.max(field.width, field.height);
  const width = Math.ceil((ACROSS * field.width) / longer);
  const height = Math.ceil((ACROSS * field.height) / longer);
  const [stepX, stepY] = [field.width / width, field.height / height];
  const { ids } = field.rasterise({ left: 0, top: 0, stepX, stepY }, width, height);
  const depth = measureDepth(ids, width, height);
  return findRegions(ids, width, height)
    .filter(({ id, places }) => id && id !== NOT_SEEN && places.length >= LEAST_SHARE * ids.length)
    .map(({ id, places }) => {
      const inmost = places.reduce((best, place) => (depth[place] > depth[best] ? place : best));
      const [row, column] = [Math.floor(inmost / width), inmost % width];
      return { id, x: (column + 0.5) * stepX, y: (row + 0.5) * stepY };
    });
}

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

/** City-block distance of each point to the nearest point of another class or the border. */
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

function neighbours(place, width, height) {
  const [row, column] = [Math.floor(place / width), place % width];
  const around = [];
  if (column > 0) around.push(place - 1);
  if (column < width - 1) around.push(place + 1);
  if (row > 0) around.push(place - width);
  if (row < height - 1) around.push(place + width);
  return around;
}
