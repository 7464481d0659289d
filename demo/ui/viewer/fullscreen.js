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
    button.addEventListener("click", () => this.#toggle());
    root.addEventListener("fullscreenchange", () => this.#showState());
    root.addEventListener("keydown", ({ key }) => {
      if (key === "Escape") this.#cover(false);
    });
  }

  #toggle() {
    if (document.fullscreenElement) document.exitFullscreen();
    else if (document.fullscreenEnabled) this.root.requestFullscreen().catch(() => this.#cover());
    else this.#cover();
  }

  /** @param {boolean} isCovering by default, the opposite of what it was. */
  #cover(isCovering = !this.root.classList.contains("covering")) {
    this.root.classList.toggle("covering", isCovering);
    this.#showState();
  }

  #showState() {
    const isFull = this.root.matches(":fullscreen, .covering");
    this.button.setAttribute("aria-pressed", String(isFull));
  }
}
