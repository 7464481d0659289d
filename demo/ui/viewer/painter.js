// Chooses the painter for this browser: WebGL2 on a GPU, and otherwise typed arrays, because these
// are faster than WebGL2 that is emulated by the CPU.

import { Painter2D } from "./paint2d.js";
import { isHardware, PainterGL } from "./paintgl.js";

/** @import { ClassField } from "./field.js" */
/** @import { Sampling } from "./sampling.js" */
/** @import { Style } from "./style.js" */

/**
 * What paints a field on its canvas: each pixel in the style of its place in the image. PainterGL
 * needs the logits, so whoever paints a ClassField that is not a Field must ask for software.
 *
 * @typedef {{canvas: HTMLCanvasElement, setField(field: ClassField): void,
 *     paint(sampling: Sampling, style: Style): void}} Painter
 */

/** @type {boolean | null} */
let hasGpu = null;

/** @type {WeakSet<WebGL2RenderingContext>} */
const released = new WeakSet();

/**
 * Make a painter.
 *
 * @param {() => HTMLCanvasElement} createCanvas puts a new canvas where the last one was.
 * @param {(painter: Painter) => void} onReplaced gets another painter if the GPU fails later.
 * @param {boolean} software never use WebGL2.
 * @returns {Painter}
 */
export function providePainter(createCanvas, onReplaced, software = false) {
  hasGpu ??= findGpu();
  const canvas = createCanvas();
  if (software || !hasGpu) return new Painter2D(canvas);
  try {
    const painter = new PainterGL(canvas);
    canvas.addEventListener("webglcontextlost", () => {
      if (!released.has(painter.gl)) onReplaced(new Painter2D(createCanvas()));
    });
    return painter;
  } catch {
    return new Painter2D(createCanvas()); // the browser gives no more contexts of WebGL2
  }
}

/**
 * Give back what the browser holds for a painter whose canvas is no longer needed.
 *
 * @param {Painter} painter
 */
export function releasePainter(painter) {
  if (painter instanceof PainterGL) releaseContext(painter.gl);
}

/**
 * Browsers allow few WebGL contexts and drop the oldest for a new one.
 *
 * @param {WebGL2RenderingContext} gl
 */
function releaseContext(gl) {
  released.add(gl);
  gl.getExtension("WEBGL_lose_context")?.loseContext();
}

function findGpu() {
  try {
    const { gl } = new PainterGL(document.createElement("canvas"));
    const found = isHardware(gl);
    releaseContext(gl);
    return found;
  } catch {
    return false; // WebGL2 is missing, or its compiler refuses the shader
  }
}
