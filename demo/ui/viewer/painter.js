// The painter for this browser: WebGL2 on a GPU; otherwise typed arrays, which are faster than
// WebGL2 in software.

import { Painter2D } from "./paint2d.js";
import { isHardware, PainterGL } from "./paintgl.js";

let hasGpu = null;
const released = new WeakSet();

/**
 * @param {() => HTMLCanvasElement} createCanvas puts a new canvas in the place of the last one.
 * @param {(painter) => void} use is given a painter, and another one should the GPU fail.
 * @param {boolean} software: never use WebGL2.
 */
export function providePainter(createCanvas, use, software = false) {
  hasGpu ??= findGpu();
  const canvas = createCanvas();
  if (software || !hasGpu) return use(new Painter2D(canvas));
  let painter;
  try {
    painter = new PainterGL(canvas);
  } catch {
    return use(new Painter2D(createCanvas())); // the browser gives no more of them
  }
  canvas.addEventListener("webglcontextlost", () => {
    if (!released.has(painter.gl)) use(new Painter2D(createCanvas()));
  });
  use(painter);
}

/** To be called when a painter's canvas is no longer needed. */
export function releasePainter({ gl }) {
  if (gl) releaseContext(gl);
}

/** Browsers keep few WebGL contexts, and drop the oldest for a new one. */
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
