// The visitor's camera: opening, choosing, closing, and what can be wrong with it.

const SENTENCES = {
  NotAllowedError: "The camera was not allowed. Allow it in the browser's site settings, then start again.",
  NotFoundError: "There is no camera. Connect one, then start again.",
  NotReadableError: "The camera is in use by another program. Close that one, then start again.",
  OverconstrainedError: "This camera is gone. Start again to use another one.",
};

const ENLARGE_MS = 1500; // a camera that takes longer stays as it is

/** An error whose message is for the visitor. */
export class CameraError extends Error {}

/**
 * @param {string} deviceId of enumerateDevices, or empty for the browser's choice.
 * @returns {Promise<MediaStream>}
 * @throws {CameraError}
 */
export async function openCamera(deviceId) {
  if (!navigator.mediaDevices) {
    throw new CameraError("The browser gives the camera to pages over https or on localhost only.");
  }
  const size = { width: { ideal: 1280 }, height: { ideal: 720 } };
  const which = deviceId ? { deviceId: { exact: deviceId } } : { facingMode: "user" };
  try {
    return await navigator.mediaDevices.getUserMedia({ video: { ...size, ...which } });
  } catch (error) {
    throw new CameraError(SENTENCES[error.name] ?? `The camera could not be opened (${error.name}).`);
  }
}

/** Ask a camera for the largest picture that it can give, and wait until the video shows it. */
export async function enlarge(stream, video) {
  const track = stream.getVideoTracks()[0];
  const { width, height } = track.getCapabilities?.() ?? {};
  if (!width || !height) return;
  const enlarged = new Promise((done) => video.addEventListener("resize", done, { once: true }));
  try {
    await track.applyConstraints({ width: { ideal: width.max }, height: { ideal: height.max } });
  } catch {
    return;
  }
  if (track.getSettings().width === video.videoWidth) return;
  await Promise.race([enlarged, new Promise((done) => setTimeout(done, ENLARGE_MS))]);
}

export async function listCameras() {
  const devices = (await navigator.mediaDevices?.enumerateDevices()) ?? [];
  return devices.filter(({ kind, deviceId }) => kind === "videoinput" && deviceId);
}

/** Only a camera that says it looks away from the visitor is not mirrored. */
export function looksAtVisitor(stream) {
  return stream.getVideoTracks()[0].getSettings().facingMode !== "environment";
}

export function closeCamera(stream) {
  for (const track of stream.getTracks()) track.stop();
}
