// Encodes frames of a video as JPEG beside the page: on the page itself, browsers put that off until
// they are idle.

/** @import { FrameRequest } from "./frame_encoder.js" */

const canvas = new OffscreenCanvas(1, 1);
const context = canvas.getContext("2d");
const page = /** @type {Worker} */ (/** @type {unknown} */ (self));

page.onmessage = async (/** @type {MessageEvent<FrameRequest>} */ { data }) => {
  const { frame, side, quality } = data;
  if (canvas.width !== side) Object.assign(canvas, { width: side, height: side });
  context?.drawImage(frame, 0, 0, side, side);
  frame.close();
  const blob = await canvas.convertToBlob({ type: "image/jpeg", quality });
  const jpeg = await blob.arrayBuffer();
  page.postMessage(jpeg, [jpeg]);
};
