// The opened answer: the best label, the five best as bars, and the sample's own label to compare with.

import { fillBar } from "./bars.js";
import { bytes, duration, label, percent } from "./format.js";
import { reveal } from "./reveal.js";

/** Below this share the model is more likely wrong than right, by its own account. */
const SURE = 0.5;

/** Shows `top`, an array of `{label, probability}` from likeliest to least. */
export function showAnswer({ top, seconds, memory, truth }) {
  const best = top[0].label;
  document.querySelector("#label").textContent = label(best);
  document.querySelector("#truth").textContent = compare(top, truth);
  document.querySelector("#bars").replaceChildren(
    ...top.map((entry) => fillBar(document.createElement("li"), { name: label(entry.label), probability: entry.probability })),
  );
  document.querySelector("#timing").textContent = `Answered in ${duration(seconds)}, from the press of the button. Your browser needed ${bytes(memory)} of memory for it. The server still does not know.`;
  const section = document.querySelector("#answer");
  section.dataset.label = best;
  section.dataset.memory = memory;
  section.hidden = false;
  reveal(section);
}

export function hideAnswer() {
  const section = document.querySelector("#answer");
  delete section.dataset.label;
  section.hidden = true;
}

function compare(top, truth) {
  const [{ probability }] = top;
  const unsure = probability < SURE ? ` It is not sure: it gives this ${percent(probability)}.` : "";
  return verdict(top, truth) + unsure;
}

function verdict(top, truth) {
  if (truth === undefined) return "is the model's best guess for your picture.";
  const rank = top.findIndex((entry) => entry.label === truth);
  if (rank === 0) return "is right: that is the sample's label.";
  if (rank > 0) return `is the model's best guess. The sample's label is ${label(truth)}, its choice number ${rank + 1}.`;
  return `is the model's best guess, and wrong: the sample's label is ${label(truth)}.`;
}
