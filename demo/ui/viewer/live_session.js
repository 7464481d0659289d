// One session of the live view: it sends frames at a pace that the server can answer, and connects
// again when the network was lost.

import { recall, remember } from "./memory.js";
import { Pace, SIDES } from "./pace.js";

/** @import { Listeners as ConnectionListeners, LiveResult } from "./connection.js" */
/** @import { LiveReady } from "./types.js" */

const RETRY_MS = [500, 1000, 2000, 4000];
const SILENT_MS = 10_000; // a connection that has not answered for so long is lost

/**
 * A connection to where frames are segmented, with one frame in flight.
 *
 * @template Frame
 * @typedef {object} LiveConnection
 * @property {boolean} isFree whether it would take a frame.
 * @property {{takenAt: number, sentAt: number} | null} inFlight
 * @property {(frame: Frame, takenAt: number) => void} send
 * @property {(smoothing: number) => void} setSmoothing
 * @property {() => void} close
 */

/**
 * Where frames are segmented: on the server, or in this browser.
 *
 * @template Frame
 * @typedef {object} Place
 * @property {(video: HTMLVideoElement, side: number) => Promise<Frame>} capture takes the picture
 *     that a video shows now.
 * @property {(network: {variant: string, isExact: boolean}, on: ConnectionListeners) =>
 *     LiveConnection<Frame>} connect
 */

/**
 * @typedef {object} Listeners
 * @property {(variant: string) => void} onConnecting gets the key of the variant that is asked for.
 * @property {(ready: LiveReady) => void} onReady
 * @property {(result: LiveResult, now: number) => void} onResult
 * @property {(sentence: string | null) => void} onEnd gets the server's reason, or null if the
 *     network was lost, after which the session goes on by itself.
 */

/** @template Frame */
export class LiveSession {
  /**
   * @param {HTMLVideoElement} video shows what is sent.
   * @param {Place<Frame>} place
   * @param {Listeners} on
   */
  constructor(video, place, on) {
    this.video = video;
    this.place = place;
    this.on = on;
    this.pace = new Pace();
    this.isCapturing = false;
    /** @type {LiveConnection<Frame> | null} null also while it waits to connect again. */
    this.connection = null;
    this.retries = 0;
    this.timer = 0;
    this.smoothing = 0;
    this.variant = "xxs";
    /** @type {number | null} side of the frames in pixels; null if the pace decides. */
    this.fixedSide = null;
    this.isExact = false; // computes in f32 where the server would in bf16
  }

  /** @param {number} smoothing weight of the past in [0, 0.95]. */
  setSmoothing(smoothing) {
    if (smoothing !== this.smoothing) this.connection?.setSmoothing(smoothing);
    this.smoothing = smoothing;
  }

  /** @param {number | null} side of the frames in pixels; null if the pace decides. */
  fixSide(side) {
    this.fixedSide = side;
    if (side) this.pace.side = side;
  }

  /**
   * Let the pace decide about the side, and begin with it the next time.
   *
   * @param {number} roundTrip in ms.
   * @param {number} now time of performance.now().
   */
  adapt(roundTrip, now) {
    if (this.fixedSide) return;
    const before = this.pace.side;
    this.pace.adapt(roundTrip, now);
    const { side } = this.pace;
    if (side !== before) remember("localStorage", sideKey(this.variant), String(side));
  }

  connect() {
    clearTimeout(this.timer);
    this.pace.side = this.fixedSide ?? recallSide(this.variant);
    this.on.onConnecting(this.variant);
    const { isExact, variant } = this;
    const connection = this.place.connect({ variant, isExact }, {
      onReady: (ready) => {
        this.retries = 0;
        this.pace.restart(performance.now());
        this.on.onReady(ready);
        connection.setSmoothing(this.smoothing);
        this.#sendFrame();
      },
      onResult: (result) => this.#receive(result),
      onEnd: (sentence) => this.#end(sentence),
    });
    this.connection = connection;
  }

  disconnect() {
    clearTimeout(this.timer);
    this.connection?.close();
    this.connection = null;
    this.pace.restart(performance.now());
  }

  /**
   * Send a frame if none is in flight, and give up a connection that is silent.
   *
   * @param {number} now time of performance.now().
   */
  tick(now) {
    const sentAt = this.connection?.inFlight?.sentAt ?? now;
    if (now - sentAt > SILENT_MS) this.#end(null);
    else this.#sendFrame();
  }

  /** @param {string | null} sentence */
  #end(sentence) {
    this.disconnect();
    this.on.onEnd(sentence);
    if (sentence) return;
    const wait = RETRY_MS[Math.min(this.retries, RETRY_MS.length - 1)];
    this.retries += 1;
    this.timer = window.setTimeout(() => this.connect(), wait);
  }

  /** Send the newest picture, squashed to the side of the network's input. */
  async #sendFrame() {
    const { connection, video } = this;
    if (this.isCapturing || !connection?.isFree || !video.videoWidth) return;
    const takenAt = performance.now();
    this.isCapturing = true;
    try {
      const frame = await this.place.capture(video, this.pace.side);
      if (connection.isFree) connection.send(frame, takenAt);
    } finally {
      this.isCapturing = false;
    }
  }

  /** @param {LiveResult} result */
  #receive(result) {
    const now = performance.now();
    this.pace.add({ at: now, age: now - result.takenAt, roundTrip: result.roundTrip });
    this.#sendFrame();
    this.on.onResult(result, now);
  }
}

/** @param {string} variant */
function sideKey(variant) {
  return `live side ${variant}`;
}

/**
 * Give the side with which this visitor's last session of a variant ended.
 *
 * @param {string} variant
 */
function recallSide(variant) {
  const side = Number(recall("localStorage", sideKey(variant)));
  return SIDES.includes(side) ? side : SIDES[0];
}
