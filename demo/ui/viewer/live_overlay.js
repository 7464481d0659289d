// The painted classes over the webcam's picture. They fade when no newer result replaces them.

import { BackgroundPainter, LIVE } from "./background.js";
import { make, resize } from "./dom.js";
import { Field } from "./field.js";
import { Painter2D } from "./paint2d.js";
import { providePainter } from "./painter.js";
import { buildStyle, choosePalette, hasBackground } from "./style.js";

/** @import { Effect } from "./background.js" */
/** @import { LiveResult } from "./connection.js" */
/** @import { LiveSettings } from "./live_settings.js" */
/** @import { Painter } from "./painter.js" */
/** @import { ClassInfo, Colour } from "./types.js" */

const FADE_AFTER_MS = 700;
const SIDE = 512; // of the canvas in pixels; the browser stretches it over the video
const SIDE_WITHOUT_GPU = 256; // typed arrays paint four times as fast
const OUTLINE_WIDTH = 1 / 256; // of the side
const COMPOSED_PIXELS = { withGpu: 640 * 480, without: 256 * 192 };

/**
 * Give a painter's canvas the size that it can paint in time.
 *
 * @param {Painter} painter
 */
function fitCanvas(painter) {
  const side = painter instanceof Painter2D ? SIDE_WITHOUT_GPU : SIDE;
  resize(painter.canvas, side, side);
  return painter;
}

export class LiveOverlay {
  /** @param {HTMLVideoElement} video lies under the overlay. */
  constructor(video) {
    this.video = video;
    this.opacity = 0.6;
    this.outlines = false;
    this.isMirrored = false;
    /** @type {Set<number>} ids of the classes that are not painted. */
    this.hidden = new Set();
    /** @type {Colour[]} */
    this.palette = [];
    this.hasBackground = true;
    /** @type {Effect | null} what replaces the background; null leaves it as it is. */
    this.effect = null;
    /** @type {Field | null} */
    this.field = null;
    this.shownAt = 0;
    this.isFaded = true;
    const first = providePainter(
      () => this.#createCanvas(),
      (painter) => {
        this.painter = fitCanvas(painter);
        if (!this.field) return;
        painter.setField(this.field);
        this.paint();
      },
    );
    this.painter = fitCanvas(first);
    const composed = make("canvas", { class: "composed", hidden: "" });
    video.after(composed);
    this.background = new BackgroundPainter(composed, LIVE);
  }

  /** What lies over the video now, from the bottom to the top. */
  get layers() {
    if (this.isFaded) return [];
    return [this.effect ? this.background.canvas : this.painter.canvas];
  }

  #createCanvas() {
    this.video.parentElement?.querySelector(".paint")?.remove();
    const canvas = make("canvas", { class: "paint", width: String(SIDE), height: String(SIDE) });
    this.video.after(canvas);
    return canvas;
  }

  /**
   * @param {ClassInfo[]} classes
   * @param {boolean} isSafe choose colours that colour-blind people can tell apart.
   */
  setClasses(classes, isSafe) {
    this.palette = choosePalette(classes, isSafe);
    this.hasBackground = hasBackground(classes);
  }

  /**
   * @param {LiveSettings} settings
   * @param {Effect | null} effect
   */
  applySettings(settings, effect) {
    this.isMirrored = settings.isOn("mirror");
    this.opacity = settings.fraction("opacity");
    this.outlines = settings.isOn("outlines");
    this.effect = effect;
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

  /** Paint what is shown again, because its style may have changed. */
  repaint() {
    if (this.shown) this.paint();
  }

  /** Paint the last result. */
  paint() {
    if (!this.field) return;
    this.isFaded = false;
    this.background.canvas.hidden = !this.effect;
    this.painter.canvas.style.opacity = this.effect ? "0" : "1";
    if (this.effect) this.#replaceBackground(this.field, this.effect);
    else this.#paintClasses(this.field);
  }

  /** @param {Field} field */
  #paintClasses(field) {
    const side = this.painter.canvas.width;
    const step = field.width / side;
    const sampling = { left: 0, top: 0, stepX: step, stepY: step };
    const { hidden, opacity, outlines } = this;
    const view = /** @type {const} */ ("overlay");
    const choices = { view, threshold: 0, dim: false, hidden, opacity, outlines };
    const style = buildStyle(choices, this.palette, OUTLINE_WIDTH * side, this.hasBackground);
    this.painter.paint(sampling, style);
  }

  /**
   * @param {Field} field
   * @param {Effect} effect
   */
  #replaceBackground(field, effect) {
    const { background, painter, video } = this;
    const { videoWidth: width, videoHeight: height } = video;
    const most =
      painter instanceof Painter2D ? COMPOSED_PIXELS.without : COMPOSED_PIXELS.withGpu;
    const scale = Math.min(1, Math.sqrt(most / (width * height)));
    const size = [width, height].map((length) => Math.max(1, Math.round(length * scale)));
    resize(background.canvas, size[0], size[1]);
    const step = { stepX: field.width / size[0], stepY: field.height / size[1] };
    background.paint({ image: video, width, height }, field, { left: 0, top: 0, ...step }, effect);
  }

  /** What is shown now; null if there is nothing or it has faded. */
  get shown() {
    return this.isFaded ? null : this.field;
  }

  /**
   * Find the class that is shown at a point.
   *
   * @param {number} x fraction of the picture's width, not mirrored.
   * @param {number} y fraction of its height.
   * @returns {number | null} its id, or null if nothing is shown there.
   */
  classAt(x, y) {
    const field = this.shown;
    return field?.probe(x * field.width, y * field.height)?.winner.id ?? null;
  }

  /**
   * Turn a place in the picture into one on the stage, or the other way about.
   *
   * @param {number} x fraction of the width.
   */
  mirror(x) {
    return this.isMirrored ? 1 - x : x;
  }

  /**
   * Let a result fade that has grown old. A replaced background stays, so that what lies behind is
   * not seen.
   *
   * @param {number} now time of performance.now().
   */
  fade(now) {
    if (this.field && !this.effect && now - this.shownAt > FADE_AFTER_MS) this.#hide();
  }

  /** Show no result. */
  clear() {
    this.field = null;
    this.#hide();
  }

  #hide() {
    this.isFaded = true;
    this.painter.canvas.style.opacity = "0";
    this.background.canvas.hidden = true;
  }
}
