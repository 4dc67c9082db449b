// Numbers of the small print, as the server's manifest states them.

import { bytes, duration, percent } from "./format.js";

/** Fills the list of facts once the manifest is known. */
export function showFacts(manifest) {
  const { parameters, keys, evaluation_key_bytes: keyBytes, expected_seconds: seconds, accuracy } = manifest;
  const facts = [
    `Encryption: CKKS with ring degree 2^${parameters.log_n} and a modulus of ${Math.round(parameters.log_qp)} bits, ${parameters.security.bits}-bit security (${parameters.security.source}).`,
    `Evaluation keys: ${keys.length}, ${bytes(keyBytes)} together, sent once a visit.`,
    `Model ${manifest.model}: right in ${percent(accuracy.top1)} of ${accuracy.images} test images, among its best five in ${percent(accuracy.top5)}.`,
    `Expected computation on this server: ${duration(seconds)}.`,
  ];
  document.querySelector("#facts").replaceChildren(
    ...facts.map((text) => Object.assign(document.createElement("li"), { textContent: text })),
  );
}
