// How a field is painted: the visitor's choices, as the numbers that both painters use.
// Colours are 0xAABBGGRR, as the bytes of ImageData lie in memory.

export const STRIPE_GREY = rgba([128, 128, 128], 1);
export const UNSURE = [224, 224, 192]; // VOC's own colour for what nobody decided
const STRIPE_WIDTH = 6;

export function rgba([red, green, blue], opacity) {
  return ((Math.round(opacity * 255) << 24) | (blue << 16) | (green << 8) | red) >>> 0;
}

export function isStriped(x, y) {
  return Math.floor((x + y) / STRIPE_WIDTH) % 2 === 0;
}

/** From black over violet and orange to pale yellow as the confidence goes from 0 to 1. */
export const CONFIDENCE_STOPS = [
  [0, 0, 4],
  [87, 16, 110],
  [188, 55, 84],
  [249, 142, 9],
  [252, 255, 164],
];

export const CONFIDENCE_COLOURS = Uint32Array.from({ length: 256 }, (_, i) => {
  const along = (i / 255) * (CONFIDENCE_STOPS.length - 1);
  const stop = Math.min(Math.floor(along), CONFIDENCE_STOPS.length - 2);
  const mix = CONFIDENCE_STOPS[stop].map((value, channel) =>
    Math.round(value + (along - stop) * (CONFIDENCE_STOPS[stop + 1][channel] - value)),
  );
  return rgba(mix, 1);
});

export function confidenceColour(confidence) {
  return CONFIDENCE_COLOURS[Math.round(confidence * 255)];
}

/**
 * @param {object} state the visitor's choices; see DEFAULTS in viewer.js.
 * @param {number[][]} palette [red, green, blue] of each class.
 * @param {number} outlineWidth in pixels of the canvas.
 */
export function buildStyle(state, palette, outlineWidth = 1) {
  const isMap = state.view === "map";
  const opacity = isMap ? 1 : state.opacity;
  const colours = new Uint32Array(256);
  const outlineColours = new Uint32Array(256);
  for (let id = 0; id < palette.length; id++) {
    if (state.hidden.has(id)) continue;
    if (id || isMap) colours[id] = rgba(palette[id], opacity);
    if (id) outlineColours[id] = rgba(palette[id], 1);
  }
  return {
    mode: state.view === "confidence" ? "confidence" : "classes",
    colours,
    outlineColours,
    outlineWidth: state.outlines && state.view !== "confidence" ? outlineWidth : 0,
    threshold: state.threshold,
    unsureColour: rgba(UNSURE, isMap ? 1 : opacity * 0.7),
    needsConfidence: state.view === "confidence" || state.threshold > 0,
  };
}
