// Which part of the image is on the stage: zoom and pan.

const MOST = 32;

export class Viewport {
  constructor() {
    this.image = { width: 1, height: 1 };
    this.stage = { width: 1, height: 1 };
    this.reset();
  }

  reset() {
    this.zoom = 1;
    this.centre = { x: this.image.width / 2, y: this.image.height / 2 };
  }

  /** Show an image whole; one that is shown already stays as it is. */
  show({ photo, width, height }) {
    if (photo === this.photo) return;
    this.photo = photo;
    this.image = { width, height };
    this.reset();
  }

  /** Screen pixels (CSS) per image pixel. */
  get scale() {
    const { image, stage } = this;
    return Math.min(stage.width / image.width, stage.height / image.height) * this.zoom;
  }

  /** Where the image's corner lies on the stage. */
  get offset() {
    const along = (stage, image, centre) => {
      const length = image * this.scale;
      if (length <= stage) return (stage - length) / 2;
      return Math.min(0, Math.max(stage - length, stage / 2 - centre * this.scale));
    };
    return {
      x: along(this.stage.width, this.image.width, this.centre.x),
      y: along(this.stage.height, this.image.height, this.centre.y),
    };
  }

  toImage(x, y) {
    return { x: (x - this.offset.x) / this.scale, y: (y - this.offset.y) / this.scale };
  }

  toStage(x, y) {
    return { x: this.offset.x + x * this.scale, y: this.offset.y + y * this.scale };
  }

  /** Zoom by a factor about a point of the stage, which stays where it is. */
  zoomAt(factor, x = this.stage.width / 2, y = this.stage.height / 2) {
    const fixed = this.toImage(x, y);
    this.zoom = Math.min(MOST, Math.max(1, this.zoom * factor));
    this.#centreOn(
      fixed.x + (this.stage.width / 2 - x) / this.scale,
      fixed.y + (this.stage.height / 2 - y) / this.scale,
    );
  }

  panBy(x, y) {
    this.#centreOn(this.centre.x - x / this.scale, this.centre.y - y / this.scale);
  }

  /** Pan just as far as it takes to have a point of the image on the stage. */
  bringIn(x, y) {
    const at = this.toStage(x, y);
    const excess = (value, size) => value - Math.min(size * 0.95, Math.max(size * 0.05, value));
    this.panBy(-excess(at.x, this.stage.width), -excess(at.y, this.stage.height));
  }

  #centreOn(x, y) {
    const within = (value, image, stage) => {
      const half = Math.min(stage / this.scale, image) / 2;
      return Math.min(image - half, Math.max(half, value));
    };
    this.centre = {
      x: within(x, this.image.width, this.stage.width),
      y: within(y, this.image.height, this.stage.height),
    };
  }

  /** The visible part of the image on the stage, in CSS pixels. */
  get visible() {
    const { offset, scale, image, stage } = this;
    const left = Math.max(0, offset.x);
    const top = Math.max(0, offset.y);
    return {
      left,
      top,
      width: Math.min(stage.width, offset.x + image.width * scale) - left,
      height: Math.min(stage.height, offset.y + image.height * scale) - top,
    };
  }
}
