// The visitor's choices as the numbers that both painters use. A packed colour is 0xAABBGGRR, which
// is how the bytes of ImageData lie in memory.

/** @import { Effect } from "./background.js" */
/** @import { ClassInfo, Colour } from "./types.js" */

/**
 * What a visitor can choose in a viewer.
 *
 * @typedef {object} Choices
 * @property {"overlay" | "original" | "map" | "confidence" | "background"} view
 * @property {number} opacity of the overlay, in [0, 1].
 * @property {number} threshold a pixel with less confidence is shown as unsure.
 * @property {number} split fraction of the stage, from the left, that shows the original image.
 * @property {boolean} outlines
 * @property {boolean} labels
 * @property {boolean} dim darken what no visible class covers, in the overlay.
 * @property {boolean} safe use colours that colour-blind people can tell apart.
 * @property {boolean} refine let the edges of the overlay follow those of the picture.
 * @property {Set<number>} hidden ids of the classes that are not painted.
 * @property {Effect} effect what the view "background" shows.
 */

/**
 * How to paint a field.
 *
 * @typedef {object} Style
 * @property {"classes" | "confidence"} mode
 * @property {Uint32Array} colours packed colour of each class id; 0 is not painted.
 * @property {Uint32Array} outlineColours packed colour of each class id's outline.
 * @property {number} outlineWidth in pixels of the canvas; 0 for no outlines.
 * @property {number} threshold
 * @property {number} unsureColour packed colour of pixels below the threshold.
 * @property {boolean} needsConfidence whether the confidence of each pixel must be known.
 */

/** @type {Omit<Choices, "hidden" | "effect">} */
export const DEFAULT_CHOICES = {
  view: "overlay",
  opacity: 0.6,
  threshold: 0,
  split: 0,
  outlines: true,
  labels: true,
  dim: true,
  safe: false,
  refine: false,
};

/** Outlines are white, which stands out from skin and from every class colour. @type {Colour} */
const OUTLINE = [255, 255, 255];

const DIMMED = packColour([0, 0, 0], 0.35);

/** VOC's own colour for pixels that nobody has decided on. @type {Colour} */
export const UNSURE = [224, 224, 192];

export const STRIPE_GREY = packColour([128, 128, 128], 1);
const STRIPE_WIDTH = 6;

/**
 * @param {Colour} colour
 * @param {number} opacity in [0, 1].
 */
export function packColour([red, green, blue], opacity) {
  return ((Math.round(opacity * 255) << 24) | (blue << 16) | (green << 8) | red) >>> 0;
}

/**
 * A colour as CSS writes it.
 *
 * @param {Colour} colour
 */
export function cssColour(colour) {
  return `rgb(${colour.join(",")})`;
}

/**
 * The colour of each class, by class id.
 *
 * @param {ClassInfo[]} classes
 * @param {boolean} isSafe choose colours that colour-blind people can tell apart.
 */
export function choosePalette(classes, isSafe) {
  return classes.map((each) => (isSafe ? each.safe : each.voc));
}

/**
 * Pixels that the network did not see are striped from the lower left to the upper right.
 *
 * @param {number} x column on the canvas.
 * @param {number} y row.
 */
export function isStriped(x, y) {
  return Math.floor((x + y) / STRIPE_WIDTH) % 2 === 0;
}

/**
 * From black over violet and orange to pale yellow as the confidence goes from 0 to 1.
 *
 * @type {Colour[]}
 */
export const CONFIDENCE_STOPS = [
  [0, 0, 4],
  [87, 16, 110],
  [188, 55, 84],
  [249, 142, 9],
  [252, 255, 164],
];

/** The packed colours of 256 levels of confidence. */
export const CONFIDENCE_COLOURS = Uint32Array.from({ length: 256 }, (_, i) => {
  const along = (i / 255) * (CONFIDENCE_STOPS.length - 1);
  const stop = Math.min(Math.floor(along), CONFIDENCE_STOPS.length - 2);
  const mix = (/** @type {number} */ channel) => {
    const [before, after] = [CONFIDENCE_STOPS[stop][channel], CONFIDENCE_STOPS[stop + 1][channel]];
    return Math.round(before + (along - stop) * (after - before));
  };
  return packColour([mix(0), mix(1), mix(2)], 1);
});

/** @param {number} confidence in [0, 1]. */
export function confidenceColour(confidence) {
  return CONFIDENCE_COLOURS[Math.round(confidence * 255)];
}

/** Names of what the overlay leaves out: the background, and where variants agree. */
const LEFT_OUT = ["background", "the same"];

/**
 * Tell whether class 0 is one that the overlay leaves out.
 *
 * @param {Pick<ClassInfo, "name">[]} classes
 */
export function hasBackground([first]) {
  return LEFT_OUT.includes(first.name);
}

/**
 * Tell whether a class is one that the overlay leaves out.
 *
 * @param {Pick<ClassInfo, "name">[]} classes
 * @param {number} id
 */
export function isLeftOut(classes, id) {
  return id === 0 && hasBackground(classes);
}

/**
 * Turn the visitor's choices into a style.
 *
 * @param {Pick<Choices, "view" | "opacity" | "threshold" | "outlines" | "dim" | "hidden">} choices
 * @param {Colour[]} palette the colour of each class.
 * @param {number} outlineWidth in pixels of the canvas.
 * @param {boolean} leavesOutFirst whether class 0 is the background, which is not painted.
 * @returns {Style}
 */
export function buildStyle(choices, palette, outlineWidth = 1, leavesOutFirst = true) {
  const isMap = choices.view === "map";
  const isConfidence = choices.view === "confidence";
  const opacity = isMap ? 1 : choices.opacity;
  const colours = new Uint32Array(256);
  const outlineColours = new Uint32Array(256);
  palette.forEach((colour, id) => {
    const isBackground = id === 0 && leavesOutFirst;
    const isPainted = !choices.hidden.has(id) && (isMap || !isBackground);
    if (isPainted) colours[id] = packColour(colour, opacity);
    else if (choices.dim && choices.view === "overlay") colours[id] = DIMMED;
    if (isPainted && !isBackground) outlineColours[id] = packColour(OUTLINE, 1);
  });
  return {
    mode: isConfidence ? "confidence" : "classes",
    colours,
    outlineColours,
    outlineWidth: choices.outlines && !isConfidence ? outlineWidth : 0,
    threshold: choices.threshold,
    unsureColour: packColour(UNSURE, isMap ? 1 : opacity * 0.7),
    needsConfidence: isConfidence || choices.threshold > 0,
  };
}
