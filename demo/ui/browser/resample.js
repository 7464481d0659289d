// Pillow's bilinear filter on 8-bit pixels, to the bit: a triangle that is as wide as the step where
// an image shrinks, rows first, each pass rounded to 8 bits, with weights of 22 binary digits.

const BITS = 22;
const HALF = 1 << (BITS - 1);

/**
 * The weights of one axis.
 *
 * @typedef {object} Taps
 * @property {Int32Array} first the first input position of each output position.
 * @property {Int32Array} count how many input positions each reads.
 * @property {Int32Array} weights `most` for each output position, scaled by 2^22.
 * @property {number} most the largest count there can be.
 */

/**
 * Compute the weights for one axis.
 *
 * @param {number} from input size.
 * @param {number} to output size.
 * @returns {Taps}
 */
export function planTaps(from, to) {
  const scale = from / to;
  const reach = Math.max(scale, 1);
  const most = Math.ceil(reach) * 2 + 1;
  const [first, count] = [new Int32Array(to), new Int32Array(to)];
  const weights = new Int32Array(to * most);
  for (let i = 0; i < to; i++) {
    const centre = (i + 0.5) * scale;
    first[i] = Math.max(Math.trunc(centre - reach + 0.5), 0);
    count[i] = Math.min(Math.trunc(centre + reach + 0.5), from) - first[i];
    const exact = Array.from({ length: count[i] }, (_, k) =>
      Math.max(1 - Math.abs((k + first[i] - centre + 0.5) / reach), 0),
    );
    const sum = exact.reduce((total, weight) => total + weight, 0);
    exact.forEach((weight, k) => {
      weights[i * most + k] = Math.trunc((weight / sum) * 2 ** BITS + 0.5);
    });
  }
  return { first, count, weights, most };
}

/**
 * Resize an image.
 *
 * @param {Uint8ClampedArray | Uint8Array} rgba rows of red, green, blue and alpha; alpha is not read.
 * @param {{width: number, height: number}} from
 * @param {{width: number, height: number}} to
 * @returns {Uint8Array} rows of red, green and blue.
 */
export function resample(rgba, from, to) {
  const rows = resampleRows(rgba, from, planTaps(from.width, to.width), to.width);
  return resampleColumns(rows, to.width, planTaps(from.height, to.height), to.height);
}

/**
 * @param {Uint8ClampedArray | Uint8Array} rgba
 * @param {{width: number, height: number}} from
 * @param {Taps} taps
 * @param {number} width of the output.
 */
function resampleRows(rgba, from, { first, count, weights, most }, width) {
  const out = new Uint8Array(from.height * width * 3);
  let at = 0;
  for (let y = 0; y < from.height; y++) {
    const row = y * from.width * 4;
    for (let x = 0; x < width; x++) {
      let [red, green, blue] = [HALF, HALF, HALF];
      let pixel = row + first[x] * 4;
      const end = x * most + count[x];
      for (let k = x * most; k < end; k++, pixel += 4) {
        red += rgba[pixel] * weights[k];
        green += rgba[pixel + 1] * weights[k];
        blue += rgba[pixel + 2] * weights[k];
      }
      out[at++] = red >> BITS;
      out[at++] = green >> BITS;
      out[at++] = blue >> BITS;
    }
  }
  return out;
}

/**
 * @param {Uint8Array} rgb
 * @param {number} width
 * @param {Taps} taps
 * @param {number} height of the output.
 */
function resampleColumns(rgb, width, { first, count, weights, most }, height) {
  const stride = width * 3;
  const out = new Uint8Array(height * stride);
  const sums = new Int32Array(stride);
  for (let y = 0; y < height; y++) {
    sums.fill(HALF);
    for (let k = 0; k < count[y]; k++) {
      const weight = weights[y * most + k];
      const row = (first[y] + k) * stride;
      for (let x = 0; x < stride; x++) sums[x] += rgb[row + x] * weight;
    }
    for (let x = 0; x < stride; x++) out[y * stride + x] = sums[x] >> BITS;
  }
  return out;
}
