// What the live view says beside the picture: figures, the legend, and the chart of areas.

import { Chart } from "./chart.js";
import { find, make } from "./dom.js";
import { isolateClass, renderLegend, toggleClass } from "./legend.js";
import { isLeftOut } from "./style.js";
import { OLDEST_MS } from "./pace.js";
import { percent } from "./percent.js";

/** @import { LiveResult } from "./connection.js" */
/** @import { LiveOverlay } from "./live_overlay.js" */
/** @import { Figures } from "./pace.js" */
/** @import { ClassInfo } from "./types.js" */

export class LiveReadings {
  /**
   * @param {HTMLElement} root holds live.html.
   * @param {ClassInfo[]} classes
   * @param {LiveOverlay} overlay whose classes the legend shows and hides.
   */
  constructor(root, classes, overlay) {
    this.classes = classes;
    this.overlay = overlay;
    this.panels = [find(root, ".readings", HTMLElement), find(root, ".chart", HTMLElement)];
    this.chart = new Chart(find(root, ".chart canvas", HTMLCanvasElement), classes);
    this.slow = find(root, ".slow", HTMLElement);
    this.stats = find(root, ".stats", HTMLElement);
    this.legend = find(root, ".legend", HTMLElement);
    this.weights = find(root, ".weights", HTMLElement);
    /** @type {LiveResult | null} the newest result that was shown. */
    this.result = null;
  }

  /**
   * @param {LiveResult} result
   * @param {number} now time of performance.now().
   */
  add(result, now) {
    this.result = result;
    this.chart.add(now, result.areas);
  }

  /**
   * @param {Figures} figures
   * @param {number} side of the frames in pixels.
   */
  render(figures, side) {
    const entries = describe(figures, side, this.result?.flicker ?? null).map(([name, value]) =>
      make("div", {}, make("dt", {}, name), make("dd", {}, value)),
    );
    this.stats.replaceChildren(...entries);
    this.slow.hidden = figures.age <= OLDEST_MS;
    this.#renderAreas();
  }

  /**
   * Show or hide all that is only of use while the camera runs.
   *
   * @param {boolean} isRunning
   */
  show(isRunning) {
    for (const panel of this.panels) panel.hidden = !isRunning;
    if (!isRunning) this.chart.clear();
  }

  /** @param {string} sentence says where the weights come from. */
  tellWeights(sentence) {
    this.weights.hidden = false;
    find(this.weights, "p", HTMLElement).textContent = sentence;
  }

  /** Show nothing of the last connection. The chart goes on over a gap. */
  clear() {
    this.stats.replaceChildren();
    this.slow.hidden = true;
    this.legend.replaceChildren();
  }

  #renderAreas() {
    const { classes, overlay, result } = this;
    const rows = [...(result?.areas ?? [])].sort(([one], [other]) => one - other);
    const { hidden, palette } = overlay;
    const content = { rows, unsure: 0, notSeen: 0, seen: 1, classes, hidden, palette };
    renderLegend(this.legend, content, {
      toggle: (id) => this.#changeHidden(() => toggleClass(hidden, id)),
      isolate: (id) => this.#changeHidden(() => isolateClass(hidden, id, this.#present())),
    });
    this.chart.draw(palette);
  }

  /** Ids of the classes in the newest result, without the background. */
  #present() {
    const ids = (this.result?.areas ?? []).map(([id]) => id);
    return ids.filter((id) => !isLeftOut(this.classes, id));
  }

  /** @param {() => void} change */
  #changeHidden(change) {
    change();
    this.#renderAreas();
    this.overlay.repaint();
  }
}

/**
 * Put the figures into words.
 *
 * @param {Figures} figures
 * @param {number} side of the frames in pixels.
 * @param {[raw: number, smoothed: number] | null} flicker see LiveHeader.
 * @returns {[name: string, value: string][]}
 */
export function describe({ rate, age }, side, flicker) {
  /** @type {[name: string, value: string][]} */
  const rows = [
    ["Speed", `${rate.toFixed(1)} frames/s`],
    ["Delay", `${age.toFixed(0)} ms`],
    ["Input", `${side} × ${side} px`],
  ];
  if (!flicker) return rows;
  const [raw, smoothed] = flicker.map((fraction) => percent(fraction, 1));
  return [...rows, ["Flicker", raw === smoothed ? raw : `${smoothed}, unsmoothed ${raw}`]];
}
