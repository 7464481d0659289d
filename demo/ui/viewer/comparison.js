// The variants side by side on one image, and where they disagree.

import { Disagreement, DISAGREEMENT_CLASSES } from "./disagreement.js";
import { find, make } from "./dom.js";
import { Field } from "./field.js";
import { areaPercent } from "./percent.js";
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

class Comparison {
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
    const done = value.results.filter((result) => "logits" in result);
    if (done.length > 1) this.#showDisagreement(done, value);
    this.#part("pending").textContent = value.pending ? `Waiting for ${value.pending} ...` : "";
    const rows = done.length ? tableRows(done, value, this.props.classes) : [];
    this.#part("together").replaceChildren(make("table", { class: "areas" }, ...rows));
  }

  /** @param {"shared" | "viewers" | "together" | "pending"} name */
  #part(name) {
    return find(this.root, `.${name}`, HTMLElement);
  }

  #clear() {
    this.run = undefined;
    for (const viewer of this.#linked()) viewer.dispose();
    this.viewers.clear();
    this.disagreement = null;
    for (const name of /** @type {const} */ (["shared", "viewers", "together", "pending"])) {
      this.#part(name).replaceChildren();
    }
  }

  #linked() {
    return [...this.viewers.values(), this.disagreement].filter((viewer) => viewer !== null);
  }

  /**
   * Add the result of a variant, or the reason why there is none.
   *
   * @param {ComparedValue | FailedValue} result
   * @param {ComparisonValue} value
   */
  #add(result, value) {
    const section = make("section", {}, make("h2", {}, result.label));
    const viewers = this.#part("viewers");
    viewers.insertBefore(section, viewers.querySelector(".disagreement"));
    if ("error" in result) {
      section.append(make("p", {}, result.error));
      this.viewers.set(result.key, null);
      return;
    }
    const viewer = this.#addViewer(section, this.props.classes, {});
    this.viewers.set(result.key, viewer);
    viewer.show({ ...value, ...result });
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
   * @param {ComparedValue[]} results
   * @param {ComparisonValue} value
   */
  #showDisagreement(results, value) {
    const label = DISAGREEMENT_LABEL;
    if (!this.disagreement) {
      const section = make("section", { class: "disagreement" }, make("h2", {}, label));
      this.#part("viewers").append(section);
      const options = { software: true, hasConfidence: false };
      this.disagreement = this.#addViewer(section, DISAGREEMENT_CLASSES, options);
    }
    const fields = results.map((result) => new Field({ ...value, ...result }));
    const labels = results.map((result) => result.label);
    const disagreement = new Disagreement(fields, labels, this.props.classes);
    const description = "Your image with the pixels marked that are of different classes";
    const shown = { ...value, ...results[0], areas: [], label, description };
    this.disagreement.show(shown, disagreement.inspect());
  }
}

/**
 * @param {ComparedValue[]} results at least one.
 * @param {ComparisonValue} value
 * @param {ClassInfo[]} classes
 */
function tableRows(results, { agreement }, classes) {
  const ids = new Set(results.flatMap(({ areas }) => areas.map(([id]) => id)));
  const areaRows = [...ids].map((id) => {
    const fractions = results.map(({ areas, seen }) => {
      const pixels = areas.find(([other]) => other === id)?.[1] ?? 0;
      return `${areaPercent(pixels / seen)} %`;
    });
    return tableRow("td", classes[id].name, fractions);
  });
  const agreementRows = agreement.map(({ pair, share }) => {
    const row = tableRow("td", `${pair}, the same class`, [`${areaPercent(share)} %`]);
    row.cells[1].colSpan = results.length;
    return row;
  });
  const miou = results.map((each) => `${each.miou} %`);
  return [
    tableRow("th", "", results.map(({ label }) => label)),
    ...areaRows,
    tableRow("td", "Time", results.map((each) => `${Math.round(each.elapsed_ms)} ms`)),
    tableRow("td", "Parameters", results.map((each) => `${each.parameters} M`)),
    tableRow("td", "Published mIoU (Apple's weights)", miou),
    tableRow("td", "Weights", results.map((each) => each.weights)),
    ...agreementRows,
  ];
}

/**
 * @param {"th" | "td"} tag of the cells after the first; th for the head of the table.
 * @param {string} name
 * @param {string[]} texts
 */
function tableRow(tag, name, texts) {
  /** @type {Record<string, string>} */
  const attributes = tag === "th" ? { scope: "col" } : {};
  const cells = texts.map((text) => make(tag, attributes, text));
  return make("tr", {}, make("th", { scope: "row" }, name), ...cells);
}
