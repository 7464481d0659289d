// The legend, whose entries show and hide classes, and the table of areas.

import { find, make } from "./dom.js";
import { areaPercent } from "./percent.js";
import { cssColour, isLeftOut, UNSURE } from "./style.js";

/** @import { AreaRow, ClassInfo, Colour } from "./types.js" */

/**
 * What a legend shows. All areas are in the same unit.
 *
 * @typedef {object} LegendContent
 * @property {AreaRow[]} rows
 * @property {number} unsure area below the threshold of confidence.
 * @property {number} seen area that the network saw.
 * @property {number} notSeen area that it did not see.
 * @property {ClassInfo[]} classes
 * @property {Colour[]} palette the colour of each class.
 * @property {Set<number>} hidden ids of the classes that are not painted.
 */

/**
 * Hide a class, or show it again.
 *
 * @param {Set<number>} hidden is changed.
 * @param {number} id
 */
export function toggleClass(hidden, id) {
  if (!hidden.delete(id)) hidden.add(id);
}

/**
 * Show one class alone, or all classes if it is alone already.
 *
 * @param {Set<number>} hidden is changed.
 * @param {number} id
 * @param {number[]} present ids of the classes that are present, without the background.
 */
export function isolateClass(hidden, id, present) {
  const others = present.filter((other) => other !== id);
  const isAlone = !hidden.has(id) && others.every((other) => hidden.has(other));
  hidden.clear();
  if (!isAlone) for (const other of others) hidden.add(other);
}

/**
 * @param {HTMLElement} list
 * @param {LegendContent} content
 * @param {{toggle: (id: number) => void, isolate: (id: number) => void}} on
 */
export function renderLegend(list, content, on) {
  const { classes, hidden, notSeen, palette, rows, seen, unsure } = content;
  const entries = rows.map(([id, area]) => {
    const { name } = classes[id];
    const share = bold(`${areaPercent(area / seen)} %`);
    const isBackground = isLeftOut(classes, id);
    const parts = [isBackground ? noSwatch() : swatch(palette[id]), `${name} `, share];
    if (isBackground) return make("li", {}, nameOf(classes[id], parts));
    const attributes = { type: "button", class: "class", "aria-pressed": String(!hidden.has(id)) };
    const toggle = make("button", { ...attributes, "data-key": `toggle ${id}` }, ...parts);
    toggle.title = `Show or hide ${describe(classes[id])}`;
    toggle.addEventListener("click", () => on.toggle(id));
    const only = make("button", { type: "button", class: "only", "data-key": `only ${id}` });
    only.textContent = "only";
    only.setAttribute("aria-label", `Show ${name} only`);
    only.addEventListener("click", () => on.isolate(id));
    return make("li", {}, toggle, only);
  });
  const addNote = (/** @type {(Node | string)[]} */ ...parts) =>
    entries.push(make("li", {}, make("span", { class: "class" }, ...parts)));
  if (unsure) addNote(swatch(UNSURE), "unsure ", bold(`${areaPercent(unsure / seen)} %`));
  if (notSeen) {
    const fraction = areaPercent(notSeen / (seen + notSeen));
    addNote(stripedSwatch(), "not seen ", bold(`${fraction} % of the image`));
  }
  updateList(list, entries);
}

/**
 * Put new entries into a list. Entries in which only the percentage changes stay the same elements,
 * whatever comes and goes beside them: otherwise a press on a button would be lost when a result
 * comes in before the release.
 *
 * @param {HTMLElement} list
 * @param {HTMLElement[]} entries
 */
function updateList(list, entries) {
  const before = new Map([...list.children].map((entry) => [keyOf(entry), entry]));
  const wanted = entries.map((entry) => {
    const same = before.get(keyOf(entry));
    same?.querySelector("b")?.replaceChildren(find(entry, "b", HTMLElement).textContent);
    return same?.isEqualNode(entry) ? same : entry;
  });
  const focused = list.contains(document.activeElement) ? document.activeElement : null;
  const key = focused?.getAttribute("data-key");
  for (const entry of [...list.children]) if (!wanted.includes(entry)) entry.remove();
  wanted.forEach((entry, i) => {
    const there = list.children[i];
    if (there !== entry) list.insertBefore(entry, there ?? null);
  });
  const successor = key && list.querySelector(`[data-key="${key}"]`);
  if (successor instanceof HTMLElement) successor.focus({ preventScroll: true });
}

/**
 * Tell entries of a list apart: by their button, or by their first word.
 *
 * @param {Element} entry
 */
function keyOf(entry) {
  const key = entry.querySelector("[data-key]")?.getAttribute("data-key");
  return key ?? entry.textContent?.split(" ")[0];
}

/**
 * The actions of the table of areas.
 *
 * @typedef {object} TableActions
 * @property {(id: number) => void} toggle
 * @property {(id: number) => void} isolate
 * @property {() => void} showAll
 */

/**
 * Show the areas; the name of a class shows and hides it.
 *
 * @param {HTMLTableElement} table
 * @param {LegendContent} content with areas in pixels.
 * @param {{width: number, height: number}} image its size in pixels.
 * @param {TableActions} on
 */
export function renderTable(table, content, image, on) {
  const { classes, hidden, notSeen, rows, seen, unsure } = content;
  const lines = rows.map((row) => classRow(row, content, on));
  if (unsure) {
    const name = make("span", { class: "class" }, swatch(UNSURE), "unsure");
    lines.push(tableRow(name, [grouped(unsure), areaPercent(unsure / seen), ""]));
  }
  if (notSeen) {
    const name = make("span", { class: "class" }, stripedSwatch(), "not seen");
    lines.push(tableRow(name, [grouped(notSeen), "", ""]));
  }
  replaceRows(table, lines);
  const foreground = rows.filter(([id]) => !isLeftOut(classes, id));
  table.classList.toggle("several", foreground.length > 1);
  const all = find(table, ".all", HTMLButtonElement);
  all.hidden = !foreground.some(([id]) => hidden.has(id));
  all.onclick = on.showAll;
  find(table, ".share", HTMLElement).textContent = notSeen ? "% of seen" : "% of image";
  const estimated = unsure ? "; areas above a minimum confidence are estimated from samples" : "";
  const caption = `${image.width} × ${image.height} pixels${estimated}`;
  find(table, "caption", HTMLElement).textContent = caption;
}

/**
 * @param {AreaRow} row
 * @param {LegendContent} content
 * @param {TableActions} on
 */
function classRow([id, pixels], { classes, hidden, palette, rows, seen }, on) {
  const { name } = classes[id];
  const others = rows.filter(([other]) => !isLeftOut(classes, other));
  const isBackground = isLeftOut(classes, id);
  const foreground = others.reduce((sum, [, area]) => sum + area, 0);
  const ofForeground = !isBackground && foreground ? areaPercent(pixels / foreground) : "";
  const cells = [grouped(pixels), areaPercent(pixels / seen), ofForeground];
  const parts = [swatch(palette[id]), name];
  if (isBackground) return tableRow(nameOf(classes[id], parts), cells);
  const isShown = !hidden.has(id);
  const state = { "aria-pressed": String(isShown), "data-key": `toggle ${id}` };
  const toggle = make("button", { type: "button", class: "class", ...state }, ...parts);
  toggle.title = `${isShown ? "Hide" : "Show"} ${describe(classes[id])}`;
  toggle.addEventListener("click", () => on.toggle(id));
  const isAlone = isShown && others.every(([other]) => other === id || hidden.has(other));
  const only = make("button", { type: "button", class: "only", "data-key": `only ${id}` }, "only");
  only.setAttribute("aria-label", `Show ${name} only`);
  only.setAttribute("aria-pressed", String(isAlone && hidden.size > 0));
  only.addEventListener("click", () => on.isolate(id));
  return tableRow(toggle, cells, only);
}

/**
 * @param {HTMLElement} name
 * @param {string[]} cells
 * @param {HTMLElement} [only]
 */
function tableRow(name, [pixels, share, foreground], only) {
  const row = make("tr", {}, make("th", { scope: "row" }, name));
  row.append(make("td", { class: "pixels" }, pixels), make("td", { class: "share" }, share));
  row.append(make("td", { class: "foreground" }, foreground));
  row.append(make("td", { class: "only" }, ...(only ? [only] : [])));
  return row;
}

/**
 * Put new rows into a table; the button that had the focus has it again.
 *
 * @param {HTMLTableElement} table
 * @param {HTMLElement[]} rows
 */
function replaceRows(table, rows) {
  const focused = table.contains(document.activeElement) ? document.activeElement : null;
  const key = focused?.getAttribute("data-key");
  find(table, "tbody", HTMLElement).replaceChildren(...rows);
  const successor = key && table.querySelector(`[data-key="${key}"]`);
  if (successor instanceof HTMLElement) successor.focus({ preventScroll: true });
}

/**
 * The name of a class that cannot be hidden.
 *
 * @param {ClassInfo} info
 * @param {(Node | string)[]} parts
 */
function nameOf({ meaning = "" }, parts) {
  return make("span", { class: "class", title: meaning }, ...parts);
}

/** @param {ClassInfo} info */
function describe({ meaning, name }) {
  return meaning ? `${name} (${meaning})` : name;
}

/** @param {string} text */
function bold(text) {
  return make("b", {}, text);
}

/** @param {Colour} colour */
function swatch(colour) {
  const element = make("span", { class: "swatch" });
  element.style.background = cssColour(colour);
  return element;
}

/** The place of a swatch beside background, which is not painted in the picture either. */
function noSwatch() {
  return make("span", { class: "swatch none" });
}

function stripedSwatch() {
  return make("span", { class: "swatch striped" });
}

/** @param {number} count */
function grouped(count) {
  return count.toLocaleString("en");
}
