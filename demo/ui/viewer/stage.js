// The stage of a viewer: the image, the painted classes over it, their names, the divider between
// before and after, and the pointer that the keyboard moves.

import { BackgroundPainter, STILL } from "./background.js";
import { download, find, make, move, place, resize } from "./dom.js";
import { placeLabels, renderLabels } from "./labels.js";
import { Painter2D } from "./paint2d.js";
import { providePainter, releasePainter } from "./painter.js";
import { RefinedField } from "./refined_field.js";
import { buildStyle, choosePalette, hasBackground, isLeftOut } from "./style.js";
import { Viewport } from "./viewport.js";

/** @import { Effect } from "./background.js" */
/** @import { ClassField } from "./field.js" */
/** @import { Label } from "./labels.js" */
/** @import { Sampling } from "./sampling.js" */
/** @import { Choices } from "./style.js" */
/** @import { ClassInfo, ViewerValue } from "./types.js" */

/**
 * A point of the image that a visitor asks about.
 *
 * @typedef {{x: number, y: number, byKeyboard: boolean}} Probed
 */

const MOST_PIXELS_2D = 1_000_000; // a larger canvas takes too long to paint with typed arrays

export class Stage {
  /**
   * @param {HTMLElement} root holds viewer.html.
   * @param {{software: boolean, hasConfidence: boolean}} options see Viewer.
   * @param {() => void} onReplaced the painter was replaced, so all must be drawn again.
   */
  constructor(root, { software, hasConfidence }, onReplaced) {
    this.hasConfidence = hasConfidence;
    this.element = find(root, ".stage", HTMLElement);
    this.frame = find(root, ".frame", HTMLElement);
    this.photo = find(root, ".photo", HTMLImageElement);
    this.names = find(root, ".labels", HTMLElement);
    this.pointer = find(root, ".pointer", HTMLElement);
    this.divider = find(root, ".divider", HTMLElement);
    this.viewport = new Viewport();
    const composed = make("canvas", { class: "composed" });
    this.photo.after(composed);
    this.background = new BackgroundPainter(composed, STILL);
    /** @type {Painter2D | null} paints refined edges; made when they are first asked for. */
    this.refined = null;
    this.photo.addEventListener("load", () => {
      this.refined = null;
      onReplaced();
    });
    /** @type {Effect | null} the one that was shown last. */
    this.effect = null;
    /** @type {ClassField | null} */
    this.field = null;
    /** @type {number[]} ids of the classes that are in the image. */
    this.present = [];
    /** @type {Label[]} */
    this.labels = [];
    this.painter = providePainter(
      () => this.#createCanvas(),
      (painter) => {
        this.painter = painter;
        if (this.field) painter.setField(this.field);
        onReplaced();
      },
      software,
    );
  }

  /** Give back what the browser holds for a stage that is taken off the page. */
  dispose() {
    releasePainter(this.painter);
  }

  #createCanvas() {
    this.element.querySelector(".paint")?.remove();
    const canvas = make("canvas", { class: "paint" });
    this.photo.after(canvas);
    return canvas;
  }

  /**
   * Choose what to draw.
   *
   * @param {ViewerValue & {label?: string}} result
   * @param {ClassField} field
   */
  show(result, field) {
    this.field = field;
    this.refined = null;
    this.present = result.areas.map(([id]) => id);
    this.labels = placeLabels(field);
    this.painter.setField(field);
    this.photo.src = result.photo;
    this.photo.alt = result.description;
    const label = this.element.getAttribute("aria-label") ?? "";
    this.element.setAttribute("aria-label", label.replace(/^[^.]*/, result.label ?? "Result"));
    this.frame.style.setProperty("--ratio", `${result.width} / ${result.height}`);
    this.viewport.show(result);
  }

  /** Measure the stage. The viewport may be shared with stages of other sizes. */
  measure() {
    const box = this.element.getBoundingClientRect(); // clientWidth would be rounded
    this.viewport.stage = { width: box.width, height: box.height };
    return box;
  }

  /**
   * Lay out and paint everything.
   *
   * @param {Choices} choices
   * @param {ClassInfo[]} classes
   * @param {Probed | null} probed
   */
  draw(choices, classes, probed) {
    if (this.measure().width) this.#layOut(choices, classes, probed);
    this.#paint(choices, classes);
  }

  /**
   * @param {Choices} choices
   * @param {ClassInfo[]} classes
   * @param {Probed | null} probed
   */
  #layOut(choices, classes, probed) {
    const { divider, painter, pointer, viewport } = this;
    const { image, offset, scale, visible } = viewport;
    const [width, height] = [image.width * scale, image.height * scale];
    place(this.photo, { left: offset.x, top: offset.y, width, height });
    const split = Math.max(0, choices.split * viewport.stage.width - visible.left);
    for (const canvas of [painter.canvas, this.background.canvas]) {
      place(canvas, visible);
      canvas.style.clipPath = split ? `inset(0 0 0 ${split}px)` : "";
    }
    divider.hidden = choices.view === "original";
    divider.style.left = `${choices.split * 100}%`;
    divider.classList.toggle("at-end", choices.split === 0 || choices.split === 1);
    this.element.classList.toggle("zoomed", viewport.zoom > 1);
    this.#layOutLabels(choices, classes);
    pointer.hidden = !probed?.byKeyboard;
    if (probed?.byKeyboard) move(pointer, viewport.toStage(probed.x, probed.y));
  }

  /**
   * @param {Choices} choices
   * @param {ClassInfo[]} classes
   */
  #layOutLabels(choices, classes) {
    const { width, height } = this.viewport.stage;
    const palette = choosePalette(classes, choices.safe);
    const areNamed = choices.labels && (choices.view === "overlay" || choices.view === "map");
    const names = (areNamed ? this.labels : [])
      .filter(({ id }) => !choices.hidden.has(id) && !isLeftOut(classes, id))
      .map(({ id, x, y }) => ({
        name: classes[id].name,
        colour: palette[id],
        ...this.viewport.toStage(x, y),
      }))
      .filter(({ x, y }) => x >= choices.split * width && x <= width && y >= 0 && y <= height);
    renderLabels(this.names, names, { width, height });
  }

  /**
   * Tell what is shown over the photo: nothing, its background, refined edges, or the classes.
   *
   * @param {Choices} choices
   */
  #chooseLayer({ view, refine }) {
    if (view === "original" || !this.viewport.stage.width) return "nothing";
    if (view === "background" && this.hasConfidence) return "background";
    return refine && view === "overlay" && this.hasConfidence ? "refined" : "classes";
  }

  /**
   * @param {Choices} choices
   * @param {ClassInfo[]} classes
   */
  #paint(choices, classes) {
    const { background, painter, viewport } = this;
    const layer = this.#chooseLayer(choices);
    const isComposed = layer === "background" || layer === "refined";
    painter.canvas.hidden = layer !== "classes";
    background.canvas.hidden = !isComposed;
    background.canvas.classList.toggle("over", layer === "refined"); // the photo shows through
    if (layer === "nothing") return;
    let density = window.devicePixelRatio || 1;
    if (isComposed || painter instanceof Painter2D) {
      const { visible } = viewport;
      density = Math.min(density, Math.sqrt(MOST_PIXELS_2D / (visible.width * visible.height)));
    }
    const { width, height, sampling } = viewport.sample(density);
    if (layer === "background") {
      this.#replaceBackground(choices.effect, width, height, sampling);
      return;
    }
    const shown = layer === "refined" ? this.#refine() : painter;
    resize(shown.canvas, width, height);
    const outlineWidth = Math.max(1, Math.round(density)); // about a CSS pixel
    shown.paint(sampling, this.#style(choices, classes, outlineWidth));
  }

  /**
   * @param {Choices} choices
   * @param {ClassInfo[]} classes
   * @param {number} outlineWidth
   */
  #style(choices, classes, outlineWidth) {
    const isShown = (/** @type {number} */ id) =>
      !choices.hidden.has(id) && !isLeftOut(classes, id);
    const dim = choices.dim && this.present.some(isShown);
    const painted = this.hasConfidence ? { ...choices, dim } : withoutConfidence(choices);
    const palette = choosePalette(classes, choices.safe);
    return buildStyle(painted, palette, outlineWidth, hasBackground(classes));
  }

  /** Give the painter of the overlay whose edges follow those of the photo. */
  #refine() {
    const { background, field, photo, refined } = this;
    if (refined) return refined;
    const painter = new Painter2D(background.canvas);
    if (field && photo.complete && photo.naturalWidth) {
      const picture = { image: photo, width: photo.naturalWidth, height: photo.naturalHeight };
      painter.setField(new RefinedField(field, picture));
      this.refined = painter;
    }
    return painter;
  }

  /**
   * @param {Effect} effect
   * @param {number} width of the canvas.
   * @param {number} height
   * @param {Sampling} sampling
   */
  #replaceBackground(effect, width, height, sampling) {
    const { background, field, photo } = this;
    this.effect = effect;
    resize(background.canvas, width, height);
    if (!field || !photo.complete) return;
    const picture = { image: photo, width: photo.naturalWidth, height: photo.naturalHeight };
    background.paint(picture, field, sampling, effect);
  }

  /** Save the whole picture with its background as a PNG, in the size of the photo. */
  async save() {
    const { effect, field, photo } = this;
    if (!field || !effect) return;
    const { naturalWidth: width, naturalHeight: height } = photo;
    const canvas = make("canvas", { width: String(width), height: String(height) });
    const sampling = { left: 0, top: 0, stepX: field.width / width, stepY: field.height / height };
    const painter = new BackgroundPainter(canvas, STILL);
    painter.paint({ image: photo, width, height }, field, sampling, effect);
    canvas.toBlob((blob) => {
      if (blob) download(blob, "background.png");
    });
  }
}

/**
 * @param {Choices} choices
 * @returns {Choices}
 */
function withoutConfidence(choices) {
  return { ...choices, view: "overlay", threshold: 0, dim: false };
}
