// Decoding of the logits as they come from the server.

/**
 * Decode base64.
 *
 * @param {string} text
 */
export function decodeBase64(text) {
  return Uint8Array.from(atob(text), (character) => character.charCodeAt(0)).buffer;
}

/**
 * Decode little-endian half floats.
 *
 * @param {ArrayBuffer} buffer
 */
export function decodeHalfFloats(buffer) {
  const halves = new Uint16Array(buffer);
  const floats = new Float32Array(halves.length);
  for (let i = 0; i < halves.length; i++) floats[i] = halfToFloat(halves[i]);
  return floats;
}

/** @param {number} half the 16 bits of an IEEE 754 half float. */
function halfToFloat(half) {
  const sign = half & 0x8000 ? -1 : 1;
  const exponent = (half >> 10) & 31;
  const fraction = half & 1023;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  if (exponent === 31) return fraction ? NaN : sign * Infinity;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}
