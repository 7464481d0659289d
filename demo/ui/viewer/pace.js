// The pace of the live view: how often results come, how old they are, and the side of the frames
// that keeps the rate. Times are those of performance.now(), and are passed in.

export const SIDES = [256, 384, 512];

/** A result that is older, in ms, is not shown. */
export const OLDEST_MS = 1200;

const TARGET_RATE = 12; // results per second
const OVER_MS = 2000; // figures are those of the results of this time
const ADAPT_EVERY_MS = 2000;

/**
 * The times of one result.
 *
 * @typedef {object} Timing
 * @property {number} at when it came.
 * @property {number} age ms from taking the frame until then.
 * @property {number} roundTrip ms from sending the frame until then.
 */

/**
 * The results of the last seconds summed up.
 *
 * @typedef {object} Figures
 * @property {number} rate results per second.
 * @property {number} age median in ms.
 * @property {number} roundTrip median in ms.
 */

export class Pace {
  constructor() {
    this.side = SIDES[0];
    /** @type {Timing[]} */
    this.timings = [];
    this.countedSince = 0;
    this.adaptedAt = 0;
  }

  /**
   * Forget all results and count from now on.
   *
   * @param {number} now
   */
  restart(now) {
    this.timings = [];
    this.countedSince = now;
  }

  /** @param {Timing} timing */
  add(timing) {
    this.timings.push(timing);
  }

  /**
   * Sum up the results of the last seconds, and forget older ones.
   *
   * @param {number} now
   * @returns {Figures | null} null if there are no results.
   */
  measure(now) {
    this.timings = this.timings.filter(({ at }) => now - at < OVER_MS);
    if (!this.timings.length) return null;
    return {
      rate: (1000 * this.timings.length) / Math.min(OVER_MS, now - this.countedSince),
      age: median(this.timings.map(({ age }) => age)),
      roundTrip: median(this.timings.map(({ roundTrip }) => roundTrip)),
    };
  }

  /**
   * Change to a side that fits the round trip, at most every two seconds.
   *
   * @param {number} roundTrip in ms.
   * @param {number} now
   */
  adapt(roundTrip, now) {
    if (now - this.adaptedAt < ADAPT_EVERY_MS) return;
    this.adaptedAt = now;
    const side = fitSide(this.side, roundTrip);
    if (side === this.side) return;
    this.side = side;
    this.restart(now);
  }
}

/**
 * Choose the largest side that keeps the rate, at most one step away. The time of a round trip
 * grows with the square of the side.
 *
 * @param {number} side
 * @param {number} roundTrip ms at this side.
 */
export function fitSide(side, roundTrip) {
  const allowed = 1000 / TARGET_RATE;
  const at = SIDES.indexOf(side);
  if (at > 0 && roundTrip > allowed * 1.15) return SIDES[at - 1];
  const larger = SIDES[at + 1];
  if (larger && roundTrip * (larger / side) ** 2 < allowed * 0.9) return larger;
  return side;
}

/** @param {number[]} values at least one. */
function median(values) {
  const sorted = [...values].sort((one, other) => one - other);
  return sorted[Math.floor(sorted.length / 2)];
}
