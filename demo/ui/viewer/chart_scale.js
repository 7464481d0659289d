// The scale of a chart, and where and in which colours it names its lines.

/** @import { Colour } from "./types.js" */

const TOPS = [0.05, 0.1, 0.2, 0.4, 0.6, 0.8];
const LEAST_CONTRAST = 4.5; // of text, after WCAG 2

/**
 * Choose a round number for the top of a scale that begins at 0.
 *
 * @param {number} largest fraction in [0, 1] that must fit.
 */
export function roundTop(largest) {
  return TOPS.find((top) => largest <= top) ?? 1;
}

/**
 * Move places apart until neighbours have a distance, and back within the limits.
 *
 * @param {number[]} places ascending.
 * @param {number} gap
 * @param {number} from
 * @param {number} to leaves room for all of them.
 * @returns {number[]}
 */
export function spread(places, gap, from, to) {
  /** @type {number[]} */
  const moved = [];
  for (const place of places) moved.push(Math.max(place, (moved.at(-1) ?? from - gap) + gap));
  for (let i = moved.length - 1, most = to; i >= 0; i--, most -= gap) {
    moved[i] = Math.min(moved[i], most);
  }
  return moved;
}

/**
 * Make a colour darker or lighter until text in it can be read on a background. A colour that can
 * be read already stays as it is.
 *
 * @param {Colour} colour
 * @param {Colour} background
 * @returns {Colour}
 */
export function legibleOn(colour, background) {
  const isLight = contrast([0, 0, 0], background) > contrast([255, 255, 255], background);
  const end = isLight ? 0 : 255;
  for (let mix = 0; mix < 1; mix += 0.05) {
    const [red, green, blue] = colour.map((part) => Math.round(part + mix * (end - part)));
    if (contrast([red, green, blue], background) >= LEAST_CONTRAST) return [red, green, blue];
  }
  return [end, end, end];
}

/**
 * The contrast of two colours, from 1 to 21, after WCAG 2.
 *
 * @param {Colour} one
 * @param {Colour} other
 */
export function contrast(one, other) {
  const [light, dark] = [luminance(one), luminance(other)].sort((a, b) => b - a);
  return (light + 0.05) / (dark + 0.05);
}

/** @param {Colour} colour */
function luminance(colour) {
  const [red, green, blue] = colour
    .map((part) => part / 255)
    .map((part) => (part <= 0.03928 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4));
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}
