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

function findGpu() {
  const trial = document.createElement("canvas").getContext("webgl2");
  const found = Boolean(trial) && isHardware(trial);
  trial?.getExtension("WEBGL_lose_context")?.loseContext();
  return found;
}
