// The list of keys, which "?" opens.

import { make } from "./dom.js";

/** @type {[keys: string, action: string][]} */
const KEYS = [
  ["Tab", "go to the next control, or to the picture"],
  ["Arrow keys", "on the picture: move a pointer that names the class"],
  ["+ and −", "on the picture: zoom in and out"],
  ["0", "on the picture: show it whole"],
  ["Escape", "take the pointer away, or leave full screen"],
  ["Ctrl + V", "segment the picture that was copied"],
  ["?", "show this list"],
];

const TYPED_IN = "input:not([type=radio], [type=checkbox], [type=range]), textarea, select";

/** Open the list whenever a visitor presses "?" and is not writing. */
export function listenForHelp() {
  /** @type {HTMLDialogElement | null} */
  let dialog = null;
  document.addEventListener("keydown", ({ key, target }) => {
    if (key !== "?" || (target instanceof Element && target.matches(TYPED_IN))) return;
    dialog ??= makeDialog();
    if (!dialog.open) dialog.showModal();
  });
}

function makeDialog() {
  const rows = KEYS.map(([keys, action]) =>
    make("tr", {}, make("th", { scope: "row" }, keys), make("td", {}, action)),
  );
  const close = make("button", { type: "button" }, "Close");
  const dialog = make(
    "dialog",
    { class: "keyboard", "aria-label": "Keys" },
    make("table", {}, ...rows),
    close,
  );
  close.addEventListener("click", () => dialog.close());
  document.body.append(dialog);
  return dialog;
}
