// Finding, making and placing elements of the page.

/**
 * Find the first element for a selector.
 *
 * @template {Element} T
 * @param {ParentNode} root
 * @param {string} selector
 * @param {new () => T} type the class that the element must have.
 * @returns {T}
 * @throws {Error} if there is none.
 */
export function find(root, selector, type) {
  const element = root.querySelector(selector);
  if (!(element instanceof type)) throw new Error(`Expected a ${type.name} at '${selector}'.`);
  return element;
}

/**
 * Make an element.
 *
 * @template {keyof HTMLElementTagNameMap} Tag
 * @param {Tag} tag
 * @param {Record<string, string>} [attributes]
 * @param {(Node | string)[]} children
 * @returns {HTMLElementTagNameMap[Tag]}
 */
export function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children);
  return element;
}

/**
 * Move an element to a point of the element that it is positioned in, in CSS pixels.
 *
 * @param {HTMLElement} element
 * @param {{x: number, y: number}} point
 */
export function move(element, { x, y }) {
  element.style.left = `${x}px`;
  element.style.top = `${y}px`;
}

/**
 * Give an element a place and a size in CSS pixels.
 *
 * @param {HTMLElement} element
 * @param {{left: number, top: number, width: number, height: number}} box
 */
export function place(element, { left, top, width, height }) {
  move(element, { x: left, y: top });
  element.style.width = `${width}px`;
  element.style.height = `${height}px`;
}

/**
 * Give a canvas a size in its own pixels. Setting a size clears the canvas, so a canvas that has
 * the size already is left as it is.
 *
 * @param {HTMLCanvasElement} canvas
 * @param {number} width
 * @param {number} height
 */
export function resize(canvas, width, height) {
  if (canvas.width !== width || canvas.height !== height) Object.assign(canvas, { width, height });
}

/**
 * Begin to draw on a canvas.
 *
 * @param {HTMLCanvasElement} canvas
 * @returns {CanvasRenderingContext2D}
 * @throws {Error} if the browser gives no context, as it does when memory is short.
 */
export function context2d(canvas) {
  const context = canvas.getContext("2d");
  if (!context) throw new Error("The browser gives no 2D canvas.");
  return context;
}

/**
 * Give the visitor a file, as if it had been downloaded.
 *
 * @param {Blob} blob
 * @param {string} name of the file.
 */
export function download(blob, name) {
  const address = URL.createObjectURL(blob);
  make("a", { href: address, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(address), 60_000);
}
