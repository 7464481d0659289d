// The area of each class over the last 30 seconds.

const SPAN_MS = 30_000;

export class Chart {
  /** @param {HTMLCanvasElement} canvas */
  constructor(canvas) {
    this.canvas = canvas;
    this.points = []; // {at, areas: Map(id -> share)}
  }

  clear() {
    this.points = [];
  }

  /** @param {number} at of performance.now @param {number[][]} areas [class id, share]. */
  add(at, areas) {
    this.points.push({ at, areas: new Map(areas) });
    while (at - this.points[0].at > SPAN_MS) this.points.shift();
  }

  draw(palette) {
    const { canvas, points } = this;
    const density = window.devicePixelRatio || 1;
    canvas.width = canvas.clientWidth * density; // which also clears it
    canvas.height = canvas.clientHeight * density;
    const context = canvas.getContext("2d");
    const text = getComputedStyle(canvas).color;
    if (!points.length) return;
    const now = points[points.length - 1].at;
    const ids = new Set(points.flatMap(({ areas }) => [...areas.keys()]).filter((id) => id));
    for (const id of ids) {
      context.beginPath();
      for (const { at, areas } of points) {
        const x = canvas.width * (1 - (now - at) / SPAN_MS);
        context.lineTo(x, (canvas.height - 4) * (1 - (areas.get(id) ?? 0)) + 2);
      }
      const strokes = [
        [text, 4], // around a colour that may be hard to tell from the page
        [`rgb(${palette[id].join(",")})`, 2],
      ];
      for (const [colour, width] of strokes) {
        context.strokeStyle = colour;
        context.lineWidth = width * density;
        context.stroke();
      }
    }
  }
}
