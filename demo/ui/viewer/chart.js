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
    const context = canvas.getContext("2d");
    context.clearRect(0, 0, canvas.width, canvas.height);
    if (!points.length) return;
    const now = points[points.length - 1].at;
    const ids = new Set(points.flatMap(({ areas }) => [...areas.keys()]).filter((id) => id));
    for (const id of ids) {
      context.beginPath();
      for (const { at, areas } of points) {
        const x = canvas.width * (1 - (now - at) / SPAN_MS);
        context.lineTo(x, (canvas.height - 2) * (1 - (areas.get(id) ?? 0)) + 1);
      }
      context.strokeStyle = `rgb(${palette[id].join(",")})`;
      context.lineWidth = 2;
      context.stroke();
    }
  }
}
