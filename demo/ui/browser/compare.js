// The comparison: the same picture segmented by every variant, smallest first.

import { Comparison } from "../viewer/comparison.js";
import { find } from "../viewer/dom.js";
import { isLeftOut } from "../viewer/style.js";
import { DEFAULT_SIDE } from "./framing.js";

/** @import { FramingName } from "./framing.js" */
/** @import { Network } from "./network.js" */
/** @import { SegmentAnswer } from "./network_worker.js" */
/** @import { Site } from "./site.js" */
/** @import { AgreementRow, ComparedValue, FailedValue, ResultValue } from "../viewer/types.js" */

/**
 * The picture and the framing that are chosen.
 *
 * @typedef {object} Chosen
 * @property {Blob} image
 * @property {FramingName | "auto"} framing
 */

export class CompareSection {
  /**
   * @param {Site} site
   * @param {Network} network
   * @param {() => Promise<Chosen>} choose gives what is chosen; rejects with a sentence.
   */
  constructor(site, network, choose) {
    this.site = site;
    this.network = network;
    this.choose = choose;
    /** @type {symbol | null} identifies the latest comparison. */
    this.latest = null;
    this.photo = "";
    this.message = find(document, "#compare-message", HTMLElement);
    const template = find(document, "#viewer-template", HTMLTemplateElement);
    this.comparison = new Comparison(find(document, "#compare .compare", HTMLElement), {
      classes: site.classes,
      viewer: template.innerHTML,
      module: "",
    });
    find(document, "#compare-button", HTMLElement).addEventListener("click", () => this.#compare());
  }

  /** Forget the comparison, as another picture or framing was chosen. */
  clear() {
    this.latest = null;
    this.message.textContent = "";
    this.comparison.show(null);
    if (this.photo) URL.revokeObjectURL(this.photo);
    this.photo = "";
  }

  async #compare() {
    this.clear();
    const latest = Symbol("comparison");
    this.latest = latest;
    try {
      const { image, framing } = await this.choose();
      if (this.latest !== latest) return;
      this.photo = URL.createObjectURL(image);
      await this.#compareAll(latest, image, framing);
    } catch (error) {
      this.message.textContent = error instanceof Error ? error.message : String(error);
    }
  }

  /**
   * @param {symbol} latest
   * @param {Blob} image
   * @param {FramingName | "auto"} framing
   */
  async #compareAll(latest, image, framing) {
    const size = await createImageBitmap(image);
    const { width, height } = size;
    size.close();
    const variants = Object.keys(this.site.networks);
    /** @type {(ComparedValue | FailedValue)[]} */
    const results = [];
    /** @type {Map<string, Uint8Array>} */
    const maps = new Map();
    const show = () => {
      const next = variants[results.length];
      const label = next && this.site.networks[next].label;
      const order = `${results.length + 1} of ${variants.length}`;
      const pending = label ? `Computing ${label}, ${order} …` : "";
      const shown = { photo: this.photo, width, height, run: String(latest), results, pending };
      this.comparison.show({ ...shown, agreement: findAgreement(maps) });
    };
    show();
    for (const variant of variants) {
      const { label } = this.site.networks[variant];
      try {
        // eslint-disable-next-line no-await-in-loop -- one variant after the other
        const answer = await this.network.segment({
          // eslint-disable-next-line no-await-in-loop
          image: await createImageBitmap(image),
          variant,
          framing,
          side: DEFAULT_SIDE,
          hasMap: true,
        });
        if (answer.classMap) maps.set(variant, answer.classMap);
        results.push(this.#describe(variant, answer));
      } catch (error) {
        const sentence = error instanceof Error ? error.message : String(error);
        results.push({ key: variant, label, error: sentence });
      }
      if (this.latest !== latest) return;
      show();
    }
  }

  /**
   * @param {string} variant
   * @param {SegmentAnswer} answer
   * @returns {ComparedValue}
   */
  #describe(variant, answer) {
    const { accuracy, badge, label, parameters } = this.site.networks[variant];
    return {
      ...describeResult(answer, this.site),
      key: variant,
      label,
      parameters,
      accuracy,
      elapsed_ms: answer.elapsedMs,
      weights: badge,
      seen: answer.width * answer.height,
    };
  }
}

/**
 * Build what the viewer shows of an answer.
 *
 * @param {SegmentAnswer} answer
 * @param {Site} site
 * @returns {ResultValue}
 */
export function describeResult({ areas, grid, height, logits, width, winners }, site) {
  const found = areas.filter(([id]) => !isLeftOut(site.classes, id));
  const names = found.map(([id]) => site.classes[id].name);
  return {
    description: `Your image with ${names.join(", ") || "nothing but background"} marked`,
    logits,
    grid,
    box: [0, 0, height, width],
    winners,
    areas,
    not_seen: 0,
    classes: null,
  };
}

/**
 * Compute the fraction of pixels on which variants agree, for each pair and for all.
 *
 * @param {Map<string, Uint8Array>} maps by variant, all of one size.
 * @returns {AgreementRow[]}
 */
export function findAgreement(maps) {
  const keys = [...maps.keys()];
  const groups = keys.flatMap((one, i) => keys.slice(i + 1).map((other) => [one, other]));
  if (keys.length > 2) groups.push(keys);
  return groups.map((variants) => {
    const [first, ...others] = variants.map((key) => /** @type {Uint8Array} */ (maps.get(key)));
    const same = first.reduce(
      (count, id, i) => count + Number(others.every((map) => map[i] === id)),
      0,
    );
    return { variants, share: same / first.length };
  });
}
