// The variants side by side on one image, and where they disagree.

import { CLASSES, Field, NOT_SEEN } from "./field.js";
import { percent } from "./legend.js";
import { Viewer } from "./viewer.js";

const DIFFERENT = CLASSES; // an id that no class has, so that hiding classes does not hide it
const DISAGREEMENT_LABEL = "Where they disagree";
const SAME = { name: "the same", voc: [0, 0, 0], safe: [0, 0, 0] };
const DISAGREEMENT = Array(CLASSES).fill(SAME);
DISAGREEMENT[DIFFERENT] = { name: "different", voc: [255, 0, 200], safe: [255, 0, 200] };

/** Called by js_on_load of the gr.HTML component. */
export function mount(element, props, watch) {
  const comparison = new Comparison(element.querySelector(".compare"), props);
  watch("value", () => comparison.show(props.value));
  if (props.value) comparison.show(props.value);
}

/** Several fields as one that says where they are the same (0) and where DIFFERENT. */
class Disagreement {
  constructor(fields, labels, classes) {
    Object.assign(this, { fields, labels, classes });
    const { width, height, left, top, right, bottom } = fields[0];
    Object.assign(this, { width, height, left, top, right, bottom });
  }

  rasterise(view, width, height) {
    const [first, ...others] = this.fields.map((field) => field.rasterise(view, width, height).ids);
    const ids = new Uint8Array(first.length);
    for (const other of others) {
      for (let i = 0; i < ids.length; i++) if (other[i] !== first[i]) ids[i] = DIFFERENT;
    }
    for (let i = 0; i < ids.length; i++) if (first[i] === NOT_SEEN) ids[i] = NOT_SEEN;
    return { ids, confidence: new Float32Array(ids.length).fill(1) };
  }

  probe(x, y) {
    const found = this.fields.map((field) => field.probe(x, y));
    if (!found[0]) return null;
    return found
      .map(({ winner }, i) => `${this.labels[i]}: ${this.classes[winner.id].name}`)
      .join(", ");
  }
}

class Comparison {
  /** @param {HTMLElement} root @param {{viewer: string, classes: object[]}} props */
  constructor(root, props) {
    this.root = root;
    this.props = props;
    this.sections = new Map(); // key -> {section, viewer}
  }

  /** Show what has come in so far; null empties it. */
  show(value) {
    if (value?.run !== this.run) this.#clear();
    if (!value) return;
    this.run = value.run;
    const done = value.results.filter((result) => result.logits);
    for (const result of value.results) {
      if (!this.sections.has(result.key)) this.#add(result, value);
    }
    if (done.length > 1) this.#showDisagreement(done, value);
    this.root.querySelector(".pending").textContent = value.pending
      ? `Waiting for ${value.pending} ...`
      : "";
    this.root.querySelector(".together").replaceChildren(this.#table(value, done));
  }

  #clear() {
    this.run = undefined;
    for (const viewer of this.#viewers()) viewer.dispose();
    this.sections.clear();
    this.root.querySelector(".shared").replaceChildren();
    this.root.querySelector(".viewers").replaceChildren();
    this.root.querySelector(".together").replaceChildren();
    this.root.querySelector(".pending").textContent = "";
  }

  #add(result, value) {
    const section = document.createElement("section");
    section.append(heading(result.label));
    const viewers = this.root.querySelector(".viewers");
    viewers.insertBefore(section, viewers.querySelector(".disagreement"));
    if (result.error) {
      const sentence = document.createElement("p");
      sentence.textContent = result.error;
      section.append(sentence);
      this.sections.set(result.key, { section });
      return;
    }
    const viewer = this.#addViewer(section, result.key, this.props.classes, {});
    viewer.show({ ...value, ...result });
  }

  #addViewer(section, key, classes, options) {
    section.insertAdjacentHTML("beforeend", this.props.viewer);
    const root = section.lastElementChild;
    const viewer = new Viewer(root, classes, options);
    const others = this.#viewers();
    const controls = [".views", ".controls"].map((name) => root.querySelector(name));
    if (others.length) for (const each of controls) each.remove();
    else this.root.querySelector(".shared").append(...controls);
    this.sections.set(key, { section, viewer });
    Viewer.link([...others, viewer]);
    return viewer;
  }

  #viewers() {
    return [...this.sections.values()].map(({ viewer }) => viewer).filter(Boolean);
  }

  #showDisagreement(results, value) {
    if (!this.sections.has("disagreement")) {
      const section = document.createElement("section");
      section.className = "disagreement";
      section.append(heading(DISAGREEMENT_LABEL));
      this.root.querySelector(".viewers").append(section);
      this.#addViewer(section, "disagreement", DISAGREEMENT, { software: true, hasConfidence: false });
    }
    const { viewer } = this.sections.get("disagreement");
    const fields = results.map((result) => new Field({ ...value, ...result }));
    const labels = results.map(({ label }) => label);
    const field = new Disagreement(fields, labels, this.props.classes);
    const label = DISAGREEMENT_LABEL;
    const description = "Your image with the pixels marked that are of different classes";
    viewer.show({ ...value, ...results[0], areas: [], label, description }, field);
  }

  #table({ agreement }, results) {
    const table = document.createElement("table");
    if (!results.length) return table;
    table.className = "areas";
    table.append(row("th", "", ...results.map(({ label }) => label)));
    const ids = new Set(results.flatMap(({ areas }) => areas.map(([id]) => id)));
    for (const id of ids) {
      const shares = results.map(({ areas, seen }) => {
        const pixels = areas.find(([other]) => other === id)?.[1] ?? 0;
        return `${percent(pixels / seen)} %`;
      });
      table.append(row("td", this.props.classes[id].name, ...shares));
    }
    table.append(row("td", "Time", ...results.map((each) => `${Math.round(each.elapsed_ms)} ms`)));
    table.append(row("td", "Parameters", ...results.map((each) => `${each.parameters} M`)));
    const miou = results.map((each) => `${each.miou} %`);
    table.append(row("td", "Published mIoU (Apple's weights)", ...miou));
    table.append(row("td", "Weights", ...results.map((each) => each.weights)));
    for (const { pair, share } of agreement) {
      const line = row("td", `${pair}, the same class`, `${percent(share)} %`);
      line.cells[1].colSpan = results.length;
      table.append(line);
    }
    return table;
  }
}

function heading(text) {
  const element = document.createElement("h2");
  element.textContent = text;
  return element;
}

function row(kind, name, ...values) {
  const line = document.createElement("tr");
  const head = document.createElement("th");
  head.scope = "row";
  head.textContent = name;
  line.append(head);
  for (const value of values) {
    const cell = document.createElement(kind);
    if (kind === "th") cell.scope = "col";
    cell.textContent = value;
    line.append(cell);
  }
  return line;
}
