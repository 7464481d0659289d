// The painter for this browser: WebGL2 on a GPU; otherwise typed arrays, which are faster than
// WebGL2 in software.

import { Painter2D } from "./paint2d.js";
import { isHardware, PainterGL } from "./paintgl.js";

let hasGpu = null;

/** @param {HTMLCanvasElement} canvas without a context yet. */
export function createPainter(canvas) {
  hasGpu ??= findGpu();
  return hasGpu ? new PainterGL(canvas) : new Painter2D(canvas);
}

/** Browsers keep few WebGL contexts, and drop the oldest for a new one. */
export function releaseContext(gl) {
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
