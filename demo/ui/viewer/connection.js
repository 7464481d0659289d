// The socket of one live session: one frame in flight. Its server side is demo/web/live_socket.py.

import { CLASSES, decodeHalfFloats } from "./field.js";

const ABSENT = -1000; // the logit of a class that cannot win anywhere

export class Connection {
  /**
   * @param {string} address of the socket.
   * @param {{onReady: () => void, onResult: (result) => void,
   *     onEnd: (sentence: string | null) => void}} on sentence: null if the network was lost.
   */
  constructor(address, on) {
    this.on = on;
    this.reason = null;
    this.inFlight = null;
    this.socket = new WebSocket(address);
    this.socket.binaryType = "arraybuffer";
    this.socket.addEventListener("message", ({ data }) => this.#receive(data));
    this.socket.addEventListener("close", () => this.#end());
  }

  get isFree() {
    return this.socket.readyState === WebSocket.OPEN && this.isReady && !this.inFlight;
  }

  /** @param {ArrayBuffer} jpeg @param {number} takenAt of performance.now. */
  send(jpeg, takenAt) {
    this.inFlight = { takenAt, sentAt: performance.now() };
    this.socket.send(jpeg);
  }

  setSmoothing(smoothing) {
    if (this.isReady) this.socket.send(JSON.stringify({ smoothing }));
  }

  close() {
    this.on = { onReady() {}, onResult() {}, onEnd() {} };
    this.socket.close();
  }

  #receive(data) {
    if (typeof data === "string") {
      const message = JSON.parse(data);
      if (message.error) {
        this.reason = message.error;
      } else {
        this.isReady = true;
        this.on.onReady(message);
      }
      return;
    }
    const { takenAt, sentAt } = this.inFlight;
    this.inFlight = null;
    const roundTrip = performance.now() - sentAt;
    this.on.onResult({ ...decodeResult(data), takenAt, roundTrip });
  }

  #end() {
    this.on.onEnd(this.reason);
  }
}

/** @returns {object} the header, with logits as (21, h, w) floats. */
function decodeResult(data) {
  const length = new DataView(data).getUint32(0, true);
  const header = JSON.parse(new TextDecoder().decode(new Uint8Array(data, 4, length)));
  const sent = decodeHalfFloats(data.slice(4 + length));
  const [height, width] = header.grid;
  const logits = new Float32Array(CLASSES * height * width).fill(ABSENT);
  header.classes.forEach((id, i) => {
    const part = sent.subarray(i * height * width, (i + 1) * height * width);
    logits.set(part, id * height * width);
  });
  return { ...header, logits, winners: header.classes };
}
