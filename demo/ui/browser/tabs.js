// The tabs of the page: one panel is shown, arrow keys choose, and the address names it.

import { readAddress, writeAddress } from "../viewer/address.js";
import { find } from "../viewer/dom.js";

const FIRST = "image";

export function wireTabs() {
  const tabs = [...document.querySelectorAll("[role=tab]")].filter(
    (tab) => tab instanceof HTMLElement,
  );
  const choose = (/** @type {HTMLElement} */ chosen) => {
    for (const tab of tabs) {
      const isChosen = tab === chosen;
      tab.setAttribute("aria-selected", String(isChosen));
      tab.tabIndex = isChosen ? 0 : -1;
      find(document, `#${tab.getAttribute("aria-controls")}`, HTMLElement).hidden = !isChosen;
    }
    const name = chosen.id.replace("tab-", "");
    writeAddress("tab", name === FIRST ? null : name);
  };
  tabs.forEach((tab, i) => {
    tab.addEventListener("click", () => choose(tab));
    tab.addEventListener("keydown", ({ key }) => {
      const step = { ArrowLeft: -1, ArrowRight: 1 }[key];
      if (!step) return;
      const next = tabs[(i + step + tabs.length) % tabs.length];
      next.focus();
      choose(next);
    });
  });
  const noted = tabs.find(({ id }) => id === `tab-${readAddress("tab")}`);
  if (noted) choose(noted);
}

/** Show the Image tab. */
export function showImageTab() {
  find(document, "#tab-image", HTMLElement).click();
}
