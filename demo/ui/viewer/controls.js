// The controls of a viewer: they change the visitor's choices.

import { find } from "./dom.js";
import { percent } from "./percent.js";

/** @import { Choices } from "./style.js" */

const SLIDERS = /** @type {const} */ (["opacity", "threshold", "split"]);
const CHECKBOXES = /** @type {const} */ (["outlines", "labels", "dim", "safe", "refine"]);

export class Controls {
  /**
   * @param {HTMLElement} root holds viewer.html.
   * @param {Choices} choices are shown at first, and changed by the controls.
   * @param {(name: keyof Choices) => void} onChange
   */
  constructor(root, choices, onChange) {
    this.background = find(root, ".controls .background", HTMLElement);
    const group = `view-${Math.random().toString(36).slice(2)}`;
    for (const radio of root.querySelectorAll(".views input")) {
      if (!(radio instanceof HTMLInputElement)) continue;
      radio.name = group;
      radio.checked = radio.value === choices.view;
      radio.addEventListener("change", () => {
        choices.view = /** @type {Choices["view"]} */ (radio.value);
        onChange("view");
      });
    }
    /** @type {{[name: string]: HTMLInputElement}} */
    this.inputs = {};
    for (const name of [...SLIDERS, ...CHECKBOXES]) {
      this.inputs[name] = find(root, `.controls [name=${name}]`, HTMLInputElement);
    }
    for (const name of SLIDERS) {
      const input = this.inputs[name];
      input.value = String(choices[name]);
      showSlider(input);
      input.addEventListener("input", () => {
        choices[name] = Number(input.value);
        onChange(name);
        showSlider(input);
      });
    }
    for (const name of CHECKBOXES) {
      const input = this.inputs[name];
      input.checked = choices[name];
      input.addEventListener("input", () => {
        choices[name] = input.checked;
        onChange(name);
      });
    }
  }

  /**
   * Turn off the controls that do nothing in a view.
   *
   * @param {Choices["view"]} view
   */
  showView(view) {
    this.background.hidden = view !== "background";
    for (const [name, input] of Object.entries(this.inputs)) {
      input.disabled =
        view === "original" ||
        ((view === "confidence" || view === "background") && name !== "split") ||
        (view === "map" && ["opacity", "dim", "refine"].includes(name));
    }
  }

  /**
   * Move the divider, as if by its slider.
   *
   * @param {number} fraction of the stage.
   */
  moveDivider(fraction) {
    this.inputs.split.value = String(fraction);
    this.inputs.split.dispatchEvent(new Event("input"));
  }
}

/**
 * Write the value of a slider beside it.
 *
 * @param {HTMLInputElement} slider
 */
export function showSlider(slider) {
  const label = slider.closest("label");
  const text = percent(Number(slider.value));
  slider.setAttribute("aria-valuetext", text);
  if (label) find(label, ".value", HTMLElement).textContent = text;
}
