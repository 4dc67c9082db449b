// Numbers of the small print, as the server's manifests state them.

import { bytes, duration, percent } from "./format.js";

/** Fills in the facts of one model, above those of others. */
export function showFacts(manifest) {
  const { model, parameters, keys, evaluation_key_bytes: keyBytes, expected_seconds: seconds, task } = manifest;
  const facts = [
    QUALITY[task.kind](task),
    `Encryption: CKKS with ring degree 2^${parameters.log_n} and a modulus of ${Math.round(parameters.log_qp)} bits, ${parameters.security.bits}-bit security (${parameters.security.source}).`,
    `Evaluation keys: ${keys.length}, ${bytes(keyBytes)} together, sent once a visit.`,
    `Expected computation on this server: ${duration(seconds)}${task.kind === "complete" ? " a token" : ""}.`,
  ];
  const item = Object.assign(document.createElement("li"), { textContent: `Model ${model}:` });
  item.dataset.model = model;
  const list = document.createElement("ul");
  list.append(...facts.map((text) => Object.assign(document.createElement("li"), { textContent: text })));
  item.append(list);
  const all = document.querySelector("#facts");
  [...all.children].find(({ dataset }) => dataset.model === model)?.remove();
  all.prepend(item);
}

const QUALITY = {
  classify: ({ accuracy: { top1, top5, images } }) =>
    `Right in ${percent(top1)} of ${images} test images, among its best five in ${percent(top5)}.`,
  complete: ({ window, vocabulary, perplexity }) =>
    `Reads ${window} tokens at most, of a vocabulary of ${vocabulary.toLocaleString("en")}. ${Object.entries(perplexity)
      .map(([text, { token, word }]) => `Perplexity on ${text}: ${token.toFixed(1)} per token, ${word.toFixed(1)} per word.`)
      .join(" ")}`,
};
