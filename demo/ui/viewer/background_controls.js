// The controls of a picture's background: what stands behind, which classes are kept, and edges.

import { find, make } from "./dom.js";
import { isLeftOut } from "./style.js";

/** @import { Effect } from "./background.js" */
/** @import { ClassInfo } from "./types.js" */

/** @type {[kind: Effect["kind"], name: string][]} */
const KINDS = [
  ["blurred", "Blurred"],
  ["colour", "One colour"],
  ["picture", "A picture of yours"],
  ["transparent", "Transparent"],
];

const PERSON = "person";

const REFINE = {
  title: "The edges follow those of the picture. This embellishes the result: areas do not change.",
};

/**
 * What stands behind at first.
 *
 * @returns {Effect}
 */
export function firstEffect() {
  return { kind: "blurred", colour: "#00b140", picture: null, kept: new Set(), refine: true };
}

export class BackgroundControls {
  /**
   * @param {HTMLElement} root is filled.
   * @param {ClassInfo[]} classes
   * @param {Effect} effect is changed by the controls.
   * @param {() => void} onChange
   */
  constructor(root, classes, effect, onChange) {
    this.root = root;
    this.classes = classes;
    this.effect = effect;
    this.onChange = onChange;
    /** @type {number[]} */
    this.offered = [];
    this.names = "";
    this.wasChosen = false;
    const kind = make("select", {}, ...KINDS.map(([value, name]) => new Option(name, value)));
    this.colour = make("input", { type: "color", value: effect.colour });
    this.picture = make("input", { type: "file", accept: "image/*" });
    const refine = make("input", { type: "checkbox" });
    refine.checked = effect.refine;
    this.kept = make("span", { class: "kept" });
    this.wrong = make("p", { class: "wrong", role: "alert" });
    root.append(
      make("label", {}, "Background ", kind),
      make("label", { class: "colour" }, "Colour ", this.colour),
      make("label", { class: "picture" }, "Picture ", this.picture),
      make("div", { class: "choices", role: "group", "aria-label": "Keep" }, "Keep", this.kept),
      make("div", { class: "choices" }, make("label", REFINE, refine, " Refine edges (an embellishment)")),
      this.wrong,
    );
    this.#listen(kind, refine);
    this.#showParts();
  }

  /**
   * @param {HTMLSelectElement} kind
   * @param {HTMLInputElement} refine
   */
  #listen(kind, refine) {
    const { effect, onChange } = this;
    kind.addEventListener("change", () => {
      effect.kind = /** @type {Effect["kind"]} */ (kind.value);
      this.#showParts();
      onChange();
    });
    this.colour.addEventListener("input", () => {
      effect.colour = this.colour.value;
      onChange();
    });
    refine.addEventListener("change", () => {
      effect.refine = refine.checked;
      onChange();
    });
    this.picture.addEventListener("change", () => this.#read());
  }

  /** @param {boolean} isShown */
  show(isShown) {
    this.root.hidden = !isShown;
  }

  /** What was chosen while the controls are shown, else null. */
  get shown() {
    return this.root.hidden ? null : this.effect;
  }

  /**
   * Offer the classes of a picture. Until the visitor has chosen, people are kept; where there are
   * none, everything that was found.
   *
   * @param {number[]} present class ids.
   * @param {ClassInfo[]} classes what they mean.
   */
  offer(present, classes = this.classes) {
    const { effect } = this;
    this.classes = classes;
    const found = [...new Set(present)].filter((id) => !isLeftOut(classes, id));
    found.sort((one, other) => one - other);
    const isKnown = found.some((id) => effect.kept.has(id));
    if (!this.wasChosen || !isKnown) {
      const people = found.filter((id) => classes[id].name === PERSON);
      effect.kept = new Set(people.length ? people : found);
    }
    const names = found.map((id) => classes[id].name).join();
    if (names === this.names) return;
    this.names = names;
    this.offered = found;
    this.kept.replaceChildren(...found.map((id) => this.#makeBox(id)));
    if (!found.length) this.kept.textContent = "nothing was found";
  }

  /**
   * Offer classes beside those that were offered before, and people in any case.
   *
   * @param {number[]} present class ids.
   */
  offerAlso(present) {
    const { classes, offered } = this;
    const people = classes.findIndex(({ name }) => name === PERSON);
    const earlier = offered.filter((id) => id < classes.length); // another network may know fewer
    const known = new Set([...(people < 0 ? [] : [people]), ...earlier, ...present]);
    this.offer([...known]);
  }

  /** @param {number} id of a class. */
  #makeBox(id) {
    const { classes, effect } = this;
    const box = make("input", { type: "checkbox" });
    box.checked = effect.kept.has(id);
    box.addEventListener("change", () => {
      this.wasChosen = true;
      if (box.checked) effect.kept.add(id);
      else effect.kept.delete(id);
      this.onChange();
    });
    return make("label", {}, box, ` ${classes[id].name}`);
  }

  /** Read the picture that the visitor has chosen. */
  async #read() {
    const [file] = this.picture.files ?? [];
    if (!file) return;
    try {
      this.effect.picture = await createImageBitmap(file);
      this.wrong.textContent = "";
    } catch {
      this.wrong.textContent = "This file is no picture that the browser can read. Choose another.";
    }
    this.onChange();
  }

  #showParts() {
    for (const kind of /** @type {const} */ (["colour", "picture"])) {
      find(this.root, `.${kind}`, HTMLElement).hidden = this.effect.kind !== kind;
    }
  }
}
