// Records the live view, with what is painted over it, in the browser alone.

import { context2d, download, make, resize } from "./dom.js";

/** @import { LiveOverlay } from "./live_overlay.js" */

const TYPES = ["video/mp4;codecs=avc1.42E01F", "video/webm;codecs=vp9", "video/webm"];
const LONGEST_MS = 10 * 60_000; // a recording lies in memory
const TELL_EVERY_MS = 1000;

export class Recorder {
  /**
   * @param {HTMLButtonElement} button begins and ends a recording.
   * @param {HTMLVideoElement} video
   * @param {LiveOverlay} overlay
   * @param {(sentence: string) => void} onProgress gets the time and the size so far.
   */
  constructor(button, video, overlay, onProgress) {
    this.button = button;
    this.video = video;
    this.overlay = overlay;
    this.onProgress = onProgress;
    this.canvas = make("canvas");
    /** @type {MediaRecorder | null} */
    this.recorder = null;
    this.frameRequest = 0;
    button.addEventListener("click", () => (this.recorder ? this.stop() : this.#start()));
  }

  /**
   * Offer to record, if this browser can, or end a recording.
   *
   * @param {boolean} isRunning whether the camera is.
   */
  show(isRunning) {
    const canRecord =
      typeof MediaRecorder !== "undefined" && "captureStream" in HTMLCanvasElement.prototype;
    this.button.hidden = !isRunning || !canRecord;
    if (!isRunning) this.stop();
  }

  #showRecording() {
    this.button.textContent = this.recorder ? "Stop recording" : "Record";
    this.button.setAttribute("aria-pressed", String(this.recorder !== null));
  }

  #start() {
    this.#draw();
    const mimeType = TYPES.find((type) => MediaRecorder.isTypeSupported(type)) ?? "";
    const recorder = new MediaRecorder(this.canvas.captureStream(), mimeType ? { mimeType } : {});
    /** @type {Blob[]} */
    const parts = [];
    const began = performance.now();
    let bytes = 0;
    recorder.addEventListener("dataavailable", ({ data }) => {
      parts.push(data);
      bytes += data.size;
      const elapsed = performance.now() - began;
      this.onProgress(describeRecording(elapsed, bytes));
      if (elapsed > LONGEST_MS) this.stop();
    });
    recorder.addEventListener("stop", () => {
      const ending = recorder.mimeType.includes("mp4") ? "mp4" : "webm";
      download(new Blob(parts, { type: recorder.mimeType }), `segmentation.${ending}`);
      const size = (bytes / 1e6).toFixed(1);
      this.onProgress(`The recording was saved as segmentation.${ending}, ${size} MB.`);
    });
    recorder.start(TELL_EVERY_MS);
    this.recorder = recorder;
    this.#showRecording();
  }

  /** End the recording, and give it to the visitor as a download. */
  stop() {
    cancelAnimationFrame(this.frameRequest);
    this.recorder?.stop();
    this.recorder = null;
    this.#showRecording();
  }

  /** Draw what the visitor sees, for each frame of the screen. */
  #draw() {
    const { canvas, overlay, video } = this;
    const { videoWidth: width, videoHeight: height } = video;
    resize(canvas, width, height);
    const context = context2d(canvas);
    if (overlay.isMirrored) context.setTransform(-1, 0, 0, 1, width, 0);
    else context.resetTransform();
    for (const layer of [video, ...overlay.layers]) context.drawImage(layer, 0, 0, width, height);
    this.frameRequest = requestAnimationFrame(() => this.#draw());
  }
}

/**
 * @param {number} elapsed in ms.
 * @param {number} bytes
 */
export function describeRecording(elapsed, bytes) {
  const seconds = Math.floor(elapsed / 1000);
  const time = `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
  return `Recording, ${time}, ${(bytes / 1e6).toFixed(1)} MB.`;
}
