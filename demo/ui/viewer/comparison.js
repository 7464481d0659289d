// The variants side by side on one image, and where they disagree.

import { describeDisagreement, renderFacts, renderTables } from "./comparison_tables.js";
import { Disagreement, DISAGREEMENT_CLASSES } from "./disagreement.js";
import { find, make } from "./dom.js";
import { Field } from "./field.js";
import { Viewer } from "./viewer.js";

/** @import { ClassInfo, ComparedValue, ComparisonProps, ComparisonValue } from "./types.js" */
/** @import { FailedValue } from "./types.js" */

const DISAGREEMENT_LABEL = "Where they disagree";

/**
 * Show the component's value. Called by js_on_load of the gr.HTML component.
 *
 * @param {HTMLElement} element
 * @param {ComparisonProps} props
 * @param {(name: string, onChange: () => void) => void} watch calls back when a prop has changed.
 */
export function mount(element, props, watch) {
  const comparison = new Comparison(find(element, ".compare", HTMLElement), props);
  watch("value", () => comparison.show(props.value ?? null));
  if (props.value) comparison.show(props.value);
}

export class Comparison {
  /**
   * @param {HTMLElement} root holds comparison.html.
   * @param {ComparisonProps} props
   */
  constructor(root, props) {
    this.root = root;
    this.props = props;
    /** @type {string | undefined} */
    this.run = undefined;
    /** @type {Map<string, Viewer | null>} by variant; null for a variant that failed. */
    this.viewers = new Map();
    /** @type {Viewer | null} */
    this.disagreement = null;
  }

  /**
   * Show what has come in so far; null empties the comparison.
   *
   * @param {ComparisonValue | null} value
   */
  show(value) {
    if (value?.run !== this.run) this.#clear();
    if (!value) return;
    this.run = value.run;
    for (const result of value.results) {
      if (!this.viewers.has(result.key)) this.#add(result, value);
    }
    this.#showPending(value);
    const done = value.results.filter((result) => "logits" in result);
    if (done.length > 1) this.#showDisagreement(done, value);
    this.#part("tables").replaceChildren(...renderTables(done, value, this.props.classes));
  }

  /** @param {"shared" | "viewers" | "next" | "pending" | "tables"} name */
  #part(name) {
    return find(this.root, `.${name}`, HTMLElement);
  }

  #clear() {
    this.run = undefined;
    for (const viewer of this.#linked()) viewer.dispose();
    this.viewers.clear();
    this.disagreement = null;
    for (const name of /** @type {const} */ (["shared", "pending", "tables"])) {
      this.#part(name).replaceChildren();
    }
    const next = this.#part("next");
    next.querySelector("img")?.remove();
    this.#part("viewers").replaceChildren(next);
  }

  #linked() {
    return [...this.viewers.values(), this.disagreement].filter((viewer) => viewer !== null);
  }

  /**
   * Say which variant is being computed, over the image that it is computed for.
   *
   * @param {ComparisonValue} value
   */
  #showPending({ pending, photo }) {
    const next = this.#part("next");
    const image = next.querySelector("img");
    this.#part("pending").textContent = pending;
    if (!pending) image?.remove();
    else if (!image) next.append(make("img", { src: photo, alt: "" }));
  }

  /**
   * Add the result of a variant, or the reason why there is none.
   *
   * @param {ComparedValue | FailedValue} result
   * @param {ComparisonValue} value
   */
  #add(result, value) {
    const section = make("section", {}, make("h2", {}, result.label));
    this.#part("viewers").insertBefore(section, this.#part("next"));
    if ("error" in result) {
      section.append(make("p", { class: "failure" }, result.error));
      this.viewers.set(result.key, null);
      return;
    }
    section.append(renderFacts(result));
    const viewer = this.#addViewer(section, this.props.classes, {});
    this.viewers.set(result.key, viewer);
    viewer.show({ ...value, ...result, variant: result.key });
  }

  /**
   * Add a viewer that is linked with the others. The controls of the first one serve all.
   *
   * @param {HTMLElement} section
   * @param {ClassInfo[]} classes
   * @param {{software?: boolean, hasConfidence?: boolean}} options see Viewer.
   */
  #addViewer(section, classes, options) {
    section.insertAdjacentHTML("beforeend", this.props.viewer);
    const root = find(section, ".viewer", HTMLElement);
    const viewer = new Viewer(root, classes, options);
    const others = this.#linked();
    const controls = [".views", ".controls"].map((name) => find(root, name, HTMLElement));
    if (others.length) for (const each of controls) each.remove();
    else this.#part("shared").append(...controls);
    Viewer.link([...others, viewer]);
    return viewer;
  }

  /**
   * @param {ComparedValue[]} results at least two.
   * @param {ComparisonValue} value
   */
  #showDisagreement(results, value) {
    const label = DISAGREEMENT_LABEL;
    if (!this.disagreement) {
      const facts = make("p", { class: "facts" });
      const heading = make("h2", {}, label);
      const section = make("section", { class: "disagreement" }, heading, facts);
      this.#part("viewers").append(section);
      const options = { software: true, hasConfidence: false };
      this.disagreement = this.#addViewer(section, DISAGREEMENT_CLASSES, options);
    }
    const facts = find(this.root, ".disagreement .facts", HTMLElement);
    facts.replaceChildren(...describeDisagreement(results, value.agreement));
    const fields = results.map((result) => new Field({ ...value, ...result }));
    const labels = results.map((result) => result.key.toUpperCase());
    const disagreement = new Disagreement(fields, labels, this.props.classes);
    const description = "Your image with the pixels marked that are of different classes";
    const [{ key }] = results;
    const shown = { ...value, ...results[0], variant: key, areas: [], label, description };
    this.disagreement.show(shown, disagreement.inspect());
  }
}
