// The outlines of a class as polygons along the edges of its pixels, as demo/polygons.py makes them.

/**
 * Corners of a closed line along pixel edges, in order.
 *
 * @typedef {[x: number, y: number][]} Ring
 */

/** Directions clockwise: right, down, left, up. @type {[x: number, y: number][]} */
const DIRECTIONS = [
  [1, 0],
  [0, 1],
  [-1, 0],
  [0, -1],
];

/** Where the edge of a pixel in each direction begins. @type {[x: number, y: number][]} */
const CORNERS = [
  [0, 0],
  [1, 0],
  [1, 1],
  [0, 1],
];

/**
 * Trace the parts of a class as polygons without holes that cover exactly its pixels. A class with a
 * hole is cut at a column through it.
 *
 * @param {Uint8Array} classMap
 * @param {number} wanted
 * @param {number} width
 * @returns {Ring[]}
 */
export function tracePolygons(classMap, wanted, width) {
  return traceColumns({ classMap, wanted, width }, 0, width);
}

/**
 * One class of a class map.
 *
 * @typedef {{classMap: Uint8Array, wanted: number, width: number}} Mask
 */

/**
 * @param {Mask} mask
 * @param {number} first column
 * @param {number} after the last column.
 * @returns {Ring[]}
 */
function traceColumns(mask, first, after) {
  const rings = traceRings(mask, first, after);
  const holes = rings.filter((ring) => signedArea(ring) < 0);
  if (!holes.length) return rings;
  holes.sort((one, other) => compare(least(one), least(other)));
  const columns = holes[Math.floor(holes.length / 2)].map(([x]) => x);
  const [left, right] = [Math.min(...columns), Math.max(...columns)];
  const middle = Math.floor((left + right) / 2);
  const cut = middle === left ? middle + 1 : middle;
  return [...traceColumns(mask, first, cut), ...traceColumns(mask, cut, after)];
}

/** @param {Ring} ring twice its area; negative for the line around a hole. */
function signedArea(ring) {
  return ring.reduce((sum, [x, y], i) => {
    const [nextX, nextY] = ring[(i + 1) % ring.length];
    return sum + x * nextY - nextX * y;
  }, 0);
}

/** @param {Ring} ring */
function least(ring) {
  return ring.reduce((found, corner) => (compare(corner, found) < 0 ? corner : found));
}

/**
 * @param {[x: number, y: number]} one
 * @param {[x: number, y: number]} other
 */
function compare([x, y], [otherX, otherY]) {
  return x - otherX || y - otherY;
}

/**
 * @param {Mask} mask
 * @param {number} first
 * @param {number} after
 */
function traceRings(mask, first, after) {
  const edges = findEdges(mask, first, after);
  const rings = [];
  while (edges.size) {
    const [start] = edges.keys();
    rings.push(follow(edges, start, mask.width + 1));
  }
  return rings;
}

/**
 * Find the edges between the class and others: from each corner, the directions that leave it.
 *
 * @param {Mask} mask
 * @param {number} first
 * @param {number} after
 * @returns {Map<number, number[]>}
 */
function findEdges({ classMap, wanted, width }, first, after) {
  const height = classMap.length / width;
  const isInside = (/** @type {number} */ x, /** @type {number} */ y) =>
    x >= first && x < after && y >= 0 && y < height && classMap[y * width + x] === wanted;
  /** @type {Map<number, number[]>} */
  const edges = new Map();
  for (let direction = 0; direction < 4; direction++) {
    const [acrossX, acrossY] = DIRECTIONS[(direction + 3) % 4]; // what lies to the left of the edge
    const [cornerX, cornerY] = CORNERS[direction];
    for (let y = 0; y < height; y++) {
      for (let x = first; x < after; x++) {
        if (!isInside(x, y) || isInside(x + acrossX, y + acrossY)) continue;
        const corner = (y + cornerY) * (width + 1) + x + cornerX;
        const leaving = edges.get(corner);
        if (leaving) leaving.push(direction);
        else edges.set(corner, [direction]);
      }
    }
  }
  return edges;
}

/**
 * Take the edges of one closed line away. Where two lines cross, each turns right.
 *
 * @param {Map<number, number[]>} edges
 * @param {number} start
 * @param {number} stride corners in a row.
 * @returns {Ring}
 */
function follow(edges, start, stride) {
  const leavingFrom = (/** @type {number} */ corner) => edges.get(corner) ?? [];
  const [first] = leavingFrom(start);
  let at = start;
  let direction = first;
  let before = -1;
  /** @type {Ring} */
  const ring = [];
  for (;;) {
    const leaving = leavingFrom(at);
    leaving.splice(leaving.indexOf(direction), 1);
    if (!leaving.length) edges.delete(at);
    if (direction !== before) ring.push([at % stride, Math.floor(at / stride)]);
    before = direction;
    const [stepX, stepY] = DIRECTIONS[direction];
    at += stepX + stepY * stride;
    const right = (direction + 1) % 4;
    const next = leavingFrom(at);
    if (at === start && !next.includes(right)) break;
    direction = next.includes(right) ? right : next[0];
  }
  if (first === before) ring.shift(); // the line began in the middle of a side
  return ring;
}
