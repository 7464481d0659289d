// The read-out of the live view: it names the class at the pointer, of the newest result.

import { find, move } from "./dom.js";
import { cssColour } from "./style.js";
import { clamp } from "./viewport.js";

/** @import { LiveOverlay } from "./live_overlay.js" */
/** @import { ClassInfo } from "./types.js" */

const STRIDE = 0.05; // of the picture, for each press of an arrow key
const ABOVE_PX = 14; // between the pointer and the read-out
const ABOVE_FINGER_PX = 44;

/** @type {Record<string, [across: number, down: number]>} */
const STRIDES = {
  ArrowLeft: [-STRIDE, 0],
  ArrowRight: [STRIDE, 0],
  ArrowUp: [0, -STRIDE],
  ArrowDown: [0, STRIDE],
};

/**
 * A point of the stage, as fractions of its width and height.
 *
 * @typedef {{x: number, y: number, by: "mouse" | "touch" | "keyboard"}} Pointed
 */

export class LivePointer {
  /**
   * @param {HTMLElement} root holds live.html.
   * @param {ClassInfo[]} classes
   * @param {LiveOverlay} overlay is asked for the class.
   */
  constructor(root, classes, overlay) {
    this.classes = classes;
    this.overlay = overlay;
    this.stage = find(root, ".stage", HTMLElement);
    this.tag = find(root, ".tag", HTMLElement);
    this.swatch = find(root, ".tag i", HTMLElement);
    this.name = find(root, ".tag span", HTMLElement);
    this.spot = find(root, ".spot", HTMLElement);
    this.spoken = find(root, ".spoken", HTMLElement);
    /** @type {Pointed | null} */
    this.at = null;
    this.isToSpeak = false; // a key has moved the point, and its class was not said yet
    this.#listen();
  }

  #listen() {
    const { stage } = this;
    for (const type of /** @type {const} */ (["pointerdown", "pointermove"])) {
      stage.addEventListener(type, (event) => this.#point(event));
    }
    stage.addEventListener("pointerleave", ({ pointerType }) => {
      if (pointerType !== "touch") this.clear(); // a finger leaves its mark where it tapped
    });
    document.addEventListener("pointerdown", ({ target }) => {
      if (target instanceof Node && !stage.contains(target)) this.clear();
    });
    stage.addEventListener("keydown", (event) => this.#key(event));
    stage.addEventListener("blur", () => this.clear());
  }

  /** @param {PointerEvent} event */
  #point({ clientX, clientY, pointerType }) {
    const box = this.stage.getBoundingClientRect();
    const [x, y] = [(clientX - box.left) / box.width, (clientY - box.top) / box.height];
    this.at = { x, y, by: pointerType === "touch" ? "touch" : "mouse" };
    this.render();
  }

  /** @param {KeyboardEvent} event */
  #key(event) {
    const stride = STRIDES[event.key];
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === "Escape") this.clear();
    if (!stride) return;
    event.preventDefault();
    const { x, y } = this.at ?? { x: 0.5 - stride[0], y: 0.5 - stride[1] };
    const within = (/** @type {number} */ along) => clamp(along, STRIDE / 2, 1 - STRIDE / 2);
    this.at = { x: within(x + stride[0]), y: within(y + stride[1]), by: "keyboard" };
    this.isToSpeak = true;
    this.render();
  }

  /** Take the read-out away. */
  clear() {
    this.at = null;
    this.isToSpeak = false;
    this.spoken.textContent = "";
    this.render();
  }

  /** Name what the newest result says about the point, in its place. */
  render() {
    const { at, classes, overlay, spot, stage, tag } = this;
    const id = at && overlay.classAt(overlay.mirror(at.x), at.y);
    tag.hidden = id === null;
    spot.hidden = id === null || at?.by === "mouse";
    if (!at || id === null) return;
    if (this.name.textContent !== classes[id].name) this.name.textContent = classes[id].name;
    if (this.isToSpeak) this.spoken.textContent = classes[id].name;
    this.isToSpeak = false;
    this.swatch.style.background = cssColour(overlay.palette[id]);
    const [width, height] = [stage.clientWidth, stage.clientHeight];
    const point = { x: at.x * width, y: at.y * height };
    const above = at.by === "touch" ? ABOVE_FINGER_PX : ABOVE_PX;
    const half = tag.offsetWidth / 2;
    const isBelow = point.y < above + tag.offsetHeight;
    const y = isBelow ? point.y + above : point.y - above - tag.offsetHeight;
    move(spot, point);
    move(tag, { x: clamp(point.x, half, width - half), y });
  }
}
