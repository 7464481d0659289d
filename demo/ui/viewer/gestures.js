// Turns what a visitor does on the stage with pointers, wheel and keys into actions on the image.

/**
 * A point of the stage, in CSS pixels.
 *
 * @typedef {{x: number, y: number}} Point
 */

/**
 * What gestures can ask for.
 *
 * @typedef {object} Actions
 * @property {() => {left: number, top: number}} measure measures the stage, which may have changed,
 *     and returns where it lies on the screen.
 * @property {(point: Point) => void} probe names the class at a point.
 * @property {() => void} leave the mouse has left the stage.
 * @property {(right: number, down: number) => void} moveProbe moves the probed point by so many
 *     strides.
 * @property {(x: number, y: number) => void} pan moves the image.
 * @property {(factor: number, about: Point) => void} zoom
 * @property {(direction: "in" | "out" | "reset", about?: Point) => void} zoomStep
 * @property {(x: number) => void} moveDivider moves the divider between before and after.
 */

/** @type {Record<string, [right: number, down: number]>} */
const STRIDES = {
  ArrowLeft: [-1, 0],
  ArrowRight: [1, 0],
  ArrowUp: [0, -1],
  ArrowDown: [0, 1],
};

/** @type {Record<string, "in" | "out" | "reset">} */
const ZOOMS = { "+": "in", "=": "in", "-": "out", 0: "reset" };

const WHEEL_DOUBLES = 200; // the image is twice as large after so many pixels of the wheel

export class Gestures {
  /** @type {Map<number, Point>} the pointers that are down, by their ids. */
  #touches = new Map();

  /** @type {number | null} id of the pointer that moves the divider. */
  #splitting = null;

  /**
   * @param {HTMLElement} stage
   * @param {HTMLElement} divider
   * @param {Actions} actions
   */
  constructor(stage, divider, actions) {
    this.actions = actions;
    stage.addEventListener("pointerdown", (event) => {
      if (event.button) return;
      stage.setPointerCapture(event.pointerId);
      if (event.target === divider) this.#splitting = event.pointerId;
      else this.#press(event);
    });
    stage.addEventListener("pointermove", (event) => this.#move(event));
    const ends = /** @type {const} */ (["pointerup", "pointercancel", "lostpointercapture"]);
    for (const type of ends) {
      stage.addEventListener(type, ({ pointerId }) => {
        this.#touches.delete(pointerId);
        if (pointerId === this.#splitting) this.#splitting = null;
      });
    }
    stage.addEventListener("pointerleave", ({ pointerType }) => {
      if (pointerType === "mouse") actions.leave();
    });
    stage.addEventListener("dblclick", (event) => actions.zoomStep("in", this.#at(event)));
    stage.addEventListener("wheel", (event) => this.#wheel(event), { passive: false });
    stage.addEventListener("keydown", (event) => this.#key(event));
  }

  /**
   * @param {MouseEvent} event
   * @returns {Point}
   */
  #at(event) {
    const box = this.actions.measure();
    return { x: event.clientX - box.left, y: event.clientY - box.top };
  }

  /** @param {PointerEvent} event */
  #press(event) {
    const at = this.#at(event);
    this.#touches.set(event.pointerId, at);
    this.actions.probe(at);
  }

  /** @param {PointerEvent} event */
  #move(event) {
    const now = this.#at(event);
    if (event.pointerId === this.#splitting) {
      this.actions.moveDivider(now.x);
      return;
    }
    const before = this.#touches.get(event.pointerId);
    if (before) this.#drag(event.pointerId, before, now);
    if (this.#touches.size < 2) this.actions.probe(now);
  }

  /**
   * One pointer pans. Two zoom about the point midway between them, and pan with that point.
   *
   * @param {number} id of the pointer that moves.
   * @param {Point} before
   * @param {Point} now
   */
  #drag(id, before, now) {
    const other = [...this.#touches].find(([key]) => key !== id)?.[1];
    if (other) this.actions.zoom(pinchFactor(before, now, other), midway(before, other));
    const fraction = other ? 0.5 : 1; // the midway point goes half as far as one finger
    this.actions.pan((now.x - before.x) * fraction, (now.y - before.y) * fraction);
    this.#touches.set(id, now);
  }

  /**
   * Zoom when Ctrl is held, and on a pinch on a touchpad, which browsers report as a wheel with
   * Ctrl. A plain wheel scrolls the page.
   *
   * @param {WheelEvent} event
   */
  #wheel(event) {
    if (!event.ctrlKey && !event.metaKey) return;
    event.preventDefault();
    this.actions.zoom(2 ** (-event.deltaY / WHEEL_DOUBLES), this.#at(event));
  }

  /** @param {KeyboardEvent} event */
  #key(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const stride = STRIDES[event.key];
    const zoom = ZOOMS[event.key];
    if (stride) this.actions.moveProbe(...stride);
    else if (zoom) this.actions.zoomStep(zoom);
    else return;
    event.preventDefault();
  }
}

/**
 * By how much the distance between two fingers grows when one of them moves.
 *
 * @param {Point} before
 * @param {Point} now
 * @param {Point} other the finger that stays.
 */
function pinchFactor(before, now, other) {
  return distance(now, other) / Math.max(distance(before, other), 1);
}

/**
 * @param {Point} one
 * @param {Point} other
 */
function distance(one, other) {
  return Math.hypot(one.x - other.x, one.y - other.y);
}

/**
 * @param {Point} one
 * @param {Point} other
 */
function midway(one, other) {
  return { x: (one.x + other.x) / 2, y: (one.y + other.y) / 2 };
}
