// The viewer of one result. It works on the logits in the browser and asks the server nothing.

import { readChoices, writeChoices } from "./address.js";
import { BackgroundControls, firstEffect } from "./background_controls.js";
import { Controls } from "./controls.js";
import { find } from "./dom.js";
import { FullScreen } from "./fullscreen.js";
import { Gestures } from "./gestures.js";
import { inspect } from "./inspection.js";
import { listenForHelp } from "./keyboard.js";
import { isolateClass, renderTable, toggleClass } from "./legend.js";
import { Readout } from "./readout.js";
import { Stage } from "./stage.js";
import { choosePalette, CONFIDENCE_STOPS, cssColour, DEFAULT_CHOICES, isLeftOut } from "./style.js";
import { clamp } from "./viewport.js";

/** @import { Point } from "./gestures.js" */
/** @import { Inspection } from "./inspection.js" */
/** @import { Probed } from "./stage.js" */
/** @import { Choices } from "./style.js" */
/** @import { ClassInfo, ViewerProps, ViewerValue } from "./types.js" */

/**
 * @typedef {object} ViewerOptions
 * @property {boolean} [software] never use WebGL2.
 * @property {boolean} [hasConfidence] false for a field without confidence.
 * @property {Partial<Choices>} [saved] choices to begin with.
 * @property {(choices: Choices) => void} [onChoice] called when the visitor has chosen.
 */

const STRIDE = 8; // CSS pixels that an arrow key moves the probed point

/**
 * Show the component's value in a viewer. Called by js_on_load of the gr.HTML component.
 *
 * @param {HTMLElement} element
 * @param {ViewerProps<ViewerValue>} props
 * @param {(name: string, onChange: () => void) => void} watch calls back when a prop has changed.
 */
export function mount(element, props, watch) {
  listenForHelp();
  const root = find(element, ".viewer", HTMLElement);
  const viewer = new Viewer(root, props.classes, {
    saved: readChoices(),
    onChoice: (choices) => writeChoices(choices, DEFAULT_CHOICES),
  });
  watch("value", () => viewer.show(props.value ?? null));
  if (props.value) viewer.show(props.value);
}

export class Viewer {
  /**
   * @param {HTMLElement} root holds viewer.html.
   * @param {ClassInfo[]} classes
   * @param {ViewerOptions} options
   */
  constructor(root, classes, options = {}) {
    const { software = false, hasConfidence = true, saved = {}, onChoice = () => {} } = options;
    this.onChoice = onChoice;
    this.root = root;
    this.pageClasses = classes;
    this.classes = classes; // of the result that is shown
    /** @type {Viewer[]} all viewers that share choices, controls and viewport with this one. */
    this.linked = [this];
    /** @type {Choices} they stay when another image comes. */
    this.choices = { ...DEFAULT_CHOICES, ...saved, hidden: new Set(), effect: firstEffect() };
    /** @type {{result: ViewerValue, inspection: Inspection} | null} */
    this.shown = null;
    /** @type {Probed | null} */
    this.probed = null;
    this.frameRequest = 0;
    this.readout = new Readout(find(root, ".readout", HTMLElement));
    this.stage = new Stage(root, { software, hasConfidence }, () => this.#redraw());
    this.controls = new Controls(root, this.choices, (name) => this.#onChoice(name));
    const background = find(root, ".controls .background", HTMLElement);
    this.background = new BackgroundControls(background, classes, this.choices.effect, () =>
      this.#redraw(),
    );
    find(background, ".save", HTMLElement).addEventListener("click", () => this.stage.save());
    this.#listen();
    this.resizes = new ResizeObserver(() => this.#redraw());
    this.resizes.observe(this.stage.element);
  }

  /** Give back what the browser holds for a viewer that is taken off the page. */
  dispose() {
    this.resizes.disconnect();
    this.stage.dispose();
  }

  /**
   * Let viewers of the same image zoom, point and choose together.
   *
   * @param {Viewer[]} viewers
   */
  static link(viewers) {
    const [first] = viewers;
    for (const viewer of viewers) {
      viewer.choices = first.choices;
      viewer.controls = first.controls;
      viewer.background = first.background;
      viewer.stage.viewport = first.stage.viewport;
      viewer.linked = viewers;
    }
    first.#showView();
  }

  /**
   * Show a result, or nothing if it is null.
   *
   * @param {ViewerValue & {label?: string} | null} result
   * @param {Inspection | null} inspection
   */
  show(result, inspection = null) {
    this.classes = result?.classes ?? this.pageClasses;
    const inspected = inspection ?? (result && inspect(result, this.classes));
    find(this.root, ".empty", HTMLElement).hidden = Boolean(result);
    find(this.root, ".shown", HTMLElement).hidden = !result;
    this.shown = result && inspected && { result, inspection: inspected };
    if (!this.shown) return;
    this.stage.show(this.shown.result, this.shown.inspection.field);
    this.background.offer(this.#present(), this.classes);
    this.#showProbe(this.linked.find((other) => other !== this && other.probed)?.probed ?? null);
    this.#renderAreas();
    this.#redraw();
  }

  #listen() {
    const { readout, root } = this;
    const { divider, element } = this.stage;
    new FullScreen(root, find(root, ".fullscreen", HTMLElement));
    const gradient = CONFIDENCE_STOPS.map(cssColour).join(",");
    find(root, ".scale i", HTMLElement).style.background = `linear-gradient(to right, ${gradient})`;
    for (const direction of /** @type {const} */ (["in", "out", "reset"])) {
      const button = find(root, `[data-zoom=${direction}]`, HTMLElement);
      button.addEventListener("click", () => this.#zoomStep(direction));
    }
    new Gestures(element, divider, {
      measure: () => this.stage.measure(),
      probe: (point) => this.#probeStage(point),
      leave: () => this.#forgetProbe(false),
      moveProbe: (right, down) => this.#moveProbe(right, down),
      pan: (x, y) => {
        this.stage.viewport.panBy(x, y);
        this.#redraw();
      },
      zoom: (factor, { x, y }) => {
        this.stage.viewport.zoomAt(factor, x, y);
        this.#redraw();
      },
      zoomStep: (direction, about) => this.#zoomStep(direction, about),
      moveDivider: (x) => this.controls.moveDivider(x / this.stage.viewport.stage.width),
    });
    element.addEventListener("focus", () => readout.setSpoken(true));
    element.addEventListener("blur", () => {
      readout.setSpoken(false);
      this.#forgetProbe(true);
    });
  }

  #redraw() {
    for (const viewer of this.linked) viewer.#schedule();
  }

  /** Draw the stage before the screen is drawn next. */
  #schedule() {
    if (!this.shown || this.frameRequest) return;
    this.frameRequest = requestAnimationFrame(() => {
      this.frameRequest = 0;
      this.stage.draw(this.choices, this.classes, this.probed);
    });
  }

  #renderAllAreas() {
    for (const viewer of this.linked) viewer.#renderAreas();
  }

  #renderAreas() {
    if (!this.shown) return;
    const { choices, classes, root } = this;
    const { inspection, result } = this.shown;
    const content = {
      ...inspection.areasAbove(choices.threshold),
      notSeen: result.not_seen,
      seen: result.width * result.height - result.not_seen,
      classes,
      hidden: choices.hidden,
      palette: choosePalette(classes, choices.safe),
    };
    renderTable(find(root, ".areas", HTMLTableElement), content, result, {
      toggle: (id) => this.#changeHidden((hidden) => toggleClass(hidden, id)),
      isolate: (id) => this.#changeHidden((hidden) => isolateClass(hidden, id, this.#present())),
      showAll: () => this.#changeHidden((hidden) => hidden.clear()),
    });
  }

  /** @param {(hidden: Set<number>) => void} change */
  #changeHidden(change) {
    change(this.choices.hidden);
    this.#renderAllAreas();
    this.#redraw();
  }

  /** Find the ids of the classes that any of the linked viewers shows, without the background. */
  #present() {
    const ids = this.linked.flatMap(({ shown }) => shown?.result.areas.map(([id]) => id) ?? []);
    return ids.filter((id) => !isLeftOut(this.classes, id));
  }

  /** @param {keyof Choices} name */
  #onChoice(name) {
    this.onChoice(this.choices);
    this.#showView();
    if (!this.shown) return;
    if (name === "threshold" || name === "safe") this.#renderAllAreas();
    if (name === "threshold") this.#probe(this.probed);
    this.#redraw();
  }

  /** Show the scale of the confidence view, and turn off the controls that do nothing in a view. */
  #showView() {
    const { view } = this.choices;
    for (const { root } of this.linked) {
      find(root, ".scale", HTMLElement).hidden = view !== "confidence";
    }
    this.controls.showView(view);
  }

  /**
   * @param {"in" | "out" | "reset"} direction
   * @param {Point} [about]
   */
  #zoomStep(direction, about) {
    this.stage.measure();
    this.stage.viewport.step(direction, about?.x, about?.y);
    this.#redraw();
  }

  /**
   * Move the probed point with the keyboard; it begins in the middle of the image.
   *
   * @param {number} right strides
   * @param {number} down strides
   */
  #moveProbe(right, down) {
    if (!this.shown) return;
    this.stage.measure();
    const { viewport } = this.stage;
    const { width, height } = this.shown.result;
    const stride = STRIDE / viewport.scale;
    const from = this.probed ?? { x: width / 2, y: height / 2 };
    const x = clamp(from.x + right * stride, 0.5, width - 0.5);
    const y = clamp(from.y + down * stride, 0.5, height - 0.5);
    viewport.bringIn(x, y);
    this.#probe({ x, y, byKeyboard: true });
    this.#redraw();
  }

  /** @param {Point} point */
  #probeStage(point) {
    const { image } = this.stage.viewport;
    const { x, y } = this.stage.viewport.toImage(point.x, point.y);
    const isInside = x >= 0 && y >= 0 && x < image.width && y < image.height;
    this.#probe(isInside ? { x, y, byKeyboard: false } : null);
  }

  /**
   * Forget the probed point if the keyboard chose it, or if the mouse did.
   *
   * @param {boolean} byKeyboard
   */
  #forgetProbe(byKeyboard) {
    if (Boolean(this.probed?.byKeyboard) === byKeyboard) this.#probe(null);
  }

  /** @param {Probed | null} point */
  #probe(point) {
    for (const viewer of this.linked) viewer.#showProbe(point);
  }

  /**
   * Say what is at a point.
   *
   * @param {Probed | null} point
   */
  #showProbe(point) {
    if (!this.shown) return;
    if (this.probed?.byKeyboard !== point?.byKeyboard) this.#schedule();
    this.probed = point;
    if (!point) {
      this.readout.hide();
      return;
    }
    const found = this.shown.inspection.describe(point.x, point.y, this.choices.threshold);
    const text = found ?? "Not seen: outside what the network was shown.";
    const stage = this.stage.measure();
    this.readout.say(text, this.stage.viewport.toStage(point.x, point.y), stage);
  }
}
