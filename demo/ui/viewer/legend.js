// The legend, whose entries switch classes, and the table of areas.

import { UNSURE } from "./style.js";

const unsureColour = `rgb(${UNSURE.join(",")})`;
/** A share in [0, 1] as a number of percent; only all is 100, and only nothing 0. */
export function percent(share) {
  if (share > 0 && share < 0.0001) return "< 0.01";
  if (share > 0.9999 && share < 1) return "> 99.99";
  return (share * 100).toFixed(2);
}
const grouped = (count) => count.toLocaleString("en");

function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children);
  return element;
}

function swatch(colour) {
  const element = make("span", { class: colour ? "swatch" : "swatch striped" });
  if (colour) element.style.background = colour;
  return element;
}

/** CSS of a class's colour; background is shown as it is in the picture: not painted. */
const cssColour = (id, palette) => (id ? `rgb(${palette[id].join(",")})` : "transparent");

/** Hide a class, or show it again. @param {Set<number>} hidden changed. */
export function toggleClass(hidden, id) {
  if (!hidden.delete(id)) hidden.add(id);
}

/** Show one of the classes present alone; a second time, all again. */
export function isolateClass(hidden, id, present) {
  const others = present.filter((other) => other && other !== id);
  const isAlone = !hidden.has(id) && others.every((other) => hidden.has(other));
  hidden.clear();
  if (!isAlone) for (const other of others) hidden.add(other);
}

/** Replace the entries; where only shares have changed these alone, so that a press is not lost. */
function updateList(list, entries) {
  entries.forEach((entry, i) => {
    list.children[i]?.querySelector("b").replaceChildren(entry.querySelector("b").textContent);
  });
  const isSame = entries.every((entry, i) => list.children[i]?.isEqualNode(entry));
  if (isSame && entries.length === list.children.length) return;
  const focused = list.contains(document.activeElement) && document.activeElement.dataset.key;
  list.replaceChildren(...entries);
  if (focused) list.querySelector(`[data-key="${focused}"]`)?.focus({ preventScroll: true });
}

/**
 * @param {HTMLUListElement} list
 * @param {object} shown rows, unsure, notSeen, seen, names, palette, hidden.
 * @param {{toggle: (id) => void, isolate: (id) => void}} on
 */
export function renderLegend(list, shown, on) {
  const entries = shown.rows.map(({ id, pixels }) => {
    const name = shown.names[id];
    const share = `${percent(pixels / shown.seen)} %`;
    const parts = [swatch(cssColour(id, shown.palette)), `${name} `, make("b", {}, share)];
    if (!id) return make("li", {}, make("span", { class: "class" }, ...parts));
    const pressed = String(!shown.hidden.has(id));
    const attributes = { type: "button", class: "class", "aria-pressed": pressed };
    const toggle = make("button", { ...attributes, "data-key": `toggle ${id}` }, ...parts);
    toggle.title = `Show or hide ${name}`;
    toggle.addEventListener("click", () => on.toggle(id));
    const only = make("button", { type: "button", class: "only", "data-key": `only ${id}` }, "only");
    only.setAttribute("aria-label", `Show ${name} only`);
    only.addEventListener("click", () => on.isolate(id));
    return make("li", {}, toggle, only);
  });
  const notSeen = shown.notSeen / (shown.seen + shown.notSeen);
  for (const [pixels, colour, name, share] of [
    [shown.unsure, unsureColour, "unsure", `${percent(shown.unsure / shown.seen)} %`],
    [shown.notSeen, null, "not seen", `${percent(notSeen)} % of the image`],
  ]) {
    if (!pixels) continue;
    const parts = [swatch(colour), `${name} `, make("b", {}, share)];
    entries.push(make("li", {}, make("span", { class: "class" }, ...parts)));
  }
  updateList(list, entries);
}

/** @param {HTMLTableElement} table; the other as for renderLegend, with width and height. */
export function renderTable(table, shown) {
  const foreground = shown.rows.reduce((sum, { id, pixels }) => sum + (id ? pixels : 0), 0);
  const row = (mark, name, ...cells) =>
    make("tr", {}, make("th", { scope: "row" }, mark, name), ...cells.map((c) => make("td", {}, c)));
  const rows = shown.rows.map(({ id, pixels }) =>
    row(
      swatch(cssColour(id, shown.palette)),
      shown.names[id],
      grouped(pixels),
      percent(pixels / shown.seen),
      id && foreground ? percent(pixels / foreground) : "",
    ),
  );
  if (shown.unsure) {
    const share = percent(shown.unsure / shown.seen);
    rows.push(row(swatch(unsureColour), "unsure", grouped(shown.unsure), share, ""));
  }
  if (shown.notSeen) rows.push(row(swatch(null), "not seen", grouped(shown.notSeen), "", ""));
  table.tBodies[0].replaceChildren(...rows);
  table.querySelector(".share").textContent = shown.notSeen ? "% of seen" : "% of image";
  table.tFoot.rows[0].cells[1].textContent = grouped(shown.width * shown.height);
  const estimated = shown.unsure ? "; areas above a threshold are estimated from samples" : "";
  table.caption.textContent = `${shown.width} × ${shown.height} pixels${estimated}`;
}
