// The Live tab: the live view with this browser as the place where frames are segmented.

import { find } from "../viewer/dom.js";
import { copyFrame } from "../viewer/frame_encoder.js";
import { LiveView } from "../viewer/live.js";
import { showImageTab } from "./tabs.js";

/** @import { Listeners } from "../viewer/connection.js" */
/** @import { Place } from "../viewer/live_session.js" */
/** @import { Network } from "./network.js" */
/** @import { SegmentAnswer } from "./network_worker.js" */
/** @import { Site } from "./site.js" */

export class LiveTab {
  /**
   * @param {Site} site
   * @param {Network} network
   * @param {(photo: File) => void} onFreeze takes a frozen frame.
   */
  constructor(site, network, onFreeze) {
    const root = find(document, "#live .live", HTMLElement);
    find(root, ".privacy", HTMLElement).textContent = "Frames stay in this browser.";
    new LiveView(root, site.classes, liveBrowser(site, network), (photo) => {
      showImageTab();
      onFreeze(photo);
      return Promise.resolve();
    });
  }
}

/**
 * This browser as the place where live frames are segmented.
 *
 * @param {Site} site
 * @param {Network} network
 * @returns {Place<VideoFrame | ImageBitmap>}
 */
function liveBrowser(site, network) {
  let side = 256;
  return {
    capture(video, wanted) {
      side = wanted;
      return copyFrame(video);
    },
    connect: ({ variant }, on) => new LocalConnection(site, network, variant, () => side, on),
  };
}

/** A connection to the network in this browser, with one frame in flight. */
class LocalConnection {
  /**
   * @param {Site} site
   * @param {Network} network
   * @param {string} variant
   * @param {() => number} side gives the side of the network's input for the next frame.
   * @param {Listeners} on
   */
  constructor(site, network, variant, side, on) {
    this.network = network;
    this.variant = variant;
    this.side = side;
    this.on = on;
    this.isReady = false;
    this.isFirst = true;
    this.smoothing = 0;
    this.about = site.networks[variant];
    this.precision = "";
    /** @type {{takenAt: number, sentAt: number} | null} */
    this.inFlight = null;
    this.#begin();
  }

  get isFree() {
    return this.isReady && !this.inFlight;
  }

  /** @param {number} smoothing weight of the past in [0, 0.95]. */
  setSmoothing(smoothing) {
    this.smoothing = smoothing;
  }

  /**
   * @param {VideoFrame | ImageBitmap} frame is handed over.
   * @param {number} takenAt time of performance.now().
   */
  async send(frame, takenAt) {
    const sentAt = performance.now();
    this.inFlight = { takenAt, sentAt };
    const live = { smoothing: this.smoothing, isFirst: this.isFirst };
    this.isFirst = false;
    try {
      const answer = await this.#segment(frame, this.side(), live);
      this.inFlight = null;
      const { areas, grid, logits, winners, flicker = null } = answer;
      const roundTrip = performance.now() - sentAt;
      const header = { classes: winners, areas, grid, flicker };
      this.on.onResult({ ...header, logits, winners, takenAt, roundTrip });
      this.#tellProcessor(answer);
    } catch (error) {
      this.inFlight = null;
      this.on.onEnd(error instanceof Error ? error.message : String(error));
    }
  }

  /** Nothing that comes later is reported. */
  close() {
    this.on = { onReady() {}, onResult() {}, onEnd() {} };
  }

  /** Fetch the network, and run it once on an empty frame. */
  async #begin() {
    const side = this.side();
    try {
      const answer = await this.#segment(new ImageData(side, side), side, {
        smoothing: 0,
        isFirst: true,
      });
      this.isReady = true;
      this.#tellProcessor(answer);
    } catch (error) {
      this.on.onEnd(error instanceof Error ? error.message : String(error));
    }
  }

  /**
   * Say what the network runs on, once, and again when that changes.
   *
   * @param {SegmentAnswer} answer
   */
  #tellProcessor({ processor, isSmaller }) {
    const precision = `f32 on ${processor}${isSmaller ? ", with half the input size, for lack of memory" : ""}`;
    if (precision === this.precision) return;
    this.precision = precision;
    const { label, weights } = this.about;
    this.on.onReady({ ready: label, weights, precision, has_bf16: false, count: 0, classes: null });
  }

  /**
   * @param {VideoFrame | ImageBitmap | ImageData} image
   * @param {number} side
   * @param {{smoothing: number, isFirst: boolean}} live
   * @returns {Promise<SegmentAnswer>}
   */
  #segment(image, side, live) {
    return this.network.segment({ image, variant: this.variant, framing: "whole", side, live });
  }
}
