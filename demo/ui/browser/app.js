// The page without a server: a picture and choices in, the viewer's result out.

import { readAddress, readChoices, writeAddress, writeChoices } from "../viewer/address.js";
import { find } from "../viewer/dom.js";
import { listenForHelp } from "../viewer/keyboard.js";
import { Picker, showThumbnail } from "../viewer/picker.js";
import { DEFAULT_CHOICES, isLeftOut } from "../viewer/style.js";
import { Viewer } from "../viewer/viewer.js";
import { BatchTab } from "./batch_tab.js";
import { CompareSection, describeResult } from "./compare.js";
import { DownloadsSection, describeFiles } from "./downloads_section.js";
import { findLack } from "./features.js";
import { DEFAULT_SIDE } from "./framing.js";
import { LiveTab } from "./live_tab.js";
import { Network } from "./network.js";
import { keepForLater } from "./offline.js";
import { readSite } from "./site.js";
import { showImageTab, wireTabs } from "./tabs.js";
import { offerVariants } from "./variants.js";

/** @import { Wanted } from "./downloads_section.js" */
/** @import { FramingName } from "./framing.js" */
/** @import { SegmentAnswer } from "./network_worker.js" */
/** @import { Site } from "./site.js" */
/** @import { PickedPicture, PickerProps, ViewerValue } from "../viewer/types.js" */

const MOST_THREADS = 4;
const UNREADABLE =
  "This browser cannot read the file as a picture. Choose a JPEG, PNG or WebP picture.";

class ImageTab {
  /**
   * @param {Site} site
   * @param {Network} network
   */
  constructor(site, network) {
    this.site = site;
    this.network = network;
    this.status = find(document, "#status", HTMLElement);
    this.progress = find(document, "#progress", HTMLProgressElement);
    this.pickerRoot = find(document, ".picker", HTMLElement);
    this.viewer = new Viewer(find(document, "#viewer .viewer", HTMLElement), site.classes, {
      saved: readChoices(),
      onChoice: (choices) => writeChoices(choices, DEFAULT_CHOICES),
    });
    const chosen = readAddress("variant") ?? "";
    this.variant = chosen in site.networks ? chosen : site.first;
    /** @type {Map<string, File>} files that the visitor has chosen, by the address of each. */
    this.files = new Map();
    this.latest = 0; // counts the requests: only the last one's result is shown
    this.shownPhoto = "";
    /** @type {Pick<PickerProps, "value" | "examples">} */
    this.props = { examples: site.examples, value: null };
    this.picker = new Picker(this.pickerRoot, this.props, {
      submit: () => this.#segmentAnother(),
      take: (file) => Promise.resolve(this.#remember(file)),
    });
    this.picker.show();
    this.compare = new CompareSection(site, network, async () => {
      if (!this.props.value) throw new Error("Choose a picture first.");
      return { image: await this.#read(this.props.value), framing: this.#framing };
    });
    /** @type {{answer: SegmentAnswer, image: Blob, name: string, variant: string} | null} */
    this.result = null;
    this.downloads = new DownloadsSection(site, () => this.#describeFiles());
    this.#listen();
    this.#showWeights();
  }

  /** Segment the first example, unless the visitor was quicker. */
  begin() {
    const [first] = this.site.examples;
    if (!first || this.props.value) return;
    this.props.value = { example: first.name };
    this.picker.show();
    this.#segment();
  }

  /** @param {File} file */
  open(file) {
    this.props.value = this.#remember(file);
    this.picker.show();
    this.#segmentAnother();
  }

  /** @param {File} file */
  #remember(file) {
    const path = URL.createObjectURL(file);
    this.files.set(path, file);
    return /** @type {PickedPicture} */ ({ path, orig_name: file.name });
  }

  #listen() {
    for (const radio of document.querySelectorAll(".model [name=variant]")) {
      if (!(radio instanceof HTMLInputElement)) continue;
      radio.checked = radio.value === this.variant;
      radio.addEventListener("change", () => {
        this.variant = radio.value;
        writeAddress("variant", radio.value);
        this.#showWeights();
        this.#segment();
      });
    }
    find(document, ".model [name=framing]", HTMLSelectElement).addEventListener("change", () =>
      this.#segmentAnother(),
    );
  }

  /** Segment another picture, or in another framing: the comparison no longer belongs to it. */
  #segmentAnother() {
    this.compare.clear();
    this.#segment();
  }

  get #framing() {
    const { value } = find(document, ".model [name=framing]", HTMLSelectElement);
    return /** @type {FramingName | "auto"} */ (value);
  }

  /** Segment the chosen picture and show the result, unless another one was chosen meanwhile. */
  async #segment() {
    const picture = this.props.value;
    if (!picture) return;
    const request = ++this.latest;
    this.#say("Segmenting …");
    try {
      const image = await this.#read(picture);
      const bitmap = await createImageBitmap(image).catch(() => {
        if (request === this.latest) this.#refuse(picture);
        throw new Error(UNREADABLE);
      });
      const { variant } = this;
      const framing = this.#framing;
      const answer = await this.network.segment(
        {
          image: bitmap,
          variant,
          framing,
          side: DEFAULT_SIDE,
          hasMap: true,
        },
        (progress) => this.#showProgress(progress),
      );
      if (request !== this.latest) return;
      const name = picture.orig_name ?? `${picture.example}.jpg`;
      this.result = { answer, image, name, variant };
      this.downloads.clear();
      this.#show(answer, image, framing);
    } catch (error) {
      if (request !== this.latest) return;
      this.#say(error instanceof Error ? error.message : String(error), true);
    }
  }

  /**
   * @param {PickedPicture} picture
   * @returns {Promise<Blob>}
   */
  async #read({ example, path = "" }) {
    const file = this.files.get(path);
    if (!file && !example) throw new Error("This picture is no longer here. Choose it again.");
    return file ?? (await fetch(`examples/${example}.jpg`)).blob();
  }

  /**
   * Describe what the files of the result are made from.
   *
   * @returns {Promise<Wanted>}
   */
  async #describeFiles() {
    if (!this.result) throw new Error("There is no result to download yet. Choose an image first.");
    const { answer, image, name, variant } = this.result;
    return describeFiles(this.site, answer, await createImageBitmap(image), name, variant);
  }

  /**
   * Let the picker go back to the picture of the result that is shown.
   *
   * @param {PickedPicture} picture cannot be read.
   */
  #refuse(picture) {
    this.props.value = { ...picture, is_refused: true };
    this.picker.update();
    showThumbnail(this.pickerRoot, this.viewer.shown?.result ?? null);
  }

  /**
   * @param {SegmentAnswer} answer
   * @param {Blob} image
   * @param {string} asked framing.
   */
  #show(answer, image, asked) {
    const { width, height } = answer;
    if (this.shownPhoto) URL.revokeObjectURL(this.shownPhoto);
    this.shownPhoto = URL.createObjectURL(image);
    const result = describeResult(answer, this.site);
    /** @type {ViewerValue} */
    const value = { photo: this.shownPhoto, width, height, variant: this.variant, ...result };
    this.viewer.show(value);
    showThumbnail(this.pickerRoot, value);
    const { label, weights } = this.site.networks[this.variant];
    const took = `${label} took ${Math.round(answer.elapsedMs)} ms`;
    const sentences = [`${took} in this browser, on ${answer.processor}.`];
    if (answer.isSmaller) {
      const [rows, columns] = answer.networkHw;
      const input = `${columns} × ${rows} pixels`;
      sentences.push(`There was too little memory, so the network saw only ${input}.`);
    }
    if (asked === "auto" && answer.framing === "aspect") {
      sentences.push("The picture is longer than 2:1, so it was not squashed to a square.");
    }
    const hasFound = answer.areas.some(([id]) => !isLeftOut(this.site.classes, id));
    if (!hasFound) sentences.unshift(`Nothing found. ${weights}`);
    this.#say(sentences.join(" "));
  }

  /** @param {{loaded: number, total: number}} progress in bytes. */
  #showProgress({ loaded, total }) {
    const inMegabytes = (/** @type {number} */ bytes) => (bytes / 1e6).toFixed(1);
    this.status.textContent = `Fetching the network: ${inMegabytes(loaded)} of ${inMegabytes(total)} MB, the first time only.`;
    this.progress.hidden = false;
    this.progress.value = loaded / total;
  }

  #showWeights() {
    const { accuracy, badge, weights } = this.site.networks[this.variant];
    const details = find(document, ".badge", HTMLElement);
    find(details, "summary", HTMLElement).textContent = [badge, accuracy]
      .filter(Boolean)
      .join(" · ");
    find(details, "p", HTMLElement).textContent = weights;
    details.hidden = false;
  }

  /**
   * @param {string} sentence
   * @param {boolean} isWrong
   */
  #say(sentence, isWrong = false) {
    this.progress.hidden = true;
    this.status.textContent = sentence;
    this.status.classList.toggle("wrong", isWrong);
  }
}

/** Follow the reader's choice of light or dark, also where a style cannot ask for it. */
function followScheme() {
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const apply = () => document.documentElement.classList.toggle("dark", dark.matches);
  dark.addEventListener("change", apply);
  apply();
}

async function start() {
  followScheme();
  listenForHelp();
  wireTabs();
  const lack = findLack();
  if (lack) throw new Error(lack);
  const site = await readSite();
  await keepForLater();
  offerVariants(site);
  const network = new Network({
    base: document.baseURI,
    runtime: site.runtime,
    networks: Object.fromEntries(Object.entries(site.networks).map(([k, { file }]) => [k, file])),
    threads: globalThis.crossOriginIsolated
      ? Math.min(navigator.hardwareConcurrency || 1, MOST_THREADS)
      : 1,
    gpu: "real",
  });
  const imageTab = new ImageTab(site, network);
  new LiveTab(site, network, (photo) => imageTab.open(photo));
  new BatchTab(site, network, (photo) => {
    showImageTab();
    imageTab.open(photo);
  });
  imageTab.begin();
}

start().catch((error) => {
  const status = find(document, "#status", HTMLElement);
  status.textContent = error instanceof Error ? error.message : String(error);
  status.classList.add("wrong");
});
