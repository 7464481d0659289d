// What a visitor has chosen, in the part of the address after #, so that a link opens the same.

/** @import { Choices } from "./style.js" */

const VIEWS = /** @type {const} */ (["overlay", "original", "map", "confidence", "background"]);

/** @param {string} name */
export function readAddress(name) {
  return new URLSearchParams(location.hash.slice(1)).get(name);
}

/**
 * Note a choice; the page is not loaded again, and "back" still leaves it.
 *
 * @param {string} name
 * @param {string | null} value null for what the page begins with.
 */
export function writeAddress(name, value) {
  const noted = new URLSearchParams(location.hash.slice(1));
  if (value === null) noted.delete(name);
  else noted.set(name, value);
  const text = noted.toString();
  history.replaceState(history.state, "", text ? `#${text}` : location.pathname + location.search);
}

/**
 * Read the choices of a viewer; what is not noted, or damaged, is left out.
 *
 * @returns {Partial<Choices>}
 */
export function readChoices() {
  /** @type {Partial<Choices>} */
  const choices = {};
  const view = VIEWS.find((each) => each === readAddress("view"));
  if (view) choices.view = view;
  const opacity = readAddress("opacity");
  if (opacity && Number(opacity) >= 0 && Number(opacity) <= 1) choices.opacity = Number(opacity);
  if (readAddress("palette") === "safe") choices.safe = true;
  return choices;
}

/**
 * Note the choices of a viewer.
 *
 * @param {Choices} choices
 * @param {Omit<Choices, "hidden" | "effect">} defaults
 */
export function writeChoices({ view, opacity, safe }, defaults) {
  writeAddress("view", view === defaults.view ? null : view);
  writeAddress("opacity", opacity === defaults.opacity ? null : String(opacity));
  writeAddress("palette", safe ? "safe" : null);
}
