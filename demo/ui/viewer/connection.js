// The socket of one live session, with one frame in flight. Its other side is
// demo/web/live_socket.py.

import { decodeHalfFloats } from "./half_floats.js";

/** @import { LiveError, LiveHeader, LiveReady } from "./types.js" */

const ABSENT = -1000; // the logit of a class that cannot win anywhere

/**
 * A result with its times.
 *
 * @typedef {object} Timed
 * @property {number} takenAt when its frame was taken, as performance.now() says.
 * @property {number} roundTrip ms from sending the frame to receiving the result.
 *
 * @typedef {LiveHeader & Timed & {logits: Float32Array, winners: number[]}} LiveResult logits: of
 *     all classes, (21, h, w).
 */

/**
 * @typedef {object} Listeners
 * @property {(ready: LiveReady) => void} onReady
 * @property {(result: LiveResult) => void} onResult
 * @property {(sentence: string | null) => void} onEnd gets the server's reason, or null if the
 *     network was lost.
 */

export class Connection {
  /**
   * @param {URL} address of the socket.
   * @param {Listeners} on
   */
  constructor(address, on) {
    this.on = on;
    /** @type {string | null} */
    this.reason = null;
    this.isReady = false;
    this.count = 0; // of classes
    /** @type {{takenAt: number, sentAt: number} | null} */
    this.inFlight = null;
    this.socket = new WebSocket(address);
    this.socket.binaryType = "arraybuffer";
    this.socket.addEventListener("message", ({ data }) => this.#receive(data));
    this.socket.addEventListener("close", () => this.on.onEnd(this.reason));
  }

  get isFree() {
    return this.socket.readyState === WebSocket.OPEN && this.isReady && !this.inFlight;
  }

  /**
   * @param {ArrayBuffer} jpeg
   * @param {number} takenAt time of performance.now().
   */
  send(jpeg, takenAt) {
    this.inFlight = { takenAt, sentAt: performance.now() };
    this.socket.send(jpeg);
  }

  /** @param {number} smoothing weight of the past in [0, 0.95]. */
  setSmoothing(smoothing) {
    if (this.isReady) this.socket.send(JSON.stringify({ smoothing }));
  }

  /** Close the socket. Nothing that comes later is reported. */
  close() {
    this.on = { onReady() {}, onResult() {}, onEnd() {} };
    this.socket.close();
  }

  /** @param {string | ArrayBuffer} message */
  #receive(message) {
    if (typeof message === "string") {
      /** @type {LiveReady | LiveError} */
      const told = JSON.parse(message);
      if ("error" in told) {
        this.reason = told.error;
      } else {
        this.isReady = true;
        this.count = told.count;
        this.on.onReady(told);
      }
      return;
    }
    if (!this.inFlight) return; // the server sends nothing binary but answers to frames
    const { takenAt, sentAt } = this.inFlight;
    this.inFlight = null;
    const roundTrip = performance.now() - sentAt;
    this.on.onResult({ ...decodeResult(message, this.count), takenAt, roundTrip });
  }
}

/**
 * @param {ArrayBuffer} message the length of the header, the header, and the logits.
 * @param {number} count of the classes.
 */
function decodeResult(message, count) {
  const length = new DataView(message).getUint32(0, true);
  const text = new TextDecoder().decode(new Uint8Array(message, 4, length));
  /** @type {LiveHeader} */
  const header = JSON.parse(text);
  const sent = decodeHalfFloats(message.slice(4 + length));
  const [height, width] = header.grid;
  const logits = new Float32Array(count * height * width).fill(ABSENT);
  header.classes.forEach((id, i) => {
    const part = sent.subarray(i * height * width, (i + 1) * height * width);
    logits.set(part, id * height * width);
  });
  return { ...header, logits, winners: header.classes };
}
