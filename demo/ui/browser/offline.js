// Lets the browser keep the site, so that it opens without a network the next time.

const LONGEST_WAIT_MS = 2000;

/**
 * Start the service worker, and wait until it sees what the page fetches. Where there is none, the
 * page works all the same.
 */
export async function keepForLater() {
  const { serviceWorker } = navigator;
  if (!serviceWorker) return;
  try {
    await serviceWorker.register("service_worker.js");
  } catch {
    return; // storage is denied
  }
  if (serviceWorker.controller) return;
  await new Promise((resolve) => {
    serviceWorker.addEventListener("controllerchange", resolve, { once: true });
    setTimeout(resolve, LONGEST_WAIT_MS);
  });
}
