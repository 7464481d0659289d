// Says how to open the page, where it was opened as a file: browsers load no modules then. This is
// no module itself, and runs before the page is complete.

if (location.protocol === "file:") {
  addEventListener("DOMContentLoaded", () => {
    const status = document.querySelector("#status");
    if (status) {
      status.textContent =
        "This page must come from a server: run 'python -m http.server' in its folder, then open http://127.0.0.1:8000.";
    }
  });
}
