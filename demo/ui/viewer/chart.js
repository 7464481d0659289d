// The area of each class over the last 30 seconds, with a scale and a name at each line.

import { legibleOn, roundTop, spread } from "./chart_scale.js";
import { context2d } from "./dom.js";
import { percent } from "./percent.js";
import { cssColour } from "./style.js";

/** @import { AreaRow, ClassInfo, Colour } from "./types.js" */

const SPAN_MS = 30_000;
const TIMES = [30, 20, 10, 0]; // seconds ago, from the left
const FONT_PX = 12;
const LINE_PX = 15; // from the name of one class to the next
const EDGE_PX = 9; // above and below the plot, so that the ends of the scale are whole
const BELOW_PX = 20; // for the times
const GAP_PX = 8; // between the plot and what is written beside it
const DOT_PX = 4;

/**
 * Where the chart is drawn, in CSS pixels of the canvas.
 *
 * @typedef {{left: number, right: number, top: number, bottom: number}} Plot
 *
 * @typedef {{id: number, name: string, colour: string, swatch: string, y: number}} Line
 */

export class Chart {
  /**
   * @param {HTMLCanvasElement} canvas
   * @param {ClassInfo[]} classes
   */
  constructor(canvas, classes) {
    this.canvas = canvas;
    this.classes = classes;
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
    const { canvas, classes, points } = this;
    const look = getComputedStyle(canvas);
    const context = this.#begin(look);
    const ids = [...new Set(points.flatMap(({ areas }) => [...areas.keys()]))].filter(Boolean);
    const top = roundTop(this.#largest(ids));
    const names = ids.map((id) => context.measureText(classes[id].name).width);
    const plot = {
      left: context.measureText("100 %").width + GAP_PX,
      right: canvas.clientWidth - Math.max(GAP_PX, ...names) - 2 * GAP_PX,
      top: EDGE_PX,
      bottom: canvas.clientHeight - BELOW_PX,
    };
    drawScale(context, plot, top, look);
    if (!ids.length) writeNothing(context, plot);
    const background = parseColour(look.backgroundColor);
    const lines = ids.map((id) => ({
      id,
      name: classes[id].name,
      colour: cssColour(legibleOn(palette[id], background)),
      swatch: cssColour(palette[id]),
      y: heightOf(points.at(-1)?.areas.get(id) ?? 0, plot, top),
    }));
    for (const line of lines) this.#drawLine(context, plot, top, line);
    nameLines(context, plot, lines);
  }

  /**
   * Clear the canvas, and give it the resolution of the screen.
   *
   * @param {CSSStyleDeclaration} look
   */
  #begin(look) {
    const { canvas } = this;
    const density = window.devicePixelRatio || 1;
    canvas.width = Math.round(canvas.clientWidth * density); // this also clears the canvas
    canvas.height = Math.round(canvas.clientHeight * density);
    const context = context2d(canvas);
    context.scale(density, density);
    context.font = `${FONT_PX}px ${look.fontFamily}`;
    context.textBaseline = "middle";
    return context;
  }

  /** @param {number[]} ids of the classes that are drawn. */
  #largest(ids) {
    let largest = 0;
    for (const { areas } of this.points) {
      for (const id of ids) largest = Math.max(largest, areas.get(id) ?? 0);
    }
    return largest;
  }

  /**
   * @param {CanvasRenderingContext2D} context
   * @param {Plot} plot
   * @param {number} top of the scale.
   * @param {Line} line
   */
  #drawLine(context, plot, top, { id, colour }) {
    const now = this.points[this.points.length - 1].at;
    context.beginPath();
    for (const { at, areas } of this.points) {
      const x = plot.right - ((now - at) / SPAN_MS) * (plot.right - plot.left);
      context.lineTo(x, heightOf(areas.get(id) ?? 0, plot, top));
    }
    context.strokeStyle = colour;
    context.lineWidth = 2;
    context.lineJoin = "round";
    context.stroke();
  }
}

/**
 * @param {number} fraction
 * @param {Plot} plot
 * @param {number} top of the scale.
 */
function heightOf(fraction, plot, top) {
  return plot.bottom - (fraction / top) * (plot.bottom - plot.top);
}

/**
 * @param {CanvasRenderingContext2D} context
 * @param {Plot} plot
 * @param {number} top of the scale.
 * @param {CSSStyleDeclaration} look of the canvas: its text and border give the colours.
 */
function drawScale(context, plot, top, look) {
  context.fillStyle = look.color;
  context.strokeStyle = look.borderTopColor;
  context.lineWidth = 1;
  context.textAlign = "right";
  for (const fraction of [0, top / 2, top]) {
    const y = Math.round(heightOf(fraction, plot, top)) + 0.5;
    context.beginPath();
    context.moveTo(plot.left, y);
    context.lineTo(plot.right, y);
    context.stroke();
    const digits = Number.isInteger(Math.round(fraction * 1000) / 10) ? 0 : 1;
    context.fillText(fraction ? percent(fraction, digits) : "0", plot.left - GAP_PX, y);
  }
  context.textAlign = "center";
  for (const seconds of TIMES) {
    const x = plot.right - (seconds / TIMES[0]) * (plot.right - plot.left);
    context.fillText(seconds ? `−${seconds} s` : "now", x, plot.bottom + BELOW_PX - FONT_PX / 2);
  }
}

/**
 * @param {CanvasRenderingContext2D} context
 * @param {Plot} plot
 */
function writeNothing(context, { left, right, top, bottom }) {
  context.textAlign = "center";
  context.fillText("Only background so far", (left + right) / 2, (top + 3 * bottom) / 4);
}

/**
 * Write the name of each class at the end of its line, with a dot of the class's colour.
 *
 * @param {CanvasRenderingContext2D} context
 * @param {Plot} plot
 * @param {Line[]} lines
 */
function nameLines(context, plot, lines) {
  const sorted = lines.toSorted((one, other) => one.y - other.y);
  const room = Math.floor((plot.bottom - plot.top) / LINE_PX) + 1;
  const named = sorted.slice(0, room);
  const places = spread(named.map(({ y }) => y), LINE_PX, plot.top, plot.bottom);
  context.textAlign = "left";
  named.forEach(({ name, colour, swatch, y }, i) => {
    context.beginPath();
    context.arc(plot.right, y, DOT_PX, 0, 2 * Math.PI);
    context.fillStyle = swatch;
    context.strokeStyle = colour;
    context.lineWidth = 1.5;
    context.fill();
    context.stroke();
    context.fillStyle = colour;
    context.fillText(name, plot.right + DOT_PX + GAP_PX, places[i]);
  });
}

/**
 * @param {string} text as getComputedStyle() gives it: rgb(r, g, b).
 * @returns {Colour}
 */
function parseColour(text) {
  const [red = 255, green = 255, blue = 255] = (text.match(/[\d.]+/g) ?? []).map(Number);
  return [red, green, blue];
}
