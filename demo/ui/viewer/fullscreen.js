// Shows a viewer on the whole screen. Where the browser allows no full screen, as on iPhones and in
// some frames, the viewer covers the page instead.

export class FullScreen {
  /**
   * @param {HTMLElement} root the viewer.
   * @param {HTMLElement} button
   */
  constructor(root, button) {
    this.root = root;
    this.button = button;
    this.scrolled = 0; // where the page stood, which is shorter without the viewer
    button.addEventListener("click", () => this.#toggle());
    root.addEventListener("fullscreenchange", () => this.#showState());
    root.addEventListener("keydown", ({ key }) => {
      if (key === "Escape" && root.classList.contains("covering")) this.#cover(false);
    });
  }

  #toggle() {
    if (!this.#isFull) this.scrolled = window.scrollY;
    if (document.fullscreenElement) document.exitFullscreen();
    else if (document.fullscreenEnabled) this.root.requestFullscreen().catch(() => this.#cover());
    else this.#cover();
  }

  /** @param {boolean} isCovering by default, the opposite of what it was. */
  #cover(isCovering = !this.root.classList.contains("covering")) {
    this.root.classList.toggle("covering", isCovering);
    this.#showState();
  }

  get #isFull() {
    return this.root.matches(":fullscreen, .covering");
  }

  #showState() {
    const isFull = this.#isFull;
    this.button.setAttribute("aria-pressed", String(isFull));
    this.button.title = isFull ? "Leave full screen" : "Full screen";
    if (!isFull) window.scrollTo({ top: this.scrolled, behavior: "instant" });
  }
}
