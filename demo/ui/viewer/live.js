// The live view: the camera's own picture, and over it the newest result, which is never old.

import {
  CameraError,
  closeCamera,
  enlarge,
  listCameras,
  looksAtVisitor,
  openCamera,
} from "./webcam.js";
import { Chart } from "./chart.js";
import { Connection } from "./connection.js";
import { Field } from "./field.js";
import { isolateClass, renderLegend, toggleClass } from "./legend.js";
import { providePainter } from "./painter.js";
import { buildStyle } from "./style.js";

const SIDES = [256, 384, 512];
const TARGET_RATE = 12; // results per second
const OLDEST_MS = 1200; // an older result is not shown
const FADE_AFTER_MS = 700; // without a newer result the overlay fades
const RETRY_MS = [500, 1000, 2000, 4000];
const SILENT_MS = 10_000; // a connection that has not answered for so long is lost
const RATE_OVER_MS = 2000;
const UNSEEN_MS = 60_000; // out of sight for so long, the camera is turned off
const JPEG_QUALITY = 0.8;
const PAINT_SIDE = 512; // of the overlay's canvas; the browser stretches it over the video

/** Called by js_on_load of the gr.HTML component. */
export function mount(element, props, watch, trigger, upload) {
  const live = new LiveView(element.querySelector(".live"), props.classes);
  live.onFreeze = async (file) => trigger("submit", await upload(file));
}

export class LiveView {
  /** @param {HTMLElement} root holds live.html. @param {object[]} classes by class id. */
  constructor(root, classes) {
    this.root = root;
    this.classes = classes;
    this.find = (selector) => root.querySelector(selector);
    this.video = this.find("video");
    this.stage = this.find(".stage");
    providePainter(
      () => this.#createCanvas(),
      (painter) => this.#paintWith(painter),
    );
    this.chart = new Chart(this.find(".chart canvas"));
    this.shrunk = document.createElement("canvas");
    this.state = { view: "overlay", opacity: 0.6, threshold: 0, hidden: new Set() };
    this.side = SIDES[0];
    this.results = []; // {at, age, roundTrip} of the last seconds
    this.#listen();
  }

  #createCanvas() {
    const canvas = document.createElement("canvas");
    canvas.className = "paint";
    [canvas.width, canvas.height] = [PAINT_SIDE, PAINT_SIDE];
    if (this.canvas) this.canvas.replaceWith(canvas);
    else this.video.after(canvas);
    return (this.canvas = canvas);
  }

  #paintWith(painter) {
    this.painter = painter;
    if (!this.field) return;
    painter.setField(this.field);
    this.#paint();
  }

  #listen() {
    this.find(".start").addEventListener("click", () => this.start());
    this.find(".stop").addEventListener("click", () => this.stop());
    this.find(".freeze").addEventListener("click", () => this.freeze());
    this.find(".camera select").addEventListener("change", () => {
      this.isMirrorChosen = false;
      this.start();
    });
    this.find("[name=mirror]").addEventListener("change", () => (this.isMirrorChosen = true));
    for (const input of this.root.querySelectorAll("input[type=range]")) {
      input.addEventListener("input", () => this.#applyControls());
    }
    for (const name of ["mirror", "safe", "side"]) {
      this.find(`[name=${name}]`).addEventListener("change", () => this.#applyControls());
    }
    document.addEventListener("visibilitychange", () => this.#onVisibility());
    this.video.addEventListener("resize", () => this.#fitStage()); // a phone was turned
    new IntersectionObserver((entries) => {
      this.isOffScreen = !entries.at(-1).isIntersecting;
      this.#onVisibility();
    }).observe(this.stage);
    setInterval(() => this.#tick(), 250);
    this.#applyControls();
    this.find(".start").disabled = false;
  }

  #applyControls() {
    for (const input of this.root.querySelectorAll("input[type=range]")) {
      const value = input.closest("label").querySelector(".value");
      value.textContent = `${Math.round(input.value * 100)} %`;
    }
    this.state.opacity = Number(this.find("[name=opacity]").value);
    this.stage.classList.toggle("mirrored", this.find("[name=mirror]").checked);
    const side = this.find("[name=side]").value;
    if (side !== "auto") this.side = Number(side);
    const smoothing = Number(this.find("[name=smoothing]").value);
    if (smoothing !== this.smoothing) this.connection?.setSmoothing(smoothing);
    this.smoothing = smoothing;
    this.#paint();
  }

  get palette() {
    const isSafe = this.find("[name=safe]").checked;
    return this.classes.map((each) => (isSafe ? each.safe : each.voc));
  }

  /** Open the chosen camera and begin. */
  async start() {
    this.stop();
    const attempt = (this.attempt = Symbol("attempt"));
    this.#say("Waiting for the camera ...");
    try {
      const stream = await openCamera(this.find(".camera select").value);
      if (this.attempt !== attempt) return closeCamera(stream); // stopped or restarted meanwhile
      this.stream = stream;
      stream.getVideoTracks()[0].addEventListener("ended", () => {
        this.stop();
        this.#listCameras();
        this.#say("The camera was disconnected. Connect it, then start again.", true);
      });
      this.video.srcObject = stream;
      await this.video.play();
      if (!this.isMirrorChosen) this.find("[name=mirror]").checked = looksAtVisitor(stream);
      this.#applyControls();
      await this.#listCameras(stream);
      if (this.attempt !== attempt) return;
      this.#showRunning(true);
      this.retries = 0;
      this.isOffScreen = this.stage.offsetParent === null;
      this.#onVisibility();
    } catch (error) {
      if (this.attempt !== attempt) return;
      this.stop();
      this.#listCameras(); // the chosen one may be gone
      const isOurs = error instanceof CameraError;
      this.#say(isOurs ? error.message : "The camera could not be started. Try again.", true);
    }
  }

  /** Release the camera and the server at once. */
  stop() {
    this.attempt = null;
    this.isPaused = false;
    clearTimeout(this.timer);
    this.#disconnect();
    if (this.stream) closeCamera(this.stream);
    this.stream = null;
    this.video.srcObject = null;
    this.#showRunning(false);
    this.#say("Stopped. The camera is off.");
  }

  /** Hand over a picture of all that the camera can give, not mirrored, and stop. */
  async freeze() {
    const { attempt } = this;
    const button = this.find(".freeze");
    button.disabled = true;
    try {
      await enlarge(this.stream, this.video);
      if (!this.isRunning || this.attempt !== attempt) return; // stopped meanwhile
      const canvas = document.createElement("canvas");
      [canvas.width, canvas.height] = [this.video.videoWidth, this.video.videoHeight];
      canvas.getContext("2d").drawImage(this.video, 0, 0);
      const blob = await new Promise((done) => canvas.toBlob(done, "image/jpeg", 0.95));
      await this.onFreeze(new File([blob], "camera.jpg", { type: "image/jpeg" }));
      if (this.attempt === attempt) this.stop();
    } catch {
      this.#say("The frame could not be sent to the first tab. Freeze again.", true);
    } finally {
      button.disabled = false;
    }
  }

  async #listCameras(stream) {
    const select = this.find(".camera select");
    const current = stream ? stream.getVideoTracks()[0].getSettings().deviceId : select.value;
    const options = (await listCameras()).map(
      ({ deviceId, label }) => new Option(label || "Camera", deviceId, false, deviceId === current),
    );
    select.replaceChildren(...options);
    this.find(".camera").hidden = options.length < 2;
  }

  #showRunning(isRunning) {
    this.isRunning = isRunning;
    const losesFocus = document.activeElement === this.find(isRunning ? ".start" : ".stop");
    this.find(".start").hidden = isRunning;
    for (const name of [".stop", ".freeze"]) this.find(name).hidden = !isRunning;
    this.stage.hidden = !isRunning;
    this.find(".chart").hidden = !isRunning;
    if (losesFocus) this.find(isRunning ? ".stop" : ".start").focus();
    if (isRunning) this.#fitStage();
    else this.chart.clear();
  }

  #fitStage() {
    const { videoWidth, videoHeight } = this.video;
    this.stage.style.setProperty("--ratio", `${videoWidth} / ${videoHeight}`);
    this.stage.style.width = `min(100%, ${(70 * videoWidth) / videoHeight}vh)`;
  }

  #connect() {
    this.#say("Connecting ...");
    const address = new URL("live", document.baseURI);
    address.protocol = address.protocol === "https:" ? "wss:" : "ws:";
    this.connection = new Connection(address, {
      onReady: ({ weights }) => {
        this.retries = 0;
        this.#countAnew();
        this.#say(weights);
        this.connection.setSmoothing(this.smoothing);
        this.#sendFrame();
      },
      onResult: (result) => this.#show(result),
      onEnd: (sentence) => this.#onEnd(sentence),
    });
  }

  #disconnect() {
    this.connection?.close();
    this.connection = null;
    this.field = null;
    this.results = [];
    this.canvas.style.opacity = 0;
    this.find(".stats").textContent = "";
    this.find(".legend").replaceChildren();
  }

  #onEnd(sentence) {
    this.#disconnect();
    if (sentence) {
      this.stop();
      this.#say(sentence, true);
      return;
    }
    const wait = RETRY_MS[Math.min(this.retries++, RETRY_MS.length - 1)];
    this.#say("The connection was lost. Trying again ...", true);
    this.timer = setTimeout(() => this.#connect(), wait);
  }

  get isSeen() {
    return !document.hidden && !this.isOffScreen;
  }

  /** A hidden page, or another tab of it, shows nobody anything: it leaves its place to others. */
  #onVisibility() {
    if (!this.isRunning) return;
    if (this.isSeen ? this.connection : this.isPaused) return;
    clearTimeout(this.timer);
    this.isPaused = !this.isSeen;
    if (this.isSeen) return this.#connect();
    this.#disconnect();
    this.timer = setTimeout(() => this.stop(), UNSEEN_MS);
    this.#say("Paused while it is out of sight. After a minute the camera is turned off.");
  }

  /** Take the newest picture, squash it to the network's side and send it. */
  #sendFrame() {
    const { connection, video, shrunk, side } = this;
    if (!connection?.isFree || !video.videoWidth) return;
    if (shrunk.width !== side) [shrunk.width, shrunk.height] = [side, side];
    const takenAt = performance.now();
    shrunk.getContext("2d").drawImage(video, 0, 0, side, side);
    shrunk.toBlob(
      async (blob) => {
        const jpeg = await blob.arrayBuffer();
        if (connection.isFree) connection.send(jpeg, takenAt);
      },
      "image/jpeg",
      JPEG_QUALITY,
    );
  }

  #show(result) {
    const now = performance.now();
    const age = now - result.takenAt;
    this.results.push({ at: now, age, roundTrip: result.roundTrip });
    this.#sendFrame();
    if (age > OLDEST_MS) return;
    const size = this.side;
    const box = [0, 0, size, size];
    this.field = new Field({ ...result, box, width: size, height: size });
    this.shownAt = now;
    this.flicker = result.flicker;
    this.painter.setField(this.field);
    this.#paint();
    this.areas = result.areas;
    this.chart.add(now, result.areas);
    const detail = { age: performance.now() - result.takenAt };
    this.root.dispatchEvent(new CustomEvent("result", { detail })); // benchmarks/live.py listens
  }

  #paint() {
    if (!this.field) return;
    const step = this.field.width / PAINT_SIDE;
    const view = { left: 0, top: 0, stepX: step, stepY: step };
    this.painter.paint(view, buildStyle(this.state, this.palette));
    this.canvas.style.opacity = 1;
  }

  /** Figures, the legend, the chart, the side, and the fading of what has grown old. */
  #tick() {
    if (!this.stream) return;
    const now = performance.now();
    if (this.field && now - this.shownAt > FADE_AFTER_MS) this.canvas.style.opacity = 0;
    this.results = this.results.filter(({ at }) => now - at < RATE_OVER_MS);
    const sentAt = this.connection?.inFlight?.sentAt ?? now;
    if (now - sentAt > SILENT_MS) return this.#onEnd(null);
    this.#sendFrame();
    if (!this.results.length) return;
    const median = (key) => {
      const sorted = this.results.map((each) => each[key]).sort((a, b) => a - b);
      return sorted[Math.floor(sorted.length / 2)];
    };
    const rate = (1000 * this.results.length) / Math.min(RATE_OVER_MS, now - this.countedSince);
    const parts = [
      `${rate.toFixed(0)} results/s`,
      `${median("age").toFixed(0)} ms old`,
      `side ${this.side}`,
    ];
    if (median("age") > OLDEST_MS) parts.push("too old to be shown: the connection is slow");
    if (this.flicker) {
      const [raw, smoothed] = this.flicker.map((share) => `${(share * 100).toFixed(1)} %`);
      parts.push(`flicker ${raw} before smoothing, ${smoothed} after`);
    }
    this.find(".stats").textContent = parts.join(" · ");
    this.#renderAreas();
    this.#adaptSide(median("roundTrip"), now);
  }

  #renderAreas() {
    const shown = {
      rows: (this.areas ?? []).map(([id, share]) => ({ id, pixels: share })).sort((a, b) => a.id - b.id),
      unsure: 0,
      notSeen: 0,
      seen: 1,
      names: this.classes.map((each) => each.name),
      hidden: this.state.hidden,
      palette: this.palette,
    };
    renderLegend(this.find(".legend"), shown, {
      toggle: (id) => {
        toggleClass(this.state.hidden, id);
        this.#renderAreas();
        this.#paint();
      },
      isolate: (id) => {
        isolateClass(this.state.hidden, id, this.areas.map(([other]) => other));
        this.#renderAreas();
        this.#paint();
      },
    });
    this.chart.draw(this.palette);
  }

  /** The largest side that keeps the rate; time goes with the square of the side. */
  #adaptSide(roundTrip, now) {
    if (this.find("[name=side]").value !== "auto" || now - (this.adaptedAt ?? 0) < 2000) return;
    this.adaptedAt = now;
    const allowed = 1000 / TARGET_RATE;
    const at = SIDES.indexOf(this.side);
    const larger = SIDES[at + 1];
    if (roundTrip > allowed * 1.15 && at > 0) this.side = SIDES[at - 1];
    else if (larger && roundTrip * (larger / this.side) ** 2 < allowed * 0.9) this.side = larger;
    else return;
    this.#countAnew();
  }

  #countAnew() {
    this.results = [];
    this.countedSince = performance.now();
  }

  #say(sentence, isWrong = false) {
    const message = this.find(".message");
    message.textContent = sentence;
    message.classList.toggle("wrong", isWrong);
  }
}
