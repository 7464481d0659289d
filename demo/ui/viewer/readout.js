// What is at the pointer, written beside it.

import { clamp } from "./viewport.js";

const GAP = 16; // CSS pixels between the pointer and the text

export class Readout {
  /** @param {HTMLElement} element lies over the stage, in a frame of the same size. */
  constructor(element) {
    this.element = element;
  }

  /** @param {boolean} isSpoken whether screen readers read each change. */
  setSpoken(isSpoken) {
    if (isSpoken) this.element.setAttribute("aria-live", "polite");
    else this.element.removeAttribute("aria-live");
  }

  hide() {
    this.element.hidden = true;
    this.element.textContent = "";
  }

  /**
   * Write a text above a point, or below it where there is no room above.
   *
   * @param {string} text
   * @param {{x: number, y: number}} point in CSS pixels of the stage.
   * @param {{width: number}} stage its size in CSS pixels.
   */
  say(text, { x, y }, { width }) {
    const { element } = this;
    element.textContent = text;
    element.hidden = false;
    const half = Math.min(element.offsetWidth, width) / 2;
    const above = y - GAP - element.offsetHeight;
    element.style.left = `${clamp(x, half, width - half) - half}px`;
    element.style.top = `${above >= 0 ? above : y + GAP}px`;
  }
}
