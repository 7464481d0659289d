// The live view: the webcam's picture, and over it the newest result that is not too old.

import { BackgroundControls, firstEffect } from "./background_controls.js";
import { find } from "./dom.js";
import { LiveLabels } from "./live_labels.js";
import { LiveOverlay } from "./live_overlay.js";
import { LivePointer } from "./live_pointer.js";
import { LiveReadings } from "./live_readings.js";
import { LiveSession } from "./live_session.js";
import { LiveSettings } from "./live_settings.js";
import { OLDEST_MS } from "./pace.js";
import { Recorder } from "./recorder.js";
import { Sight } from "./sight.js";
import { CameraError, closeCamera, enlarge, looksAtVisitor } from "./webcam.js";
import { offerCameras, openCamera, takePhoto } from "./webcam.js";

/** @import { LiveResult } from "./connection.js" */
/** @import { Place } from "./live_session.js" */
/** @import { ClassInfo, LiveReady } from "./types.js" */

const UNSEEN_MS = 60_000; // the camera is turned off when it was out of sight for so long
const TICK_MS = 250;

/** @template Frame */
export class LiveView {
  /**
   * @param {HTMLElement} root holds live.html.
   * @param {ClassInfo[]} classes
   * @param {Place<Frame>} place where frames are segmented.
   * @param {(photo: File) => Promise<void>} onFreeze takes a picture that the visitor has frozen.
   */
  constructor(root, classes, place, onFreeze) {
    this.root = root;
    this.pageClasses = classes;
    this.classes = [...classes]; // of the network that runs; all parts share this list
    this.onFreeze = onFreeze;
    this.video = find(root, "video", HTMLVideoElement);
    this.stage = find(root, ".stage", HTMLElement);
    this.message = find(root, ".message", HTMLElement);
    this.cameras = find(root, ".camera select", HTMLSelectElement);
    this.settings = new LiveSettings(root, {
      onChange: () => this.#applySettings(),
      onNetwork: () => this.#changeNetwork(),
    });
    this.overlay = new LiveOverlay(this.video);
    const background = find(root, ".background", HTMLElement);
    this.background = new BackgroundControls(background, this.classes, firstEffect(), () =>
      this.overlay.repaint(),
    );
    this.recorder = new Recorder(this.#button("record"), this.video, this.overlay, (sentence) =>
      this.#say(sentence),
    );
    this.readings = new LiveReadings(root, this.classes, this.overlay);
    this.labels = new LiveLabels(root, this.classes, this.overlay);
    this.pointer = new LivePointer(root, this.classes, this.overlay);
    this.session = new LiveSession(this.video, place, {
      onConnecting: () => this.#say(`Starting ${this.settings.label} ...`),
      onReady: (ready) => this.#onReady(ready),
      onResult: (result, now) => this.#show(result, now),
      onEnd: (sentence) => this.#onEnd(sentence),
    });
    /** @type {MediaStream | null} */
    this.stream = null;
    /** @type {symbol | null} identifies the latest start; null when stopped. */
    this.attempt = null;
    this.unseenTimer = 0; // turns the camera off
    this.isRunning = false;
    this.isPaused = false;
    this.sight = new Sight(root, () => this.#onSight()); // the settings are of use by themselves
    this.#listen();
  }

  #listen() {
    this.#button("start").addEventListener("click", () => this.start());
    this.#button("stop").addEventListener("click", () => this.stop());
    this.#button("freeze").addEventListener("click", () => this.freeze());
    this.cameras.addEventListener("change", () => {
      this.settings.isMirrorChosen = false;
      if (this.attempt) this.start();
    });
    navigator.mediaDevices?.addEventListener("devicechange", () => {
      if (this.stream) this.#listCameras();
    });
    this.video.addEventListener("resize", () => this.#fitStage()); // a phone was turned
    setInterval(() => this.#tick(), TICK_MS);
    this.#applySettings();
    this.#button("start").disabled = false;
  }

  /** @param {"start" | "stop" | "freeze" | "record"} name */
  #button(name) {
    return find(this.root, `.${name}`, HTMLButtonElement);
  }

  #applySettings() {
    const { overlay, session, settings } = this;
    this.stage.classList.toggle("mirrored", settings.isOn("mirror"));
    session.fixSide(settings.side);
    session.setSmoothing(settings.fraction("smoothing"));
    session.variant = settings.variant;
    session.isExact = settings.isOn("exact");
    this.background.show(settings.isOn("replace"));
    overlay.applySettings(settings, this.background.shown);
    overlay.setClasses(this.classes, settings.isOn("safe"));
    overlay.repaint();
    this.labels.render(this.areNamed);
    this.pointer.render();
  }

  get areNamed() {
    return this.settings.isOn("labels") && !this.overlay.effect;
  }

  /** Go on with the variant and the precision that were chosen. */
  #changeNetwork() {
    this.#applySettings();
    if (!this.isRunning || this.isPaused) return;
    this.session.disconnect();
    this.session.connect();
  }

  /** Open the chosen camera and begin. */
  async start() {
    this.stop();
    const attempt = Symbol("attempt");
    this.attempt = attempt;
    this.#say("Waiting for the camera ...");
    try {
      const stream = await openCamera(this.cameras.value);
      // a visitor may stop or start again while this waits
      if (this.attempt === attempt) await this.#use(stream);
      else closeCamera(stream);
      if (this.attempt === attempt) this.#run();
    } catch (error) {
      if (this.attempt !== attempt) return;
      this.stop();
      this.#listCameras(); // the chosen one may be gone
      const isKnown = error instanceof CameraError;
      this.#say(isKnown ? error.message : "The camera could not be started. Try again.", true);
    }
  }

  /**
   * Show the picture of a camera that was opened.
   *
   * @param {MediaStream} stream
   */
  async #use(stream) {
    this.stream = stream;
    stream.getVideoTracks()[0].addEventListener("ended", () => {
      this.stop();
      this.#listCameras();
      this.#say("The camera was disconnected. Connect it, then start again.", true);
    });
    this.video.srcObject = stream;
    await this.video.play();
    this.settings.suggestMirror(looksAtVisitor(stream));
    this.#applySettings();
    await this.#listCameras();
  }

  /** Begin to send frames. */
  #run() {
    this.#showRunning(true);
    this.session.retries = 0;
    this.sight.refresh();
    this.#onSight();
  }

  /** Release the camera and the server at once. */
  stop() {
    this.attempt = null;
    this.isPaused = false;
    clearTimeout(this.unseenTimer);
    this.#disconnect();
    if (this.stream) closeCamera(this.stream);
    this.stream = null;
    this.video.srcObject = null;
    this.#showRunning(false);
    this.#say("Stopped. The camera is off.");
  }

  /** Hand over the largest picture that the camera can give, not mirrored, and stop. */
  async freeze() {
    const { attempt, stream } = this;
    if (!stream) return;
    const button = this.#button("freeze");
    button.disabled = true;
    try {
      await enlarge(stream, this.video);
      if (!this.isRunning || this.attempt !== attempt) return; // stopped while it waited
      await this.onFreeze(await takePhoto(this.video));
      if (this.attempt === attempt) this.stop();
    } catch {
      this.#say("The frame could not be sent to the Image tab. Freeze again.", true);
    } finally {
      button.disabled = false;
    }
  }

  /** List the cameras; before a visitor has allowed one, browsers name none. */
  async #listCameras() {
    const hasAny = (await offerCameras(this.cameras, this.stream ?? undefined)) > 0;
    find(this.root, ".camera", HTMLElement).hidden = !hasAny;
  }

  /** @param {boolean} isRunning */
  #showRunning(isRunning) {
    const [start, stop] = [this.#button("start"), this.#button("stop")];
    this.isRunning = isRunning;
    const losesFocus = document.activeElement === (isRunning ? start : stop);
    start.hidden = isRunning;
    stop.hidden = !isRunning;
    this.#button("freeze").hidden = !isRunning;
    this.recorder.show(isRunning);
    this.stage.hidden = !isRunning;
    find(this.root, ".place", HTMLElement).hidden = isRunning;
    find(this.root, ".scene", HTMLElement).classList.toggle("running", isRunning);
    this.readings.show(isRunning);
    if (losesFocus) (isRunning ? stop : start).focus();
    if (isRunning) this.#fitStage();
  }

  #fitStage() {
    const { videoWidth, videoHeight } = this.video;
    this.stage.style.setProperty("--ratio", `${videoWidth} / ${videoHeight}`);
    this.stage.style.width = `min(100%, var(--most) * ${videoWidth / videoHeight})`;
  }

  #disconnect() {
    this.session.disconnect();
    this.overlay.clear();
    this.readings.clear();
    this.labels.render(false);
    this.pointer.render();
  }

  /** @param {LiveReady} ready */
  #onReady({ ready, weights, precision, has_bf16, classes }) {
    this.classes.splice(0, this.classes.length, ...(classes ?? this.pageClasses));
    this.#applySettings();
    this.#say(`${ready} is running in ${precision}.`);
    find(this.root, ".exact", HTMLElement).hidden = !has_bf16;
    this.readings.tellWeights(weights);
  }

  /** @param {string | null} sentence why the server ended the session; null if it goes on. */
  #onEnd(sentence) {
    this.#disconnect();
    if (sentence) this.stop();
    this.#say(sentence || "The connection was lost. Trying again ...", true);
  }

  /** Pause while nobody sees the picture, so that others can have this session's place. */
  #onSight() {
    if (!this.isRunning) return;
    const { isSeen } = this.sight;
    if (isSeen ? this.session.connection : this.isPaused) return;
    clearTimeout(this.unseenTimer);
    this.isPaused = !isSeen;
    if (isSeen) {
      this.session.connect();
      return;
    }
    this.#disconnect();
    this.unseenTimer = window.setTimeout(() => this.stop(), UNSEEN_MS);
    this.#say("Paused while it is out of sight. After a minute the camera is turned off.");
  }

  /**
   * @param {LiveResult} result
   * @param {number} now time of performance.now().
   */
  #show(result, now) {
    if (now - result.takenAt > OLDEST_MS) return;
    this.background.offerAlso(result.areas.map(([id]) => id));
    this.overlay.show(result, this.session.pace.side, now);
    this.readings.add(result, now);
    this.pointer.render();
    const detail = { age: performance.now() - result.takenAt };
    this.root.dispatchEvent(new CustomEvent("result", { detail })); // benchmarks/live.py listens
  }

  #tick() {
    if (!this.stream) return;
    const now = performance.now();
    const { pace } = this.session;
    this.overlay.fade(now);
    if (!this.overlay.shown) this.pointer.render();
    this.labels.render(this.areNamed);
    this.session.tick(now);
    const figures = pace.measure(now);
    if (!figures) return;
    this.readings.render(figures, pace.side);
    this.session.adapt(figures.roundTrip, now);
  }

  /**
   * @param {string} sentence
   * @param {boolean} isWrong
   */
  #say(sentence, isWrong = false) {
    this.message.textContent = sentence;
    this.message.classList.toggle("wrong", isWrong);
  }
}
