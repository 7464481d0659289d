// Paints a field with a WebGL2 fragment shader at the screen's own resolution.

import { CONFIDENCE_COLOURS } from "./style.js";

/** @import { Field } from "./field.js" */
/** @import { Sampling } from "./sampling.js" */
/** @import { Style } from "./style.js" */

/** More classes in one image are not painted: uniforms are few. */
const MOST_WINNERS = 64;

const VERTEX = `#version 300 es
void main() {
  // one triangle that covers the canvas
  vec2 corner = vec2(gl_VertexID == 1 ? 3.0 : -1.0, gl_VertexID == 2 ? 3.0 : -1.0);
  gl_Position = vec4(corner, 0.0, 1.0);
}`;

const FRAGMENT = `#version 300 es
precision highp float;
precision highp sampler2DArray;
precision highp usampler2D;

const int MOST = ${MOST_WINNERS};
const int NOT_SEEN = 255;

uniform sampler2DArray logits;      // one layer for each class, one texel for each grid point
uniform sampler2D lookUp;           // 256 columns; colours, outlines, confidence
uniform int winners[MOST];
uniform int winnersCount;
uniform vec2 canvasSize;
uniform vec4 view;                  // left, top, image pixels per canvas pixel (x, y)
uniform vec4 box;                   // left, top, right, bottom, in image pixels
uniform int mode;                   // 0 classes, 1 confidence
uniform float threshold;
uniform vec4 unsure;
uniform float outlineWidth;         // in canvas pixels, 0 for none
out vec4 painted;                   // premultiplied

float score(int id, ivec2 cell, vec2 along) {
  vec2 above = vec2(texelFetch(logits, ivec3(cell, id), 0).r,
                    texelFetch(logits, ivec3(cell + ivec2(1, 0), id), 0).r);
  vec2 below = vec2(texelFetch(logits, ivec3(cell + ivec2(0, 1), id), 0).r,
                    texelFetch(logits, ivec3(cell + ivec2(1, 1), id), 0).r);
  vec2 between = above + along.y * (below - above);
  return between.x + along.x * (between.y - between.x);
}

void place(vec2 at, out ivec2 cell, out vec2 along) {
  vec2 grid = vec2(textureSize(logits, 0).xy);
  vec2 position = clamp((at - box.xy) * grid / (box.zw - box.xy) - 0.5, vec2(0.0), grid - 1.0);
  cell = min(ivec2(floor(position)), ivec2(grid) - 2);
  along = position - vec2(cell);
}

int classify(vec2 at, out float best) {
  best = -1e30;
  if (any(lessThan(at, box.xy)) || any(greaterThanEqual(at, box.zw))) return NOT_SEEN;
  ivec2 cell;
  vec2 along;
  place(at, cell, along);
  int id = winners[0];
  for (int i = 0; i < winnersCount; i++) {
    float own = score(winners[i], cell, along);
    if (own > best) {
      best = own;
      id = winners[i];
    }
  }
  return id;
}

float confidence(vec2 at, float best) {
  ivec2 cell;
  vec2 along;
  place(at, cell, along);
  float sum = 0.0;
  int classes = textureSize(logits, 0).z;
  for (int id = 0; id < classes; id++) sum += exp(score(id, cell, along) - best);
  return 1.0 / sum;
}

vec4 colour(int row, int column) {
  vec4 found = texelFetch(lookUp, ivec2(column, row), 0);
  return vec4(found.rgb * found.a, found.a);
}

void main() {
  vec2 pixel = vec2(gl_FragCoord.x, canvasSize.y - gl_FragCoord.y);
  vec2 at = view.xy + pixel * view.zw;
  float best;
  int id = classify(at, best);
  if (id == NOT_SEEN) {
    float grey = mod(floor((pixel.x + pixel.y - 1.0) / 6.0), 2.0) == 0.0 ? 1.0 : 0.0;
    painted = vec4(vec3(128.0 / 255.0), 1.0) * grey;
    return;
  }
  painted = colour(0, id);
  if (mode == 1) {
    painted = colour(2, int(round(confidence(at, best) * 255.0)));
  } else if (threshold > 0.0 && confidence(at, best) < threshold) {
    painted = vec4(unsure.rgb * unsure.a, unsure.a);
  }
  if (outlineWidth > 0.0) {
    float ignored;
    vec2 next = pixel + outlineWidth;
    vec2 there = at + outlineWidth * view.zw;
    int right = next.x < canvasSize.x ? classify(vec2(there.x, at.y), ignored) : id;
    int below = next.y < canvasSize.y ? classify(vec2(at.x, there.y), ignored) : id;
    vec4 line = colour(1, id);
    if (line.a == 0.0) line = colour(1, right);
    if (line.a == 0.0) line = colour(1, below);
    if ((right != id || below != id) && line.a > 0.0) painted = line;
  }
}`;

/**
 * Tell whether a GPU draws for a context; otherwise the CPU emulates one.
 *
 * @param {WebGL2RenderingContext} gl
 */
export function isHardware(gl) {
  const info = gl.getExtension("WEBGL_debug_renderer_info");
  const name = gl.getParameter(info ? info.UNMASKED_RENDERER_WEBGL : gl.RENDERER);
  return !/swiftshader|llvmpipe|softpipe|software|basic render/i.test(name);
}

export class PainterGL {
  /**
   * @param {HTMLCanvasElement} canvas
   * @throws {Error} where WebGL2 is missing.
   */
  constructor(canvas) {
    this.canvas = canvas;
    const gl = canvas.getContext("webgl2", { premultipliedAlpha: true, antialias: false });
    if (!gl) throw new Error("WebGL2 is missing");
    this.gl = gl;
    this.hasField = false;
    this.program = link(gl);
    gl.useProgram(this.program);
    this.logits = gl.createTexture();
    this.lookUp = gl.createTexture();
    gl.uniform1i(this.#uniform("logits"), 0);
    gl.uniform1i(this.#uniform("lookUp"), 1);
    gl.bindVertexArray(gl.createVertexArray());
  }

  /** @param {string} name */
  #uniform(name) {
    return this.gl.getUniformLocation(this.program, name);
  }

  /** @param {Field} field */
  setField(field) {
    const { gl } = this;
    this.hasField = true;
    gl.activeTexture(gl.TEXTURE0);
    gl.bindTexture(gl.TEXTURE_2D_ARRAY, this.logits);
    nearest(gl, gl.TEXTURE_2D_ARRAY);
    const { gridWidth: width, gridHeight: height } = field;
    const [target, format, type] = [gl.TEXTURE_2D_ARRAY, gl.RED, gl.FLOAT];
    gl.pixelStorei(gl.UNPACK_ALIGNMENT, 1);
    gl.texImage3D(target, 0, gl.R32F, width, height, field.classes, 0, format, type, field.logits);
    const winners = new Int32Array(MOST_WINNERS);
    winners.set(field.winners.slice(0, MOST_WINNERS));
    gl.uniform1iv(this.#uniform("winners"), winners);
    gl.uniform1i(this.#uniform("winnersCount"), Math.min(field.winners.length, MOST_WINNERS));
    gl.uniform4f(this.#uniform("box"), field.left, field.top, field.right, field.bottom);
  }

  /**
   * @param {Sampling} sampling
   * @param {Style} style
   */
  paint(sampling, style) {
    const { gl, canvas } = this;
    if (!this.hasField || !canvas.width || !canvas.height) return;
    this.#setLookUp(style);
    gl.viewport(0, 0, canvas.width, canvas.height);
    gl.uniform2f(this.#uniform("canvasSize"), canvas.width, canvas.height);
    const { left, top, stepX, stepY } = sampling;
    gl.uniform4f(this.#uniform("view"), left, top, stepX, stepY);
    gl.uniform1i(this.#uniform("mode"), style.mode === "confidence" ? 1 : 0);
    gl.uniform1f(this.#uniform("threshold"), style.threshold);
    const unsure = new Uint8Array(Uint32Array.of(style.unsureColour).buffer);
    gl.uniform4fv(this.#uniform("unsure"), Array.from(unsure, (value) => value / 255));
    gl.uniform1f(this.#uniform("outlineWidth"), style.outlineWidth);
    gl.clearColor(0, 0, 0, 0);
    gl.clear(gl.COLOR_BUFFER_BIT);
    gl.drawArrays(gl.TRIANGLES, 0, 3);
  }

  /** @param {Style} style */
  #setLookUp({ colours, outlineColours }) {
    const { gl } = this;
    const rows = new Uint32Array(3 * 256);
    rows.set(colours, 0);
    rows.set(outlineColours, 256);
    rows.set(CONFIDENCE_COLOURS, 512);
    gl.activeTexture(gl.TEXTURE1);
    gl.bindTexture(gl.TEXTURE_2D, this.lookUp);
    nearest(gl, gl.TEXTURE_2D);
    const bytes = new Uint8Array(rows.buffer);
    gl.texImage2D(gl.TEXTURE_2D, 0, gl.RGBA, 256, 3, 0, gl.RGBA, gl.UNSIGNED_BYTE, bytes);
  }
}

/**
 * Read the nearest texel of a texture, without interpolation.
 *
 * @param {WebGL2RenderingContext} gl
 * @param {GLenum} target
 */
function nearest(gl, target) {
  gl.texParameteri(target, gl.TEXTURE_MIN_FILTER, gl.NEAREST);
  gl.texParameteri(target, gl.TEXTURE_MAG_FILTER, gl.NEAREST);
}

/**
 * Compile and link the shaders.
 *
 * @param {WebGL2RenderingContext} gl
 * @throws {Error} if the browser refuses them.
 */
function link(gl) {
  const program = gl.createProgram();
  gl.attachShader(program, compile(gl, gl.VERTEX_SHADER, VERTEX));
  gl.attachShader(program, compile(gl, gl.FRAGMENT_SHADER, FRAGMENT));
  gl.linkProgram(program);
  if (!gl.getProgramParameter(program, gl.LINK_STATUS)) {
    throw new Error(gl.getProgramInfoLog(program) ?? "WebGL2 refuses the shaders");
  }
  return program;
}

/**
 * @param {WebGL2RenderingContext} gl
 * @param {GLenum} type
 * @param {string} source
 */
function compile(gl, type, source) {
  const shader = gl.createShader(type);
  if (!shader) throw new Error("WebGL2 gives no shader");
  gl.shaderSource(shader, source);
  gl.compileShader(shader);
  return shader;
}
