// The page's own files, refused when they are not those that it was built with: a half finished upgrade, a stale cache, something
// in between. It is no protection from the server itself, which serves this file too.

import { DIGESTS } from "../pkg/integrity.js";
import { Problem } from "./problem.js";

const ROOT = new URL("..", import.meta.url);

/** The response with the file at `path`, as `pkg/simd/….wasm`. */
export async function fetchOwn(path) {
  const integrity = DIGESTS[path];
  const address = new URL(path, ROOT);
  if (integrity === undefined) throw altered(path);
  let response;
  try {
    // Asks the server, and transfers the file once: whoever imports it next finds it in the cache.
    response = await fetch(address, { integrity, cache: "no-cache", credentials: "omit" });
  } catch (cause) {
    // Browsers say the same of both: it did not come, or it was another one.
    const came = await fetch(address, { cache: "no-cache", credentials: "omit" }).then(
      ({ ok }) => ok,
      () => false,
    );
    throw came ? altered(path) : missing(path, cause.message);
  }
  if (response.ok) return response;
  throw missing(path, `The server answered ${response.status}`);
}

/** The module at `path`. Browsers check no module that a worker imports, so it is fetched and checked a moment before. */
export async function importOwn(path) {
  await fetchOwn(path);
  return import(new URL(path, ROOT));
}

/** Rejects unless the scripts of workers are those that the page was built with. A page that was not sealed does not name them. */
export async function checkWorkers() {
  await Promise.all(
    Object.keys(DIGESTS)
      .filter((path) => path.startsWith("worker/"))
      .map(fetchOwn),
  );
}

function altered(path) {
  return new Problem({
    title: "A file of this page is not the one that it was built with",
    detail: path,
    hint: "Reload the page. If it happens again, something changes files between the builder of this page and you: do not use it.",
  });
}

function missing(path, detail) {
  return new Problem({ title: "A file of this page did not come", detail: `${path}: ${detail}`, hint: "Check the connection and reload the page." });
}
