// The steps of a piece of work, each in the lane of the place where it happens.

import { PLACES } from "./steps.js";

export class Stepper {
  #steps = new Map();
  #announce;

  /** `announce(text)` is called when a step with words for it begins, for the status line and screen readers. */
  constructor(list, steps, announce) {
    this.#announce = announce;
    steps.forEach((step, index) => {
      const element = document.createElement("li");
      element.className = `step ${step.place}`;
      const [mark, place, title, detail, track] = ["span", "p", "p", "p", "div"].map((tag) => document.createElement(tag));
      mark.className = "mark";
      mark.setAttribute("aria-hidden", "true");
      place.className = "place";
      place.textContent = PLACES[step.place];
      title.className = "title";
      title.textContent = step.title;
      detail.className = "detail";
      track.className = "track";
      track.hidden = true;
      track.append(document.createElement("span"));
      const body = document.createElement("div");
      body.append(place, title, detail, track);
      element.append(mark, body);
      list.append(element);
      this.#steps.set(step.id, { ...step, index, element, mark, detail, track });
    });
    this.reset();
  }

  reset() {
    for (const step of this.#steps.values()) {
      this.#wait(step);
      step.detail.textContent = "";
    }
  }

  /** The steps from `id` on wait for another round; what the last one said of them stays. */
  again(id) {
    const from = this.#steps.get(id).index;
    for (const step of this.#steps.values()) if (step.index >= from) this.#wait(step);
  }

  #wait(step) {
    step.element.dataset.state = "waiting";
    step.element.removeAttribute("aria-current");
    step.mark.textContent = step.index + 1;
    step.track.hidden = true;
  }

  /** Running steps fall back to waiting: the work was cancelled or failed. */
  stop() {
    for (const step of this.#steps.values()) {
      if (step.element.dataset.state !== "running") continue;
      this.#wait(step);
      step.detail.textContent = "stopped";
    }
  }

  update({ id, state, detail }) {
    const step = this.#steps.get(id);
    const begins = state === "running" && step.element.dataset.state !== "running";
    step.element.dataset.state = state;
    step.element.toggleAttribute("aria-current", state === "running");
    if (state === "running") step.element.setAttribute("aria-current", "step");
    step.mark.textContent = state === "done" ? "✓" : step.index + 1;
    const { text = "", fraction } = step.say(detail, state);
    if (text || state === "running") step.detail.textContent = text;
    step.track.hidden = state !== "running" || fraction === undefined;
    step.track.firstChild.style.setProperty("--fraction", String(fraction ?? 0));
    if (begins && step.running) this.#announce(`${step.running}…`);
  }
}
