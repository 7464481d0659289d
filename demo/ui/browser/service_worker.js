// Keeps what the page fetches, so that it opens without a network the next time. Names of networks
// and of the runtime hold their content's hash; everything else is asked for again when it can be.

const CACHE = "segmentation";
const HASHED = /[.-][0-9a-f]{16}\.\w+$/;
const worker = /** @type {any} */ (self);

worker.addEventListener("install", (/** @type {any} */ event) => {
  event.waitUntil(keepPage().then(() => worker.skipWaiting()));
});

worker.addEventListener("activate", (/** @type {any} */ event) => {
  event.waitUntil(worker.clients.claim());
});

worker.addEventListener("fetch", (/** @type {any} */ event) => {
  const { request } = event;
  const isOwn = new URL(request.url).origin === location.origin;
  if (request.method === "GET" && isOwn) event.respondWith(answer(request));
});

/** Fetch all that the page needs before a network is chosen, and forget what it needs no more. */
async function keepPage() {
  const cache = await caches.open(CACHE);
  const { page, later } = await (await fetch("files.json")).json();
  const wanted = ["./", "files.json", ...page];
  await cache.addAll(wanted);
  const needed = [...wanted, ...later].map((name) => new URL(name, location.href).href);
  const old = (await cache.keys()).filter(({ url }) => !needed.includes(url));
  await Promise.all(old.map((request) => cache.delete(request)));
}

/**
 * @param {Request} request
 * @returns {Promise<Response>}
 */
async function answer(request) {
  const cache = await caches.open(CACHE);
  const kept = await cache.match(request, { ignoreSearch: true });
  if (kept && request.cache !== "reload" && HASHED.test(new URL(request.url).pathname)) return kept;
  try {
    const response = await fetch(request);
    if (response.ok) await keep(cache, request, response.clone());
    return response;
  } catch (error) {
    if (kept) return kept;
    throw error;
  }
}

/**
 * Keep an answer, and forget older content of the same name.
 *
 * @param {Cache} cache
 * @param {Request} request
 * @param {Response} response
 */
async function keep(cache, request, response) {
  try {
    await cache.put(request, response);
  } catch {
    // the disk is full, or storage is denied: the page works all the same
  }
}
