// Chooses the picture: an example, a file, the clipboard, a file dropped anywhere, or the webcam.

import { find, make } from "./dom.js";
import { recall, remember } from "./memory.js";
import { Snapshot } from "./snapshot.js";
import { uploadFile } from "./uploading.js";

/** @import { PickedPicture, PickerProps } from "./types.js" */

const REMEMBERED = "picture"; // key of the session's storage

/**
 * Let the visitor choose a picture. Called by js_on_load of the gr.HTML component.
 *
 * @param {HTMLElement} element
 * @param {PickerProps} props
 * @param {(names: string[], onChange: () => void) => void} watch calls back when a prop has changed.
 * @param {(event: string) => void} trigger sends an event to the server.
 */
export function mount(element, props, watch, trigger) {
  const picker = new Picker(find(element, ".picker", HTMLElement), props, {
    submit: () => trigger("submit"),
    take: async (file, onProgress) => ({
      path: await uploadFile(file, onProgress),
      orig_name: file.name,
    }),
  });
  watch(["value", "examples"], () => picker.update());
  picker.show();
  picker.restore();
}

/**
 * @typedef {object} PickerListeners
 * @property {() => void} submit is called when props.value has been chosen.
 * @property {(file: File, onProgress: (fraction: number) => void) => Promise<PickedPicture>} take
 *     brings a file to where it is segmented; rejects with a sentence.
 */

export class Picker {
  /**
   * @param {HTMLElement} root holds picker.html.
   * @param {Pick<PickerProps, "value" | "examples">} props
   * @param {PickerListeners} on
   */
  constructor(root, props, on) {
    this.root = root;
    this.props = props;
    this.on = on;
    /** @type {PickedPicture | null} what the visitor has chosen. */
    this.chosen = null;
    /** @type {PickedPicture[]} all that was chosen and not refused, the latest last. */
    this.history = [];
    this.message = find(root, ".message", HTMLElement);
    this.input = find(root, "input[type=file]", HTMLInputElement);
    const say = (/** @type {string} */ sentence) => this.#say(sentence);
    new Snapshot(root, { take: (file) => this.#upload(file), say });
    find(root, ".choose", HTMLElement).addEventListener("click", () => this.input.click());
    this.input.addEventListener("change", () => {
      this.#take(this.input.files);
      this.input.value = "";
    });
    this.#listenToPage();
    this.#take(this.input.files); // chosen before this module was loaded
  }

  /** Show what the server has sent; its first example gives way to what the visitor has chosen. */
  update() {
    const { value } = this.props;
    if (value?.is_refused) {
      this.history = this.history.filter((each) => !isSame(each, value));
      this.chosen = this.props.value = this.history.at(-1) ?? null;
      rememberPicture(this.chosen);
    } else if (value?.is_new) this.#choose({ ...value, is_new: false });
    else if (this.chosen && value?.example !== this.chosen.example) this.props.value = this.chosen;
    this.show();
  }

  /** Show the examples and what is chosen. */
  show() {
    const { examples = [], value } = this.props;
    find(this.root, ".lead", HTMLElement).hidden = !examples.length;
    const buttons = examples.map(({ name, description }) => {
      const isChosen = value?.example === name;
      const image = make("img", { src: `examples/${name}.jpg`, alt: "", draggable: "false" });
      const button = make("button", { type: "button", title: description }, image);
      button.setAttribute("aria-label", `Example: ${name}`);
      button.setAttribute("aria-pressed", String(isChosen));
      button.addEventListener("click", () => this.#choose({ example: name }));
      return button;
    });
    this.#replaceExamples(buttons);
    find(this.root, ".chosen", HTMLElement).hidden = !value;
    find(this.root, ".name", HTMLElement).textContent = value?.orig_name ?? value?.example ?? "";
    find(this.root, ".choose", HTMLElement).textContent = value ? "Change" : "Choose a picture";
  }

  /** Choose again what was chosen before the page was loaded again in this tab. */
  restore() {
    const remembered = recall("sessionStorage", REMEMBERED);
    if (remembered) this.#choose(JSON.parse(remembered));
  }

  /** @param {HTMLElement[]} buttons */
  #replaceExamples(buttons) {
    const list = find(this.root, ".examples", HTMLElement);
    const focused = [...list.children].findIndex((each) => each === document.activeElement);
    list.replaceChildren(...buttons);
    buttons[focused]?.focus({ preventScroll: true });
  }

  /** @param {PickedPicture} picture */
  #choose(picture) {
    this.#say("");
    rememberPicture(picture);
    if (!this.history.length && this.props.value) this.history.push(this.props.value);
    this.history.push(picture);
    find(this.root, ".chosen img", HTMLElement).removeAttribute("src");
    this.props.value = this.chosen = picture;
    this.show();
    this.on.submit();
  }

  /** Take files that are dropped or pasted anywhere while the picker is on the screen. */
  #listenToPage() {
    const drop = find(this.root, ".drop", HTMLElement);
    const isOurs = (/** @type {DragEvent} */ event) =>
      Boolean(this.root.offsetParent && event.dataTransfer?.types.includes("Files"));
    /** @type {[string, (event: DragEvent) => void][]} */
    const handlers = [
      ["dragover", () => (drop.hidden = false)],
      ["drop", ({ dataTransfer }) => this.#take(dataTransfer?.files ?? null)],
    ];
    for (const [name, handle] of handlers) {
      document.addEventListener(name, (event) => {
        if (!(event instanceof DragEvent) || !isOurs(event)) return;
        event.preventDefault();
        drop.hidden = true;
        handle(event);
      });
    }
    document.addEventListener("dragleave", (event) => {
      if (!event.relatedTarget) drop.hidden = true; // it has left the page
    });
    document.addEventListener("paste", ({ clipboardData }) => {
      if (this.root.offsetParent && clipboardData?.files.length) this.#take(clipboardData.files);
    });
  }

  /** @param {FileList | null} files */
  #take(files) {
    if (files?.length) this.#upload(files[0]);
  }

  /** @param {File} file */
  async #upload(file) {
    this.#say("");
    const bar = find(this.root, "progress", HTMLProgressElement);
    try {
      bar.hidden = false;
      this.#choose(await this.on.take(file, (fraction) => (bar.value = fraction)));
    } catch (error) {
      this.#say(error instanceof Error ? error.message : String(error));
    } finally {
      bar.hidden = true;
    }
  }

  /** @param {string} sentence empty to take the message away. */
  #say(sentence) {
    this.message.textContent = sentence;
    this.message.hidden = !sentence;
  }
}

/**
 * @param {PickedPicture} one
 * @param {PickedPicture} other
 */
function isSame(one, other) {
  return one.path === other.path && one.example === other.example;
}

/**
 * Let the tab choose a picture again when the page is loaded again.
 *
 * @param {PickedPicture | null} picture
 */
function rememberPicture(picture) {
  remember("sessionStorage", REMEMBERED, picture ? JSON.stringify(picture) : "");
}

/**
 * Show the picture of a result as the thumbnail of what is chosen.
 *
 * @param {HTMLElement} component the picker.
 * @param {{ photo: string } | null} result the viewer's value, or null without a result.
 */
export function showThumbnail(component, result) {
  if (result) find(component, ".chosen img", HTMLImageElement).src = result.photo;
}
