// The choice of a variant, in each tab: the networks that the site has.

import { find, make } from "../viewer/dom.js";

/** @import { Site } from "./site.js" */

/**
 * Offer the networks of the site. The page is written with XXS, XS and S; a site may have one of
 * its own instead.
 *
 * @param {Site} site
 */
export function offerVariants({ first, networks }) {
  const offered = Object.entries(networks);
  for (const group of document.querySelectorAll("fieldset.variants")) {
    const name = find(group, "input", HTMLInputElement).name;
    const labels = offered.map(([key, { label, short }]) => {
      const input = make("input", { type: "radio", name, value: key });
      input.checked = key === first;
      return make("label", { title: label }, input, make("span", {}, short));
    });
    for (const label of group.querySelectorAll("label")) label.remove();
    group.append(...labels);
  }
  const select = find(document, "[name=batch-variant]", HTMLSelectElement);
  select.replaceChildren(...offered.map(([key, { short }]) => new Option(short, key)));
  find(document, "#comparing", HTMLElement).hidden = offered.length < 2;
}
