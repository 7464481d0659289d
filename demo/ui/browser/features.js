// What the page needs of a browser.

const SIMD = Uint8Array.of(
  0, 97, 115, 109, 1, 0, 0, 0, // the magic number and version of WebAssembly
  1, 5, 1, 96, 0, 1, 123, // a function type: () -> v128
  3, 2, 1, 0, // one function of that type
  10, 10, 1, 8, 0, 65, 0, 253, 15, 253, 98, 11, // i32.const 0, i8x16.splat, i8x16.popcnt
);

/**
 * Find what the browser lacks.
 *
 * @returns {string | null} a sentence, or null if the page can run.
 */
export function findLack() {
  if (typeof WebAssembly === "undefined" || !WebAssembly.validate(SIMD)) {
    return "This browser has no WebAssembly SIMD, which the network needs. Use a newer browser.";
  }
  if (typeof Worker === "undefined" || typeof OffscreenCanvas === "undefined") {
    return "This browser cannot run the network beside the page. Use a newer browser.";
  }
  return null;
}
