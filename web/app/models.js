// Which model answers, where the server has several for the same task. A choice is a link to this page, so that it can be kept and shared.

import { bytes, duration, percent } from "./format.js";

/** The models that the address asks for: `?model=NAME`, as often as there are tasks. */
export function wanted() {
  return new URLSearchParams(location.search).getAll("model");
}

/** Says which model answers and offers the others: `{id, evaluation_key_bytes, expected_seconds, accuracy?}` each. */
export function offerModels(line, { model }, others) {
  line.hidden = others.length === 0;
  line.replaceChildren(`Model: ${model}. Also here: `);
  for (const [index, other] of others.entries()) {
    const link = Object.assign(document.createElement("a"), { href: address(model, other.id), textContent: other.id });
    link.classList.add("model");
    const right = other.accuracy ? `right ${percent(other.accuracy.top1)} of the time, ` : "";
    const cost = ` (${right}${bytes(other.evaluation_key_bytes)} of keys, about ${duration(other.expected_seconds)} an answer)`;
    line.append(index > 0 ? ", " : "", link, cost);
  }
  line.append(".");
}

function address(current, chosen) {
  const url = new URL(location.href);
  const kept = url.searchParams.getAll("model").filter((name) => name !== current);
  url.searchParams.delete("model");
  for (const name of [...kept, chosen]) url.searchParams.append("model", name);
  return url.href;
}
