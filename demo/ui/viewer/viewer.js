// The viewer of one result: everything in it works on the logits, in the browser.

import { SureAreas } from "./sure_areas.js";
import { Viewport } from "./viewport.js";
import { Field } from "./field.js";
import { placeLabels } from "./labels.js";
import { isolateClass, renderLegend, renderTable, toggleClass } from "./legend.js";
import { Painter2D } from "./paint2d.js";
import { providePainter, releasePainter } from "./painter.js";
import { buildStyle, CONFIDENCE_STOPS } from "./style.js";

const MOST_PIXELS_2D = 1_000_000; // on a larger canvas, typed arrays would be felt
const ZOOM_STEP = 1.5;

/** What a visitor can choose; it stays when another image comes. */
const DEFAULTS = {
  view: "overlay",
  opacity: 0.6,
  threshold: 0,
  split: 0,
  outlines: false,
  labels: true,
  safe: false,
};

/** Called by js_on_load of the gr.HTML component. */
export function mount(element, props, watch) {
  const viewer = new Viewer(element.querySelector(".viewer"), props.classes);
  watch("value", () => viewer.show(props.value));
  if (props.value) viewer.show(props.value);
}

export class Viewer {
  /**
   * @param {HTMLElement} root holds viewer.html.
   * @param {{name: string, voc: number[], safe: number[]}[]} classes by class id.
   * @param {{software?: boolean, hasConfidence?: boolean}} options software: never use WebGL2;
   *     hasConfidence: false for a field that knows none.
   */
  constructor(root, classes, { software = false, hasConfidence = true } = {}) {
    this.root = root;
    this.hasConfidence = hasConfidence;
    this.classes = classes;
    this.linked = [this]; // all that share its state and camera
    this.state = { ...DEFAULTS, hidden: new Set() };
    this.viewport = new Viewport();
    this.result = null;
    this.probed = null;
    this.stage = root.querySelector(".stage");
    this.photo = root.querySelector(".photo");
    this.pointer = root.querySelector(".pointer");
    this.divider = root.querySelector(".divider");
    this.readout = root.querySelector(".readout");
    this.split = root.querySelector("[name=split]");
    providePainter(
      () => this.#createCanvas(),
      (painter) => this.#paintWith(painter),
      software,
    );
    this.#listenToControls();
    this.#listenToStage();
    this.resizes = new ResizeObserver(() => this.#redraw());
    this.resizes.observe(this.stage);
  }

  /** Give back what the browser holds for a viewer that is taken off the page. */
  dispose() {
    this.resizes.disconnect();
    releasePainter(this.painter);
  }

  /** Let viewers of the same image zoom, point and choose together. */
  static link(viewers) {
    for (const viewer of viewers) {
      viewer.state = viewers[0].state;
      viewer.viewport = viewers[0].viewport;
      viewer.linked = viewers;
      viewer.split = viewers[0].split;
    }
    viewers[0].#showChoices();
  }

  /**
   * Show a result, or nothing if it is null.
   *
   * @param {object | null} result see viewer_value in demo/ui/payload.py.
   * @param {Field} field what to paint and probe; by default, the result's logits.
   */
  show(result, field = result && new Field(result)) {
    this.result = result;
    this.root.querySelector(".empty").hidden = Boolean(result);
    this.root.querySelector(".shown").hidden = !result;
    if (!result) return;
    this.field = field;
    this.areas = new SureAreas(this.field, result.areas);
    this.labels = placeLabels(this.field);
    this.painter.setField(this.field);
    this.photo.src = result.photo;
    this.photo.alt = result.description;
    const label = this.stage.getAttribute("aria-label");
    this.stage.setAttribute("aria-label", label.replace(/^[^.]*/, result.label ?? "Result"));
    this.stage.style.setProperty("--ratio", `${result.width} / ${result.height}`);
    this.viewport.show(result);
    this.#showProbe(this.linked.find((other) => other !== this && other.probed)?.probed ?? null);
    this.#renderAreas();
    this.#redraw();
  }

  get palette() {
    return this.classes.map((each) => (this.state.safe ? each.safe : each.voc));
  }

  #createCanvas() {
    this.canvas?.remove();
    this.canvas = document.createElement("canvas");
    this.canvas.className = "paint";
    this.photo.after(this.canvas);
    return this.canvas;
  }

  #paintWith(painter) {
    this.painter = painter;
    if (!this.field) return;
    painter.setField(this.field);
    this.#redraw();
  }

  #redraw() {
    for (const viewer of this.linked) viewer.#schedule();
  }

  /** Lay out and paint before the next frame. */
  #schedule() {
    if (!this.result || this.pending) return;
    this.pending = requestAnimationFrame(() => {
      this.pending = 0;
      this.#layOut();
      this.#paint();
    });
  }

  #layOut() {
    const { viewport, stage, state } = this;
    if (!this.#measureStage().width) return;
    const { offset, scale, visible } = viewport;
    place(this.photo, offset.x, offset.y, this.result.width * scale, this.result.height * scale);
    place(this.canvas, visible.left, visible.top, visible.width, visible.height);
    const split = Math.max(0, state.split * viewport.stage.width - visible.left);
    this.canvas.style.clipPath = split ? `inset(0 0 0 ${split}px)` : "";
    const isSplit = state.split > 0 && state.split < 1;
    this.divider.hidden = !isSplit || state.view === "original";
    this.divider.style.left = `${state.split * 100}%`;
    stage.classList.toggle("zoomed", viewport.zoom > 1);
    this.#layOutLabels();
    this.pointer.hidden = !this.probed?.byKeyboard;
    if (!this.pointer.hidden) move(this.pointer, viewport.toStage(this.probed.x, this.probed.y));
  }

  /** The camera may be shared with viewers of other sizes. */
  #measureStage() {
    const box = this.stage.getBoundingClientRect(); // clientWidth would be rounded
    this.viewport.stage = { width: box.width, height: box.height };
    return box;
  }

  #layOutLabels() {
    const { viewport, state, palette } = this;
    const { width, height } = viewport.stage;
    const wanted = state.labels && !["original", "confidence"].includes(state.view);
    const places = (wanted ? this.labels : [])
      .filter(({ id }) => !state.hidden.has(id))
      .map(({ id, x, y }) => ({ id, at: viewport.toStage(x, y) }))
      .filter(({ at }) => at.x >= state.split * width && at.x <= width && at.y >= 0 && at.y <= height);
    const spans = places.map(({ id }) => {
      const span = document.createElement("span");
      span.textContent = this.classes[id].name;
      span.style.borderColor = `rgb(${palette[id].join(",")})`;
      return span;
    });
    this.root.querySelector(".labels").replaceChildren(...spans);
    const sizes = spans.map((span) => [span.offsetWidth / 2, span.offsetHeight / 2]);
    spans.forEach((span, i) => {
      const { at } = places[i];
      const [x, y] = sizes[i]; // a name near an edge is shown whole
      move(span, { x: clamp(at.x, x, width - x), y: clamp(at.y, y, height - y) });
    });
  }

  #paint() {
    const { viewport, canvas, state } = this;
    canvas.hidden = state.view === "original" || !viewport.stage.width;
    if (canvas.hidden) return;
    const { offset, scale, visible } = viewport;
    let density = window.devicePixelRatio || 1;
    if (this.painter instanceof Painter2D) {
      const most = Math.sqrt(MOST_PIXELS_2D / (visible.width * visible.height));
      density = Math.min(density, most);
    }
    const outlineWidth = Math.max(1, Math.round(density)); // about a CSS pixel
    const width = Math.max(1, Math.round(visible.width * density));
    const height = Math.max(1, Math.round(visible.height * density));
    if (canvas.width !== width || canvas.height !== height) Object.assign(canvas, { width, height });
    const view = {
      left: (visible.left - offset.x) / scale,
      top: (visible.top - offset.y) / scale,
      stepX: visible.width / scale / width,
      stepY: visible.height / scale / height,
    };
    const shown = this.hasConfidence ? state : { ...state, view: "overlay", threshold: 0 };
    this.painter.paint(view, buildStyle(shown, this.palette, outlineWidth));
  }

  #renderAllAreas() {
    for (const viewer of this.linked) if (viewer.result) viewer.#renderAreas();
  }

  #renderAreas() {
    const { result, state, palette } = this;
    const { rows, unsure } = this.areas.above(state.threshold);
    const shown = {
      rows,
      unsure,
      notSeen: result.not_seen,
      seen: result.width * result.height - result.not_seen,
      width: result.width,
      height: result.height,
      names: this.classes.map((each) => each.name),
      hidden: state.hidden,
      palette,
    };
    renderLegend(this.root.querySelector(".legend"), shown, {
      toggle: (id) => this.#toggle(id),
      isolate: (id) => this.#isolate(id),
    });
    renderTable(this.root.querySelector(".areas"), shown);
  }

  #toggle(id) {
    toggleClass(this.state.hidden, id);
    this.#renderAllAreas();
    this.#redraw();
  }

  #isolate(id) {
    const present = this.linked.flatMap(({ result }) => result?.areas ?? []);
    isolateClass(this.state.hidden, id, present.map(([other]) => other));
    this.#renderAllAreas();
    this.#redraw();
  }

  #listenToControls() {
    const { root } = this;
    const group = `view-${Math.random().toString(36).slice(2)}`;
    for (const radio of root.querySelectorAll(".views input")) {
      radio.name = group;
      radio.addEventListener("change", () => this.#set("view", radio.value));
    }
    const stops = CONFIDENCE_STOPS.map((stop) => `rgb(${stop.join(",")})`).join(",");
    root.querySelector(".scale i").style.background = `linear-gradient(to right, ${stops})`;
    this.inputs = root.querySelectorAll(".controls input");
    for (const input of this.inputs) {
      const isSlider = input.type === "range";
      const show = () => {
        if (isSlider) input.closest("label").querySelector(".value").textContent = percent(this.state[input.name]);
      };
      if (isSlider) input.value = this.state[input.name];
      else input.checked = this.state[input.name];
      show();
      input.addEventListener("input", () => {
        this.#set(input.name, isSlider ? Number(input.value) : input.checked);
        show();
      });
    }
    for (const button of root.querySelectorAll("[data-zoom]")) {
      button.addEventListener("click", () => this.#zoom(button.dataset.zoom));
    }
    this.fullScreen = root.querySelector(".fullscreen");
    this.fullScreen.addEventListener("click", () => this.#toggleFullScreen());
    root.addEventListener("fullscreenchange", () => this.#showFullScreen());
    root.addEventListener("keydown", ({ key }) => key === "Escape" && this.#cover(false));
  }

  #set(name, value) {
    this.state[name] = value;
    this.#showChoices();
    if (!this.result) return;
    if (name === "threshold" || name === "safe") this.#renderAllAreas();
    if (name === "threshold") this.#probe(this.probed);
    this.#redraw();
  }

  /** The confidence view has a scale; controls that do nothing in a view are off. */
  #showChoices() {
    const { view } = this.state;
    for (const viewer of this.linked) {
      viewer.root.querySelector(".scale").hidden = view !== "confidence";
    }
    for (const input of this.inputs) {
      const isOff =
        view === "original" ||
        (view === "confidence" && input.name !== "split") ||
        (view === "map" && input.name === "opacity");
      input.disabled = isOff;
    }
  }

  #zoom(direction, x, y) {
    this.#measureStage();
    if (direction === "reset") this.viewport.reset();
    else this.viewport.zoomAt(direction === "in" ? ZOOM_STEP : 1 / ZOOM_STEP, x, y);
    this.#redraw();
  }

  /** Where full screen is not to be had (iPhones, frames), the viewer covers the page instead. */
  #toggleFullScreen() {
    if (document.fullscreenElement) document.exitFullscreen();
    else if (document.fullscreenEnabled) this.root.requestFullscreen().catch(() => this.#cover());
    else this.#cover();
  }

  #cover(isCovering) {
    this.root.classList.toggle("covering", isCovering);
    this.#showFullScreen();
  }

  #showFullScreen() {
    const isFull = this.root.matches(":fullscreen, .covering");
    this.fullScreen.setAttribute("aria-pressed", String(isFull));
  }

  #listenToStage() {
    const { stage } = this;
    const touches = new Map();
    const at = (event) => {
      const box = this.#measureStage();
      return { x: event.clientX - box.left, y: event.clientY - box.top };
    };
    let splitting = null; // the pointer that moves the divider
    stage.addEventListener("pointerdown", (event) => {
      if (event.button) return;
      stage.setPointerCapture(event.pointerId);
      if (event.target === this.divider) {
        splitting = event.pointerId;
        return;
      }
      touches.set(event.pointerId, at(event));
      this.#probeStage(at(event));
    });
    stage.addEventListener("pointermove", (event) => {
      const now = at(event);
      if (event.pointerId === splitting) {
        this.#splitAt(now.x);
        return;
      }
      if (touches.has(event.pointerId)) this.#drag(touches, event.pointerId, now);
      if (touches.size < 2) this.#probeStage(now);
    });
    for (const type of ["pointerup", "pointercancel", "lostpointercapture"]) {
      stage.addEventListener(type, ({ pointerId }) => {
        touches.delete(pointerId);
        if (pointerId === splitting) splitting = null;
      });
    }
    stage.addEventListener("focus", () => this.readout.setAttribute("aria-live", "polite"));
    stage.addEventListener("pointerleave", (event) => {
      if (event.pointerType === "mouse" && !this.probed?.byKeyboard) this.#probe(null);
    });
    stage.addEventListener("dblclick", (event) => this.#zoom("in", at(event).x, at(event).y));
    stage.addEventListener("wheel", (event) => this.#wheel(event, at(event)), { passive: false });
    stage.addEventListener("keydown", (event) => this.#key(event));
    stage.addEventListener("blur", () => {
      this.readout.removeAttribute("aria-live");
      if (this.probed?.byKeyboard) this.#probe(null);
    });
  }

  #splitAt(x) {
    this.split.value = x / this.viewport.stage.width;
    this.split.dispatchEvent(new Event("input"));
  }

  /** One pointer pans; two zoom about their middle, and pan with it. */
  #drag(touches, id, now) {
    const before = touches.get(id);
    const other = [...touches].find(([key]) => key !== id)?.[1];
    if (other) {
      const apart = (point) => Math.hypot(point.x - other.x, point.y - other.y);
      const middle = { x: (before.x + other.x) / 2, y: (before.y + other.y) / 2 };
      this.viewport.zoomAt(apart(now) / Math.max(apart(before), 1), middle.x, middle.y);
    }
    const share = other ? 0.5 : 1; // of a finger's way that the middle of all goes
    this.viewport.panBy((now.x - before.x) * share, (now.y - before.y) * share);
    touches.set(id, now);
    this.#redraw();
  }

  /** With Ctrl or a pinch on a touchpad; a plain wheel goes on scrolling the page. */
  #wheel(event, { x, y }) {
    if (!event.ctrlKey && !event.metaKey) return;
    event.preventDefault();
    this.viewport.zoomAt(2 ** (-event.deltaY / 200), x, y);
    this.#redraw();
  }

  #key(event) {
    const steps = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
    const zooms = { "+": "in", "=": "in", "-": "out", 0: "reset" };
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    this.#measureStage();
    if (steps[event.key]) this.#step(...steps[event.key]);
    else if (zooms[event.key]) this.#zoom(zooms[event.key]);
    else return;
    event.preventDefault();
  }

  #step(right, down) {
    const { width, height } = this.result;
    const stride = 8 / this.viewport.scale;
    const from = this.probed ?? { x: width / 2, y: height / 2 };
    const within = (value, most) => clamp(value, 0.5, most - 0.5);
    const [x, y] = [within(from.x + right * stride, width), within(from.y + down * stride, height)];
    this.viewport.bringIn(x, y);
    this.#probe({ x, y, byKeyboard: true });
    this.#redraw();
  }

  #probeStage(at) {
    const { x, y } = this.viewport.toImage(at.x, at.y);
    const inside = x >= 0 && y >= 0 && x < this.result.width && y < this.result.height;
    this.#probe(inside ? { x, y, byKeyboard: false } : null);
  }

  #probe(point) {
    for (const viewer of this.linked) if (viewer.result) viewer.#showProbe(point);
  }

  /** Say what is at a point. */
  #showProbe(point) {
    if (this.probed?.byKeyboard !== point?.byKeyboard) this.#schedule();
    this.probed = point;
    this.readout.textContent = point
      ? this.#describe(point)
      : "Point at the image to see the class and its confidence.";
  }

  #describe({ x, y }) {
    const found = this.field.probe(x, y);
    if (typeof found === "string") return found;
    if (!found) return "Not seen: outside what the network was shown.";
    const name = ({ id, confidence }) => `${this.classes[id].name} ${percent(confidence)}`;
    const { winner, runnerUp } = found;
    const unsure = winner.confidence < this.state.threshold ? "unsure: " : "";
    const where = `column ${Math.floor(x)}, row ${Math.floor(y)}`;
    return `${unsure}${name(winner)}, then ${name(runnerUp)} (${where})`;
  }
}

const percent = (share) => `${(share * 100).toFixed(share > 0.99 && share < 1 ? 1 : 0)} %`;

const clamp = (value, least, most) => Math.max(least, Math.min(value, most));

function place(element, left, top, width, height) {
  const sizes = { left, top, width, height };
  for (const [name, value] of Object.entries(sizes)) element.style[name] = `${value}px`;
}

function move(element, { x, y }) {
  element.style.left = `${x}px`;
  element.style.top = `${y}px`;
}
