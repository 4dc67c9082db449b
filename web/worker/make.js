// One evaluation key, ready to be sent.

import { parts } from "./parts.js";

/** `{name, bytes, checksums, fingerprint, seconds}`: a checksum for each part; the first key names the whole set. */
export function makeKey(engine, session, index) {
  const began = performance.now();
  const bytes = session.key(index);
  return {
    name: session.keyName(index),
    bytes,
    checksums: parts(bytes).map(engine.checksum),
    fingerprint: index === 0 ? session.fingerprint(bytes) : undefined,
    seconds: (performance.now() - began) / 1000,
  };
}
