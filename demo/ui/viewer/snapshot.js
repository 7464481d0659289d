// One picture of the webcam, taken beside the other ways to choose a picture.

import { find } from "./dom.js";
import { closeCamera, enlarge, openCamera, takePhoto } from "./webcam.js";

export class Snapshot {
  /**
   * @param {HTMLElement} root holds picker.html.
   * @param {{take: (file: File) => void, say: (sentence: string) => void}} on
   */
  constructor(root, on) {
    this.on = on;
    this.panel = find(root, ".camera", HTMLElement);
    this.video = find(root, ".camera video", HTMLVideoElement);
    /** @type {MediaStream | null} */
    this.stream = null;
    const listen = (/** @type {string} */ name, /** @type {() => void} */ handle) =>
      find(root, name, HTMLElement).addEventListener("click", handle);
    listen(".photograph", () => this.#open());
    listen(".shoot", () => this.#shoot());
    listen(".cancel", () => this.#close());
  }

  async #open() {
    this.on.say("");
    try {
      this.stream ??= await openCamera("");
    } catch (error) {
      this.on.say(error instanceof Error ? error.message : String(error));
      return;
    }
    this.video.srcObject = this.stream;
    this.panel.hidden = false;
    find(this.panel, ".shoot", HTMLElement).focus();
    await enlarge(this.stream, this.video);
  }

  async #shoot() {
    if (!this.video.videoWidth) return;
    const photo = await takePhoto(this.video);
    this.#close();
    this.on.take(photo);
  }

  #close() {
    if (this.stream) closeCamera(this.stream);
    this.stream = null;
    this.video.srcObject = null;
    this.panel.hidden = true;
  }
}
