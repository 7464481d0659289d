// The visitor's webcam: opening, choosing and closing it, taking pictures, and what can be wrong.

import { context2d, resize } from "./dom.js";

/** @type {Record<string, string>} sentences by the name of the browser's error. */
const SENTENCES = {
  NotAllowedError:
    "The camera was not allowed. Allow it in the browser's site settings, then start again.",
  NotFoundError: "There is no camera. Connect one, then start again.",
  NotReadableError: "The camera is in use by another program. Close that one, then start again.",
  OverconstrainedError: "This camera is gone. Start again to use another one.",
};

const ENLARGE_MS = 1500; // a camera that takes longer to change its size is used as it is
export const FRAME_QUALITY = 0.8; // of a JPEG for the network
const PHOTO_QUALITY = 0.95; // of a JPEG for the visitor

/** An error whose message is for the visitor. */
export class CameraError extends Error {}

/**
 * Open a webcam.
 *
 * @param {string} deviceId of enumerateDevices(), or empty for the browser's choice.
 * @returns {Promise<MediaStream>}
 * @throws {CameraError}
 */
export async function openCamera(deviceId) {
  if (!navigator.mediaDevices) throw new CameraError(describeCameraError(null));
  const size = { width: { ideal: 1280 }, height: { ideal: 720 } };
  const which = deviceId ? { deviceId: { exact: deviceId } } : { facingMode: "user" };
  try {
    return await navigator.mediaDevices.getUserMedia({ video: { ...size, ...which } });
  } catch (error) {
    throw new CameraError(describeCameraError(error));
  }
}

/**
 * Say in one sentence why a webcam could not be opened, and what to do.
 *
 * @param {unknown} error what getUserMedia threw, or null where the browser has no such function.
 * @returns {string}
 */
export function describeCameraError(error) {
  if (error === null) {
    return "The browser gives the camera to pages over https or on localhost only.";
  }
  const name = error instanceof Error ? error.name : String(error);
  return SENTENCES[name] ?? `The camera could not be opened (${name}).`;
}

/**
 * Ask a webcam for the largest picture that it can give, and wait until the video shows it.
 *
 * @param {MediaStream} stream
 * @param {HTMLVideoElement} video
 */
export async function enlarge(stream, video) {
  const track = stream.getVideoTracks()[0];
  const { width, height } = track.getCapabilities?.() ?? {};
  if (!width?.max || !height?.max) return;
  const enlarged = new Promise((resolve) => {
    video.addEventListener("resize", resolve, { once: true });
  });
  try {
    await track.applyConstraints({ width: { ideal: width.max }, height: { ideal: height.max } });
  } catch {
    return;
  }
  if (track.getSettings().width === video.videoWidth) return;
  const waited = new Promise((resolve) => {
    setTimeout(resolve, ENLARGE_MS);
  });
  await Promise.race([enlarged, waited]);
}

/**
 * Offer the webcams that the browser names to this page.
 *
 * @param {HTMLSelectElement} select
 * @param {MediaStream} [stream] of the webcam that is in use.
 * @returns {Promise<number>} how many there are.
 */
export async function offerCameras(select, stream) {
  const used = stream ? stream.getVideoTracks()[0].getSettings().deviceId : select.value;
  const devices = (await navigator.mediaDevices?.enumerateDevices()) ?? [];
  const options = devices
    .filter(({ kind, deviceId }) => kind === "videoinput" && deviceId)
    .map(({ deviceId: id, label }) => new Option(label || "Camera", id, false, id === used));
  select.replaceChildren(...options);
  return options.length;
}

/**
 * Tell whether a webcam looks at the visitor. One that does not say where it looks counts as one
 * that does.
 *
 * @param {MediaStream} stream
 */
export function looksAtVisitor(stream) {
  return stream.getVideoTracks()[0].getSettings().facingMode !== "environment";
}

/** @param {MediaStream} stream */
export function closeCamera(stream) {
  for (const track of stream.getTracks()) track.stop();
}

/**
 * Take the whole picture that a video shows now.
 *
 * @param {HTMLVideoElement} video
 * @returns {Promise<File>} a JPEG.
 */
export async function takePhoto(video) {
  const canvas = document.createElement("canvas");
  const blob = await encode(video, canvas, video.videoWidth, video.videoHeight, PHOTO_QUALITY);
  return new File([blob], "camera.jpg", { type: "image/jpeg" });
}

/**
 * Take the picture that a video shows now, squashed to a square for the network.
 *
 * @param {HTMLVideoElement} video
 * @param {HTMLCanvasElement} canvas is used for squashing.
 * @param {number} side in pixels.
 * @returns {Promise<ArrayBuffer>} a JPEG.
 */
export async function takeFrame(video, canvas, side) {
  return (await encode(video, canvas, side, side, FRAME_QUALITY)).arrayBuffer();
}

/**
 * @param {HTMLVideoElement} video
 * @param {HTMLCanvasElement} canvas
 * @param {number} width
 * @param {number} height
 * @param {number} quality of the JPEG, in [0, 1].
 * @returns {Promise<Blob>}
 */
function encode(video, canvas, width, height, quality) {
  resize(canvas, width, height);
  context2d(canvas).drawImage(video, 0, 0, width, height);
  return new Promise((resolve, reject) => {
    const settle = (/** @type {Blob | null} */ blob) =>
      blob ? resolve(blob) : reject(new Error("The browser could not make a JPEG."));
    canvas.toBlob(settle, "image/jpeg", quality);
  });
}
