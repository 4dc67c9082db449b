// The seven steps, each in the lane of the place where it happens.

import { bytes, duration, timeLeft } from "./format.js";

const PLACES = { browser: "In your browser", wire: "On the wire", server: "On the server" };

/** What each step is called, where it happens, and how its details read. */
const STEPS = [
  { id: "keys", place: "browser", title: "Make keys", running: "Making keys in your browser", say: keys },
  { id: "upload", place: "wire", title: "Send evaluation keys", running: "Sending evaluation keys", say: upload },
  { id: "encrypt", place: "browser", title: "Encrypt the picture", running: "Encrypting the picture", say: sealed },
  { id: "query", place: "wire", title: "Send the sealed picture", running: "Sending the sealed picture", say: size },
  { id: "compute", place: "server", title: "Run the transformer, blind", running: "The server computes on ciphertext", say: compute },
  { id: "result", place: "wire", title: "Receive the sealed answer", running: "Receiving the sealed answer", say: size },
  { id: "decrypt", place: "browser", title: "Open the answer", running: "Opening the answer", say: () => ({}) },
];

export class Stepper {
  #steps = new Map();
  #announce;

  /** `announce(text)` is called when a step begins, for the status line and screen readers. */
  constructor(list, announce) {
    this.#announce = announce;
    STEPS.forEach((step, index) => {
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
      step.element.dataset.state = "waiting";
      step.element.removeAttribute("aria-current");
      step.mark.textContent = step.index + 1;
      step.detail.textContent = "";
      step.track.hidden = true;
    }
  }

  /** Running steps fall back to waiting: the work was cancelled or failed. */
  stop() {
    for (const step of this.#steps.values()) {
      if (step.element.dataset.state !== "running") continue;
      step.element.dataset.state = "waiting";
      step.element.removeAttribute("aria-current");
      step.track.hidden = true;
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
    if (begins) this.#announce(`${step.running}…`);
  }
}

function join(...parts) {
  return parts.filter(Boolean).join(" · ");
}

function keys({ done, count, seconds, took, reused }, state) {
  if (reused) return { text: "the keys of your first picture serve again" };
  if (count === undefined) return { text: "asking the server which keys it needs" };
  if (state === "done") return { text: `1 secret key, ${count} evaluation keys, in ${duration(took)}` };
  return { text: join(`${done + 1} of ${count}`, timeLeft(seconds)), fraction: done / count };
}

function upload({ sent, total, seconds, reused }, state) {
  if (reused) return { text: "already there" };
  if (state === "done") return { text: bytes(total) };
  return { text: join(`${bytes(sent)} of ${bytes(total)}`, timeLeft(seconds)), fraction: sent / total };
}

function sealed({ bytes: count }) {
  return count === undefined ? {} : { text: `3,072 bytes become ${bytes(count)}` };
}

function size({ bytes: count }) {
  return count === undefined ? {} : { text: bytes(count) };
}

function compute({ layer, done, total, eta_ms: left, seconds: took }, state) {
  if (state === "done") return { text: `took ${duration(took)}` };
  if (layer === "queued" || !total) return { text: "waiting for its turn" };
  const seconds = left == null ? undefined : left / 1000;
  return { text: join(layer, `${Math.floor((100 * done) / total)} %`, timeLeft(seconds)), fraction: done / total };
}
