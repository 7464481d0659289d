// Fractions as text in percent.

/**
 * Write a fraction in percent, rounded: percent(0.256) is "26 %".
 *
 * @param {number} fraction in [0, 1].
 * @param {number} [digits] how many follow the decimal point.
 */
export function percent(fraction, digits = 0) {
  return `${(fraction * 100).toFixed(digits)} %`;
}

/**
 * Write the fraction that a class covers in percent, without the sign. Only a class that covers
 * everything has 100.00, and only one that covers nothing has 0.00.
 *
 * @param {number} fraction in [0, 1].
 */
export function areaPercent(fraction) {
  if (fraction > 0 && fraction < 0.0001) return "< 0.01";
  if (fraction > 0.9999 && fraction < 1) return "> 99.99";
  return (fraction * 100).toFixed(2);
}
