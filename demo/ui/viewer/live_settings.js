// The settings of the live view: what a visitor chooses beside the picture.

import { find } from "./dom.js";
import { percent } from "./percent.js";

/**
 * @typedef {"labels" | "outlines" | "mirror" | "safe" | "exact" | "replace"} Checkbox
 * @typedef {"opacity" | "smoothing"} Slider
 */

export class LiveSettings {
  /**
   * @param {HTMLElement} root holds live.html.
   * @param {{onChange: () => void, onNetwork: () => void}} on onNetwork is called when another
   *     variant or precision is chosen.
   */
  constructor(root, on) {
    this.root = root;
    this.sides = find(root, "[name=side]", HTMLSelectElement);
    const group = `variant-${Math.random().toString(36).slice(2)}`;
    for (const radio of root.querySelectorAll(".variants input")) {
      if (radio instanceof HTMLInputElement) radio.name = group;
      radio.addEventListener("change", on.onNetwork);
    }
    this.#input("exact").addEventListener("change", on.onNetwork);
    for (const name of /** @type {Slider[]} */ (["opacity", "smoothing"])) {
      const slider = this.#input(name);
      showValue(slider);
      slider.addEventListener("input", () => {
        showValue(slider);
        on.onChange();
      });
    }
    for (const name of /** @type {Checkbox[]} */ (["labels", "outlines", "mirror", "safe", "replace"])) {
      this.#input(name).addEventListener("change", on.onChange);
    }
    this.sides.addEventListener("change", on.onChange);
    this.isMirrorChosen = false;
    this.#input("mirror").addEventListener("change", () => {
      this.isMirrorChosen = true;
    });
  }

  /** @param {Checkbox | Slider} name */
  #input(name) {
    return find(this.root, `.settings [name=${name}]`, HTMLInputElement);
  }

  /** The key of the chosen variant. */
  get variant() {
    return find(this.root, ".variants input:checked", HTMLInputElement).value;
  }

  /** The name of the chosen variant. */
  get label() {
    const label = find(this.root, ".variants label:has(input:checked)", HTMLElement);
    return label.title.split(",")[0];
  }

  /** The side of the network's input in pixels; null if the pace decides. */
  get side() {
    return this.sides.value === "auto" ? null : Number(this.sides.value);
  }

  /** @param {Checkbox} name */
  isOn(name) {
    return this.#input(name).checked;
  }

  /** @param {Slider} name */
  fraction(name) {
    return Number(this.#input(name).value);
  }

  /**
   * Mirror the picture if the visitor has not chosen.
   *
   * @param {boolean} isMirrored
   */
  suggestMirror(isMirrored) {
    if (!this.isMirrorChosen) this.#input("mirror").checked = isMirrored;
  }
}

/**
 * Write the value of a slider beside it, and say it to people who do not see it.
 *
 * @param {HTMLInputElement} slider
 */
function showValue(slider) {
  const value = percent(Number(slider.value));
  const label = slider.closest("label");
  if (label) find(label, ".value", HTMLElement).textContent = value;
  slider.setAttribute("aria-valuetext", value);
}
