// What a comparison says in words and figures: each variant, where they disagree, and the tables.

import { DISAGREEMENT_COLOUR } from "./disagreement.js";
import { make } from "./dom.js";
import { areaPercent } from "./percent.js";

/** @import { AgreementRow, ClassInfo, ComparedValue, ComparisonValue } from "./types.js" */

const ACCURACY_HELP =
  "IoU: of the pixels that a class has in the result or in truth, the share that it has in both. " +
  "mIoU is the mean over all classes; higher is better.";

/**
 * Write what is known of a variant and of its run: two short lines.
 *
 * @param {ComparedValue} result
 */
export function renderFacts({ accuracy, elapsed_ms, parameters, weights }) {
  const size = `${parameters} M parameters · ${Math.round(elapsed_ms)} ms`;
  const figure = accuracy ? [" · ", make("abbr", { title: ACCURACY_HELP }, accuracy)] : [];
  const lines = [make("span", {}, size), make("span", {}, weights, ...figure)];
  return make("p", { class: "facts" }, ...lines);
}

/**
 * Say what the marked pixels are and how many there are.
 *
 * @param {ComparedValue[]} results at least two.
 * @param {AgreementRow[]} agreement
 */
export function describeDisagreement(results, agreement) {
  const share = findShare(agreement, results.map(({ key }) => key));
  if (share === 1) return ["Nowhere: every pixel gets the same class."];
  const mark = make("span", { class: "mark" });
  mark.style.background = DISAGREEMENT_COLOUR;
  return [mark, `Different classes: ${areaPercent(1 - share)} % of the pixels`];
}

/**
 * Make the tables of agreement and of areas; none for a single result.
 *
 * @param {ComparedValue[]} results
 * @param {ComparisonValue} value
 * @param {ClassInfo[]} classes
 */
export function renderTables(results, { agreement }, classes) {
  if (results.length < 2) return [];
  return [
    tableSection("Agreement", renderAgreement(results, agreement)),
    tableSection("Areas", renderAreas(results, classes)),
  ];
}

/**
 * @param {string} title
 * @param {HTMLTableElement} table
 */
function tableSection(title, table) {
  const attributes = { class: "scroll", tabindex: "0", role: "region", "aria-label": title };
  return make("section", {}, make("h2", {}, title), make("div", attributes, table));
}

/**
 * @param {ComparedValue[]} results at least two.
 * @param {AgreementRow[]} agreement
 */
function renderAgreement(results, agreement) {
  const keys = results.map(({ key }) => key);
  const rows = keys.map((key) => {
    const cells = keys.map((other) => {
      if (other === key) return make("td", { class: "itself" }, "100 %");
      return make("td", {}, `${areaPercent(findShare(agreement, [key, other]))} %`);
    });
    return make("tr", {}, make("th", { scope: "row" }, key.toUpperCase()), ...cells);
  });
  const table = make("table", { class: "agreement" });
  table.append(
    make("caption", {}, "Share of the pixels to which two variants give the same class."),
    renderHead("Variant", results),
    make("tbody", {}, ...rows),
  );
  if (keys.length > 2) {
    const all = make("td", { colspan: String(keys.length) });
    all.textContent = `${areaPercent(findShare(agreement, keys))} %`;
    table.append(make("tfoot", {}, make("tr", {}, make("th", { scope: "row" }, "All three"), all)));
  }
  return table;
}

/**
 * Find the share of pixels on which just these variants agree.
 *
 * @param {AgreementRow[]} agreement
 * @param {string[]} keys in any order.
 */
function findShare(agreement, keys) {
  const row = agreement.find(
    ({ variants }) => variants.length === keys.length && keys.every((key) => variants.includes(key)),
  );
  return row ? row.share : NaN;
}

/**
 * @param {ComparedValue[]} results at least two.
 * @param {ClassInfo[]} classes
 */
function renderAreas(results, classes) {
  const ids = new Set(results.flatMap(({ areas }) => areas.map(([id]) => id)));
  const rows = [...ids].map((id) => {
    const cells = results.map(({ areas, seen }) => {
      const pixels = areas.find(([other]) => other === id)?.[1] ?? 0;
      return make("td", {}, `${areaPercent(pixels / seen)} %`);
    });
    return make("tr", {}, make("th", { scope: "row" }, classes[id].name), ...cells);
  });
  const caption = make("caption", {}, "Share of the pixels that each variant gives to a class.");
  const body = make("tbody", {}, ...rows);
  return make("table", {}, caption, renderHead("Class", results), body);
}

/**
 * @param {string} corner text over the column of names.
 * @param {ComparedValue[]} results
 */
function renderHead(corner, results) {
  const first = make("th", { scope: "col" }, corner);
  const heads = results.map(({ key }) => make("th", { scope: "col" }, key.toUpperCase()));
  return make("thead", {}, make("tr", {}, first, ...heads));
}
