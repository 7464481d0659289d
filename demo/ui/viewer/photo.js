// What Gradio's image component leaves out: it shows no picture in formats that the browser does not
// know, and does not say why the webcam cannot be opened.

import { describeCameraError } from "./webcam.js";

/**
 * Show the decoded picture where the browser cannot show the file.
 *
 * @param {HTMLElement} component the image component.
 * @param {{ photo: string } | null} result the viewer's value, or null without a result.
 */
export function showDecoded(component, result) {
  const image = component.querySelector("img");
  if (!image || !result) return;
  const mend = () => {
    if (!image.naturalWidth) image.src = result.photo;
  };
  if (image.complete) mend();
  else image.addEventListener("error", mend, { once: true });
}

/**
 * Say why the webcam cannot be opened, below the image component.
 *
 * @param {HTMLElement} component the image component.
 */
export function watchWebcam(component) {
  const message = document.createElement("div");
  message.setAttribute("role", "alert");
  message.className = "status error";
  /** @param {string} sentence empty to take the message away. */
  const say = (sentence) => {
    message.textContent = sentence;
    if (sentence) component.after(message);
    else message.remove();
  };
  component.addEventListener("click", (event) => {
    const button = event.target instanceof Element ? event.target.closest("button") : null;
    if (!button) return;
    const opens = button.getAttribute("aria-label") === "Capture from camera";
    say(opens && !navigator.mediaDevices ? describeCameraError(null) : "");
  });
  const devices = navigator.mediaDevices;
  if (!devices) return;
  const getUserMedia = devices.getUserMedia.bind(devices);
  devices.getUserMedia = async (constraints) => {
    try {
      return await getUserMedia(constraints);
    } catch (error) {
      if (component.offsetParent) say(describeCameraError(error));
      throw error;
    }
  };
}
