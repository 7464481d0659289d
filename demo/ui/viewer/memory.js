// What the browser remembers for this page; nothing, where it is not allowed to.

/**
 * @typedef {"localStorage" | "sessionStorage"} Place localStorage outlives the tab.
 */

/**
 * @param {Place} place
 * @param {string} key
 * @returns {string | null} null if nothing is remembered.
 */
export function recall(place, key) {
  try {
    return window[place].getItem(key);
  } catch {
    return null; // storage is blocked, or this is a frame that gets none
  }
}

/**
 * @param {Place} place
 * @param {string} key
 * @param {string} value
 */
export function remember(place, key, value) {
  try {
    window[place].setItem(key, value);
  } catch {
    // the page works without
  }
}
