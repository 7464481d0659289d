// Uploads a file to the server, with progress, which fetch() does not report.

/**
 * Upload a file.
 *
 * @param {File} file
 * @param {(fraction: number) => void} onProgress called with a fraction in [0, 1].
 * @returns {Promise<string>} the file's path on the server.
 * @throws {Error} with the server's sentence, or one that says that it cannot be reached.
 */
export function uploadFile(file, onProgress) {
  const request = new XMLHttpRequest();
  request.upload.addEventListener("progress", ({ loaded, total }) => onProgress(loaded / total));
  const form = new FormData();
  form.append("files", file);
  request.open("POST", new URL("gradio_api/upload", document.baseURI));
  return new Promise((resolve, reject) => {
    const fail = (/** @type {string} */ sentence) => reject(new Error(sentence));
    request.addEventListener("error", () =>
      fail("The server cannot be reached. Check the connection, then choose the picture again."),
    );
    request.addEventListener("load", () => {
      const answer = parse(request.responseText);
      if (request.status === 200) resolve(answer[0]);
      else fail(answer?.detail ?? "The server did not take the picture. Choose it again.");
    });
    request.send(form);
  });
}

/** @param {string} text */
function parse(text) {
  try {
    return JSON.parse(text);
  } catch {
    return null; // a proxy has answered with a page of its own
  }
}
