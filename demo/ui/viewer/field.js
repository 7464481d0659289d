// What the network said, as a continuous field over the image: logits on a grid, interpolated
// bilinearly (align_corners=False) as demo/class_map.py does on the server.
//
// Positions are continuous image coordinates: pixel (row i, column j) has its centre at
// (i + 0.5, j + 0.5).

export const CLASSES = 21;
export const NOT_SEEN = 255;

const NEGLIGIBLE = 12; // a logit so far behind adds less than 1e-5 to the sum of a softmax

function fromBase64(text) {
  return Uint8Array.from(atob(text), (character) => character.charCodeAt(0)).buffer;
}

/** Decode a buffer of little-endian half floats. */
export function decodeHalfFloats(buffer) {
  const halves = new Uint16Array(buffer);
  const floats = new Float32Array(halves.length);
  for (let i = 0; i < halves.length; i++) floats[i] = halfToFloat(halves[i]);
  return floats;
}

function halfToFloat(half) {
  const sign = half & 0x8000 ? -1 : 1;
  const exponent = (half >> 10) & 31;
  const fraction = half & 1023;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  if (exponent === 31) return fraction ? NaN : sign * Infinity;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}

/** Where positions lie between the grid's points along one axis. */
function planAxis(positions, count, start, stop) {
  const cells = new Int32Array(positions.length);
  const fractions = new Float32Array(positions.length);
  const seen = new Uint8Array(positions.length);
  for (let i = 0; i < positions.length; i++) {
    const along = ((positions[i] - start) * count) / (stop - start) - 0.5;
    const inside = Math.min(Math.max(along, 0), count - 1);
    cells[i] = Math.min(Math.floor(inside), count - 2);
    fractions[i] = inside - cells[i];
    seen[i] = positions[i] >= start && positions[i] < stop ? 1 : 0;
  }
  return { cells, fractions, seen };
}

export class Field {
  /**
   * @param {object} result what the server sends; see viewer_value in demo/ui/payload.py.
   */
  constructor(result) {
    const { logits } = result; // (21, h, w), base64 of half floats or decoded already
    this.logits = typeof logits === "string" ? decodeHalfFloats(fromBase64(logits)) : logits;
    [this.gridHeight, this.gridWidth] = result.grid;
    [this.top, this.left, this.bottom, this.right] = result.box;
    this.width = result.width;
    this.height = result.height;
    this.winners = result.winners; // ids of the classes that can be the argmax somewhere
  }

  /** Where a class may lead: the parts of the image between four neighbouring grid points. */
  cellsOf(id) {
    const { gridWidth, gridHeight, logits, winners } = this;
    const plane = gridWidth * gridHeight;
    const width = (this.right - this.left) / gridWidth;
    const height = (this.bottom - this.top) / gridHeight;
    const cells = [];
    for (let row = -1; row < gridHeight; row++) {
      for (let column = -1; column < gridWidth; column++) {
        const corners = [0, 1].flatMap((down) =>
          [0, 1].map((right) => {
            const y = Math.min(Math.max(row + down, 0), gridHeight - 1);
            return y * gridWidth + Math.min(Math.max(column + right, 0), gridWidth - 1);
          }),
        );
        const beats = (other) =>
          corners.some((at) => logits[id * plane + at] >= logits[other * plane + at]);
        if (!winners.every(beats)) continue;
        const [left, top] = [this.left + (column + 0.5) * width, this.top + (row + 0.5) * height];
        cells.push({ left, top, width, height });
      }
    }
    return cells;
  }

  /** The class at a point with its softmax and the runner-up's; null where nothing was seen. */
  probe(x, y) {
    if (x < this.left || x >= this.right || y < this.top || y >= this.bottom) return null;
    const across = planAxis([x], this.gridWidth, this.left, this.right);
    const down = planAxis([y], this.gridHeight, this.top, this.bottom);
    const row = this.#interpolateRow(down.cells[0], down.fractions[0]);
    const cell = across.cells[0];
    const scores = [];
    for (let id = 0; id < CLASSES; id++) {
      const at = id * this.gridWidth + cell;
      const score = row[at] + across.fractions[0] * (row[at + 1] - row[at]);
      scores.push({ id, score });
    }
    scores.sort((one, other) => other.score - one.score);
    const best = scores[0].score;
    const sum = scores.reduce((total, { score }) => total + Math.exp(score - best), 0);
    const share = ({ id, score }) => ({ id, confidence: Math.exp(score - best) / sum });
    return { winner: share(scores[0]), runnerUp: share(scores[1]) };
  }

  /** Logits of all classes on a horizontal line through the grid, (21, w). */
  #interpolateRow(cell, fraction, out = new Float32Array(CLASSES * this.gridWidth)) {
    const { gridWidth: width, gridHeight: height, logits } = this;
    for (let id = 0; id < CLASSES; id++) {
      const above = (id * height + cell) * width;
      for (let x = 0; x < width; x++) {
        const upper = logits[above + x];
        out[id * width + x] = upper + fraction * (logits[above + width + x] - upper);
      }
    }
    return out;
  }

  /**
   * Class ids, and at wish the winners' confidence, on a raster.
   *
   * @param {{left: number, top: number, stepX: number, stepY: number}} view image coordinates of
   *     the raster's corner, and image pixels per raster pixel.
   * @returns {{ids: Uint8Array, confidence: Float32Array | null}} row by row.
   */
  rasterise(view, width, height, withConfidence = false) {
    const centres = (start, step, count) =>
      Float64Array.from({ length: count }, (_, i) => start + (i + 0.5) * step);
    const columns = centres(view.left, view.stepX, width);
    const rows = centres(view.top, view.stepY, height);
    const across = planAxis(columns, this.gridWidth, this.left, this.right);
    const down = planAxis(rows, this.gridHeight, this.top, this.bottom);
    const ids = new Uint8Array(width * height).fill(NOT_SEEN);
    const confidence = withConfidence ? new Float32Array(width * height) : null;
    const runs = cutIntoRuns(across);
    let row = null;
    for (let y = 0; y < height; y++) {
      if (!down.seen[y]) continue;
      row = this.#interpolateRow(down.cells[y], down.fractions[y], row ?? undefined);
      for (const run of runs) {
        this.#fillIds(ids, y * width, row, run, across.fractions);
        if (confidence) this.#fillConfidence(confidence, ids, y * width, row, run, across.fractions);
      }
    }
    return { ids, confidence };
  }

  /** Between two grid points scores are straight lines: who leads at both ends leads between. */
  #fillIds(ids, start, row, { cell, from, to }, fractions) {
    const { gridWidth, winners } = this;
    const left = leader(row, winners, gridWidth, cell);
    if (left === leader(row, winners, gridWidth, cell + 1)) {
      ids.fill(left, start + from, start + to);
      return;
    }
    for (let x = from; x < to; x++) {
      let best = -Infinity;
      for (const id of winners) {
        const at = id * gridWidth + cell;
        const score = row[at] + fractions[x] * (row[at + 1] - row[at]);
        if (score > best) {
          best = score;
          ids[start + x] = id;
        }
      }
    }
  }

  #fillConfidence(confidence, ids, start, row, { cell, from, to }, fractions) {
    const { gridWidth, winners } = this;
    const close = closeClasses(row, winners, gridWidth, cell);
    if (close.length === 1) {
      confidence.fill(1, start + from, start + to);
      return;
    }
    for (let x = from; x < to; x++) {
      const own = ids[start + x] * gridWidth + cell;
      const best = row[own] + fractions[x] * (row[own + 1] - row[own]);
      let sum = 0;
      for (const id of close) {
        const at = id * gridWidth + cell;
        sum += Math.exp(row[at] + fractions[x] * (row[at + 1] - row[at]) - best);
      }
      confidence[start + x] = 1 / sum;
    }
  }
}

function cutIntoRuns({ cells, seen }) {
  const runs = [];
  for (let from = 0; from < cells.length; ) {
    let to = from + 1;
    while (to < cells.length && cells[to] === cells[from] && seen[to] === seen[from]) to++;
    if (seen[from]) runs.push({ cell: cells[from], from, to });
    from = to;
  }
  return runs;
}

function leader(row, winners, gridWidth, x) {
  let best = winners[0];
  for (const id of winners) if (row[id * gridWidth + x] > row[best * gridWidth + x]) best = id;
  return best;
}

/** The classes that count in a softmax anywhere between two grid points. */
function closeClasses(row, winners, gridWidth, cell) {
  const ends = [cell, cell + 1];
  const floor = Math.min(
    ...ends.map((x) => row[leader(row, winners, gridWidth, x) * gridWidth + x] - NEGLIGIBLE),
  );
  const close = [];
  for (let id = 0; id < CLASSES; id++) {
    if (ends.some((x) => row[id * gridWidth + x] > floor)) close.push(id);
  }
  return close;
}
