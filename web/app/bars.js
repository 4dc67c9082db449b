// A name, a bar and a percentage: one line of a ranking.

import { percent } from "./format.js";

/** Puts the line into `element`; `name` is text or a node. */
export function fillBar(element, { name, probability }) {
  const [text, track, fill, share] = ["span", "span", "span", "span"].map((tag) => document.createElement(tag));
  text.append(name);
  track.className = "bar";
  track.setAttribute("aria-hidden", "true");
  track.append(fill);
  share.className = "percent";
  share.textContent = percent(probability);
  element.append(text, track, share);
  // Two frames, so that the bar grows from nothing.
  requestAnimationFrame(() => requestAnimationFrame(() => fill.style.setProperty("--fraction", String(probability))));
  return element;
}
