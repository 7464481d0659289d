// The names of large regions on the live picture.

import { find } from "./dom.js";
import { placeLabels, renderLabels } from "./labels.js";
import { isLeftOut } from "./style.js";

/** @import { Field } from "./field.js" */
/** @import { Label } from "./labels.js" */
/** @import { LiveOverlay } from "./live_overlay.js" */
/** @import { ClassInfo } from "./types.js" */

const ACROSS = 40; // see placeLabels: few, because it is done again and again
const STILL = 0.1; // of the picture: a name stays until the middle of its region is farther away

export class LiveLabels {
  /**
   * @param {HTMLElement} root holds live.html.
   * @param {ClassInfo[]} classes
   * @param {LiveOverlay} overlay whose regions are named.
   */
  constructor(root, classes, overlay) {
    this.classes = classes;
    this.overlay = overlay;
    this.layer = find(root, ".labels", HTMLElement);
    /** @type {Field | null} the field that was named last. */
    this.field = null;
    /** @type {Label[]} with places in fractions of the picture, not mirrored. */
    this.labels = [];
    this.written = ""; // tells what stands in the layer
  }

  /**
   * Name the regions of the newest result. This costs about a millisecond, so the caller does it a
   * few times a second and not for each result.
   *
   * @param {boolean} isOn
   */
  render(isOn) {
    const { classes, layer, overlay } = this;
    const field = isOn ? overlay.shown : null;
    if (field && field !== this.field) {
      const found = placeLabels(field, ACROSS).map((label) => toFractions(label, field));
      this.labels = settle(found, this.labels, (x, y) => overlay.classAt(x, y));
    }
    this.field = field;
    if (!field) {
      this.labels = [];
      layer.replaceChildren();
      this.written = "";
      return;
    }
    const [width, height] = [layer.clientWidth, layer.clientHeight];
    const names = this.labels
      .filter(({ id }) => !overlay.hidden.has(id) && !isLeftOut(classes, id))
      .map(({ id, x, y }) => ({
        name: classes[id].name,
        colour: overlay.palette[id],
        x: overlay.mirror(x) * width,
        y: y * height,
      }));
    const written = JSON.stringify([names, width, height]);
    if (written !== this.written) renderLabels(layer, names, { width, height });
    this.written = written;
  }
}

/**
 * @param {Label} label in pixels of a field.
 * @param {Field} field
 * @returns {Label} in fractions of it: fields of other sizes follow.
 */
function toFractions({ id, x, y }, { width, height }) {
  return { id, x: x / width, y: y / height };
}

/**
 * Leave names where they were as long as they fit: the middle of a region trembles.
 *
 * @param {Label[]} labels the newest, in fractions of the picture.
 * @param {Label[]} before
 * @param {(x: number, y: number) => number | null} classAt tells the newest class at a point.
 * @returns {Label[]}
 */
export function settle(labels, before, classAt) {
  const left = new Set(before);
  return labels.map((label) => {
    const still = [...left].find(
      ({ id, x, y }) =>
        id === label.id &&
        Math.hypot(x - label.x, y - label.y) < STILL &&
        classAt(x, y) === id,
    );
    if (still) left.delete(still);
    return still ?? label;
  });
}
