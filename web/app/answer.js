// The opened answer: the best label, the five best as bars, and the sample's own label to compare with.

import { bytes, duration, label, percent } from "./format.js";

/** Shows `top`, an array of `{label, probability}` from likeliest to least. */
export function showAnswer({ top, seconds, memory, truth }) {
  const best = top[0].label;
  document.querySelector("#label").textContent = label(best);
  document.querySelector("#truth").textContent = compare(top, truth);
  document.querySelector("#bars").replaceChildren(...top.map(bar));
  document.querySelector("#timing").textContent = `Answered in ${duration(seconds)}, from the press of the button. Your browser needed ${bytes(memory)} of memory for it. The server still does not know.`;
  const section = document.querySelector("#answer");
  section.dataset.label = best;
  section.dataset.memory = memory;
  section.hidden = false;
  section.scrollIntoView({ block: "nearest", behavior: matchMedia("(prefers-reduced-motion: reduce)").matches ? "auto" : "smooth" });
}

export function hideAnswer() {
  const section = document.querySelector("#answer");
  delete section.dataset.label;
  section.hidden = true;
}

function compare(top, truth) {
  if (truth === undefined) return "is the model's best guess for your picture.";
  const rank = top.findIndex((entry) => entry.label === truth);
  if (rank === 0) return "is right: that is the sample's label.";
  if (rank > 0) return `is the model's best guess. The sample's label is ${label(truth)}, its choice number ${rank + 1}.`;
  return `is the model's best guess, and wrong: the sample's label is ${label(truth)}.`;
}

function bar({ label: name, probability }) {
  const item = document.createElement("li");
  const [text, track, share] = ["span", "span", "span"].map((tag) => document.createElement(tag));
  text.textContent = label(name);
  track.className = "bar";
  track.setAttribute("aria-hidden", "true");
  const fill = document.createElement("span");
  track.append(fill);
  share.className = "percent";
  share.textContent = percent(probability);
  item.append(text, track, share);
  requestAnimationFrame(() => requestAnimationFrame(() => fill.style.setProperty("--fraction", String(probability))));
  return item;
}
