// The painted classes over the webcam's picture. They fade when no newer result replaces them.

import { make } from "./dom.js";
import { Field } from "./field.js";
import { providePainter } from "./painter.js";
import { buildStyle } from "./style.js";

/** @import { LiveResult } from "./connection.js" */
/** @import { Colour } from "./types.js" */

const FADE_AFTER_MS = 700;
const SIDE = 512; // of the canvas in pixels; the browser stretches it over the video

export class LiveOverlay {
  /** @param {HTMLVideoElement} video lies under the overlay. */
  constructor(video) {
    this.video = video;
    this.opacity = 0.6;
    /** @type {Set<number>} ids of the classes that are not painted. */
    this.hidden = new Set();
    /** @type {Colour[]} */
    this.palette = [];
    /** @type {Field | null} */
    this.field = null;
    this.shownAt = 0;
    this.painter = providePainter(
      () => this.#createCanvas(),
      (painter) => {
        this.painter = painter;
        if (!this.field) return;
        painter.setField(this.field);
        this.paint();
      },
    );
  }

  #createCanvas() {
    this.video.parentElement?.querySelector(".paint")?.remove();
    const canvas = make("canvas", { class: "paint", width: String(SIDE), height: String(SIDE) });
    this.video.after(canvas);
    return canvas;
  }

  /**
   * Show a result.
   *
   * @param {LiveResult} result
   * @param {number} side of its frame, in pixels.
   * @param {number} now time of performance.now().
   */
  show(result, side, now) {
    this.field = new Field({ ...result, box: [0, 0, side, side], width: side, height: side });
    this.shownAt = now;
    this.painter.setField(this.field);
    this.paint();
  }

  /** Paint the last result again, as its style may have changed. */
  paint() {
    if (!this.field) return;
    const step = this.field.width / SIDE;
    const sampling = { left: 0, top: 0, stepX: step, stepY: step };
    const { hidden, opacity } = this;
    const choices = /** @type {const} */ ({ view: "overlay", threshold: 0, outlines: false, dim: false });
    this.painter.paint(sampling, buildStyle({ ...choices, hidden, opacity }, this.palette));
    this.painter.canvas.style.opacity = "1";
  }

  /** Let a result fade that has grown old. @param {number} now time of performance.now(). */
  fade(now) {
    if (this.field && now - this.shownAt > FADE_AFTER_MS) this.#hide();
  }

  /** Show no result. */
  clear() {
    this.field = null;
    this.#hide();
  }

  #hide() {
    this.painter.canvas.style.opacity = "0";
  }
}
