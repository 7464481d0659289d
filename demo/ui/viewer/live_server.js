// The server as the place where live frames are segmented.

import { Connection } from "./connection.js";
import { find } from "./dom.js";
import { FrameEncoder } from "./frame_encoder.js";

/** @import { Place } from "./live_session.js" */

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
