// The area of each class over the last 30 seconds.

import { context2d } from "./dom.js";
import { cssColour } from "./style.js";

/** @import { AreaRow, Colour } from "./types.js" */

const SPAN_MS = 30_000;

export class Chart {
  /** @param {HTMLCanvasElement} canvas */
  constructor(canvas) {
    this.canvas = canvas;
    /** @type {{at: number, areas: Map<number, number>}[]} areas by class id, oldest first. */
    this.points = [];
  }

  clear() {
    this.points = [];
  }

  /**
   * @param {number} at time of performance.now().
   * @param {AreaRow[]} areas as fractions of the frame.
   */
  add(at, areas) {
    this.points.push({ at, areas: new Map(areas) });
    while (at - this.points[0].at > SPAN_MS) this.points.shift();
  }

  /** @param {Colour[]} palette the colour of each class. */
  draw(palette) {
    const { canvas, points } = this;
    const density = window.devicePixelRatio || 1;
    canvas.width = canvas.clientWidth * density; // setting the size also clears the canvas
    canvas.height = canvas.clientHeight * density;
    if (!points.length) return;
    const context = context2d(canvas);
    const text = getComputedStyle(canvas).color;
    const now = points[points.length - 1].at;
    const ids = new Set(points.flatMap(({ areas }) => [...areas.keys()]).filter((id) => id));
    for (const id of ids) {
      context.beginPath();
      for (const { at, areas } of points) {
        const x = canvas.width * (1 - (now - at) / SPAN_MS);
        context.lineTo(x, (canvas.height - 4) * (1 - (areas.get(id) ?? 0)) + 2);
      }
      stroke(context, text, 4 * density); // a line of any colour stands out from the page
      stroke(context, cssColour(palette[id]), 2 * density);
    }
  }
}

/**
 * @param {CanvasRenderingContext2D} context
 * @param {string} colour
 * @param {number} width
 */
function stroke(context, colour, width) {
  context.strokeStyle = colour;
  context.lineWidth = width;
  context.stroke();
}
