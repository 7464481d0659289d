// The server as the place where live frames are segmented.

import { Connection } from "./connection.js";
import { find, make } from "./dom.js";
import { FrameEncoder } from "./frame_encoder.js";
import { LiveView } from "./live.js";

/** @import { Place } from "./live_session.js" */
/** @import { LiveProps } from "./types.js" */

/**
 * Show the live view. Called by js_on_load of the gr.HTML component.
 *
 * @template Uploaded what Gradio knows of an uploaded file.
 * @param {HTMLElement} element
 * @param {LiveProps} props
 * @param {unknown} _watch
 * @param {(event: string, detail: Uploaded) => void} trigger sends an event to the server.
 * @param {(file: File) => Promise<Uploaded>} upload
 */
export function mount(element, props, _watch, trigger, upload) {
  const root = find(element, ".live", HTMLElement);
  offerBrowser(root, props.in_browser ?? "");
  offerModels(root, props.models ?? []);
  new LiveView(root, props.classes, liveServer(), async (photo) =>
    trigger("submit", await upload(photo)),
  );
}

/** @returns {Place<ArrayBuffer>} */
export function liveServer() {
  const encoder = new FrameEncoder();
  return {
    capture: (video, side) => encoder.encode(video, side),
    connect({ variant, isExact }, on) {
      const address = new URL("live", document.baseURI);
      address.searchParams.set("variant", variant);
      if (isExact) address.searchParams.set("precision", "f32");
      address.protocol = address.protocol === "https:" ? "wss:" : "ws:";
      return new Connection(address, on);
    },
  };
}

/**
 * Offer the owner's models beside the published variants.
 *
 * @param {HTMLElement} root holds live.html.
 * @param {{key: string, label: string}[]} models
 */
function offerModels(root, models) {
  const fieldset = find(root, ".variants", HTMLElement);
  for (const { key, label } of models) {
    const radio = make("input", { type: "radio", value: key });
    fieldset.append(make("label", { title: label }, radio, make("span", {}, label)));
  }
}

/**
 * Offer the page without a server, where frames stay in the browser.
 *
 * @param {HTMLElement} root holds live.html.
 * @param {string} address empty if there is no such page.
 */
export function offerBrowser(root, address) {
  const offer = find(root, ".elsewhere", HTMLElement);
  offer.hidden = !address;
  find(offer, "a", HTMLAnchorElement).href = address;
}
