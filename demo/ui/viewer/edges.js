// Edges that follow those of the image, as demo/background.py makes them: the guided filter of He,
// Sun and Tang (2013) with a colour guide. They embellish a result and never change its areas.

/** Radius of the filter's windows, as a fraction of the grid's side. */
const RADIUS = 1 / 32;

const EPSILON = 1e-4; // variance of colours in [0, 1] below which a window counts as flat
const SHARPNESS = 4; // slope of alpha around a half

/**
 * Fit alpha = a·rgb + b in the window around each point of a square grid, and average the fits.
 *
 * @param {ArrayLike<number>} pixels RGBA of the guide, with n × n points.
 * @param {ArrayLike<number>} wanted alpha of each point, in [0, 1].
 * @param {number} n side of the grid.
 * @returns {Float32Array[]} a for red, green and blue, and b; n × n each.
 */
export function fitGuidedFilter(pixels, wanted, n) {
  const mean = meanOfWindows(n, Math.round(n * RADIUS));
  const colours = [0, 1, 2].map((channel) => readChannel(pixels, channel, n * n));
  const target = Float32Array.from(wanted);
  const means = colours.map(mean);
  const meanTarget = mean(target);
  const covariances = colours.map((colour, k) =>
    subtractProduct(mean(multiply(colour, target)), means[k], meanTarget),
  );
  const variance = (/** @type {number} */ i, /** @type {number} */ j) =>
    subtractProduct(mean(multiply(colours[i], colours[j])), means[i], means[j]);
  const variances = [
    [0, 0],
    [0, 1],
    [0, 2],
    [1, 1],
    [1, 2],
    [2, 2],
  ].map(([i, j]) => variance(i, j));
  return solve(variances, covariances, means, meanTarget).map(mean);
}

/**
 * @param {ArrayLike<number>} pixels RGBA.
 * @param {number} channel
 * @param {number} count
 */
function readChannel(pixels, channel, count) {
  const values = new Float32Array(count);
  for (let i = 0; i < count; i++) values[i] = pixels[4 * i + channel] / 255;
  return values;
}

/**
 * Solve the symmetric 3×3 system of each point by Cramer's rule.
 *
 * @param {Float32Array[]} variances of red with red, green and blue, of green with green and blue,
 *     and of blue with blue.
 * @param {Float32Array[]} covariances of each colour with alpha.
 * @param {Float32Array[]} means of each colour.
 * @param {Float32Array} meanTarget
 * @returns {Float32Array[]} see fitGuidedFilter.
 */
function solve([v00, v01, v02, v11, v12, v22], [c0, c1, c2], [m0, m1, m2], meanTarget) {
  const count = meanTarget.length;
  const [a0, a1, a2, b] = Array.from({ length: 4 }, () => new Float32Array(count));
  for (let i = 0; i < count; i++) {
    const [rr, gg, bb] = [v00[i] + EPSILON, v11[i] + EPSILON, v22[i] + EPSILON];
    const [rg, rb, gb] = [v01[i], v02[i], v12[i]];
    const d00 = gg * bb - gb * gb;
    const d01 = rb * gb - rg * bb;
    const d02 = rg * gb - rb * gg;
    const determinant = rr * d00 + rg * d01 + rb * d02;
    a0[i] = (d00 * c0[i] + d01 * c1[i] + d02 * c2[i]) / determinant;
    a1[i] = (d01 * c0[i] + (rr * bb - rb * rb) * c1[i] + (rg * rb - rr * gb) * c2[i]) / determinant;
    a2[i] = (d02 * c0[i] + (rg * rb - rr * gb) * c1[i] + (rr * gg - rg * rg) * c2[i]) / determinant;
    b[i] = meanTarget[i] - a0[i] * m0[i] - a1[i] * m1[i] - a2[i] * m2[i];
  }
  return [a0, a1, a2, b];
}

/**
 * Compute the alpha of each point of a raster from its colour.
 *
 * @param {Float32Array[]} coefficients see fitGuidedFilter.
 * @param {number} n side of their grid, which spans the image.
 * @param {ArrayLike<number>} pixels RGBA of the raster.
 * @param {{width: number, height: number}} raster
 * @param {{left: number, top: number, right: number, bottom: number}} [part] the part of the image
 *     that the raster shows, as fractions.
 * @returns {Uint8ClampedArray} in [0, 255], row by row.
 */
export function applyGuidedFilter(
  coefficients,
  n,
  pixels,
  { width, height },
  { left, top, right, bottom } = { left: 0, top: 0, right: 1, bottom: 1 },
) {
  const alpha = new Uint8ClampedArray(width * height);
  const across = planGrid(width, left, right, n);
  const down = planGrid(height, top, bottom, n);
  const row = coefficients.map(() => new Float32Array(n));
  const [red, green, blue, offset] = row;
  for (let y = 0; y < height; y++) {
    mixRows(coefficients, row, n, down.cells[y], down.fractions[y]);
    for (let x = 0; x < width; x++) {
      const at = across.cells[x];
      const along = across.fractions[x];
      const i = y * width + x;
      const soft =
        ((red[at] + along * (red[at + 1] - red[at])) * pixels[4 * i] +
          (green[at] + along * (green[at + 1] - green[at])) * pixels[4 * i + 1] +
          (blue[at] + along * (blue[at + 1] - blue[at])) * pixels[4 * i + 2]) /
          255 +
        offset[at] +
        along * (offset[at + 1] - offset[at]);
      alpha[i] = ((soft - 0.5) * SHARPNESS + 0.5) * 255;
    }
  }
  return alpha;
}

/**
 * @param {Float32Array[]} planes of n × n.
 * @param {Float32Array[]} out one row of each is filled.
 * @param {number} n
 * @param {number} cell the row above.
 * @param {number} fraction of the way to the row below.
 */
function mixRows(planes, out, n, cell, fraction) {
  planes.forEach((plane, k) => {
    for (let x = 0; x < n; x++) {
      const above = plane[cell * n + x];
      out[k][x] = above + fraction * (plane[(cell + 1) * n + x] - above);
    }
  });
}

/**
 * Find between which points of the grid the points of a raster lie along one axis.
 *
 * @param {number} length how many points the raster has.
 * @param {number} start fraction of the image where it begins.
 * @param {number} stop
 * @param {number} n
 */
function planGrid(length, start, stop, n) {
  const cells = new Int32Array(length);
  const fractions = new Float32Array(length);
  for (let i = 0; i < length; i++) {
    const along = (start + ((i + 0.5) / length) * (stop - start)) * n - 0.5;
    const inside = Math.min(Math.max(along, 0), n - 1);
    cells[i] = Math.min(Math.floor(inside), n - 2);
    fractions[i] = inside - cells[i];
  }
  return { cells, fractions };
}

/**
 * Make a function that averages the window around each point; what lies outside does not count.
 *
 * @param {number} n side of the grid.
 * @param {number} radius
 */
function meanOfWindows(n, radius) {
  const between = new Float32Array(n * n);
  const shares = Float32Array.from(
    { length: n },
    (_, i) => 1 / (Math.min(i + radius, n - 1) - Math.max(i - radius, 0) + 1),
  );
  return (/** @type {Float32Array} */ values) => {
    const means = new Float32Array(n * n);
    for (let row = 0; row < n; row++) slide(values, between, row * n, 1, shares, radius);
    for (let column = 0; column < n; column++) slide(between, means, column, n, shares, radius);
    return means;
  };
}

/**
 * Average a window that slides along a line.
 *
 * @param {Float32Array} from
 * @param {Float32Array} to
 * @param {number} start of the line.
 * @param {number} step from one point of it to the next.
 * @param {Float32Array} shares of each point in the average of the window around it.
 * @param {number} radius
 */
function slide(from, to, start, step, shares, radius) {
  const n = shares.length;
  const reach = radius * step;
  const end = start + n * step;
  let sum = 0;
  for (let at = start; at < start + reach; at += step) sum += from[at];
  let at = start;
  for (let i = 0; i < n; i++) {
    if (at + reach < end) sum += from[at + reach];
    if (i > radius) sum -= from[at - reach - step];
    to[at] = sum * shares[i];
    at += step;
  }
}

/**
 * @param {Float32Array} one
 * @param {Float32Array} other
 */
function multiply(one, other) {
  const products = new Float32Array(one.length);
  for (let i = 0; i < one.length; i++) products[i] = one[i] * other[i];
  return products;
}

/**
 * @param {Float32Array} values
 * @param {Float32Array} one
 * @param {Float32Array} other
 */
function subtractProduct(values, one, other) {
  const rest = new Float32Array(values.length);
  for (let i = 0; i < values.length; i++) rest[i] = values[i] - one[i] * other[i];
  return rest;
}
