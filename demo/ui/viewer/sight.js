// Tells whether the visitor can see an element: its tab of the browser and of the page is open.

export class Sight {
  /**
   * @param {HTMLElement} element
   * @param {() => void} onChange
   */
  constructor(element, onChange) {
    this.element = element;
    this.isOffScreen = false;
    document.addEventListener("visibilitychange", onChange);
    new IntersectionObserver((entries) => {
      this.isOffScreen = !entries.at(-1)?.isIntersecting;
      onChange();
    }).observe(element);
  }

  get isSeen() {
    return !document.hidden && !this.isOffScreen;
  }

  /** Look again, where the observer has not told yet. */
  refresh() {
    this.isOffScreen = this.element.offsetParent === null;
  }
}
