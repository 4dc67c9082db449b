// What both modes share: start and stop, the status line, keys, journey, numbers, doubts about the answer, a failure. One piece of
// work at a time, whichever mode.

import { bytes, duration } from "./format.js";
import { Journey } from "./journey.js";
import { KeyPanel } from "./keys.js";
import { Numbers } from "./numbers.js";
import { Proof } from "./proof.js";

export class Panel {
  static #all = [];
  static #working;

  #root;
  #start;
  #stop;
  #failure;
  #names;
  #send;
  #keys;
  #hears;
  #allowed = false;
  #refreshed = () => {};

  /**
   * `send(type, fields)` speaks to the worker. `names` are the words of the start button, `{idle, busy}`; `entry(ranked)` is
   * what a ranked thing is called, `unit` what one question is about; `browser` is what was found out about it.
   */
  constructor(root, { send, names, steps, input, unit, entry, browser }) {
    Panel.#all.push(this);
    this.#root = root;
    this.#send = send;
    this.#names = names;
    this.#start = root.querySelector(".act .primary");
    this.#stop = root.querySelector(".act .stop");
    this.#failure = root.querySelector(".failure");
    this.#stop.addEventListener("click", () => this.stop());
    this.journey = new Journey(root.querySelector(".journey"), { steps, input, announce: (text) => this.say(text) });
    this.#keys = new KeyPanel(root.querySelector(".keys"), { makers: browser.makers ?? 1, onForget: () => this.#forget() });
    this.numbers = new Numbers(root.querySelector(".numbers"), browser);
    this.proof = new Proof(root.querySelector(".proof"), { send, name: entry });
    this.#hears = [this.#shared(unit)];
  }

  /** Adds functions for messages of the worker, each called after those that both modes share. */
  listen(hears) {
    this.#hears.push(hears);
  }

  /** A message of the worker. */
  hear(message) {
    for (const hears of this.#hears) hears[message.type]?.(message);
  }

  #shared(unit) {
    return {
      request: ({ request }) => this.journey.addTraffic(request),
      manifest: ({ manifest }) => {
        this.#keys.manifest(manifest);
        this.numbers.manifest(manifest);
        this.#root.querySelector(".costs").textContent = costs(manifest, unit);
      },
      keys: (state) => this.#keys.keys(state),
      step: (step) => {
        this.journey.stepper.update(step);
        this.#keys.step(step);
        this.numbers.step(step);
      },
      ciphertext: ({ drawn }) => this.journey.drawCipher(drawn),
      answer: (answer) => this.numbers.answer(answer),
      verified: (comparison) => {
        this.proof.verified(comparison);
        this.numbers.verified(comparison);
      },
      delayed: () => this.say("The server does not answer. Trying again…"),
      strange: (answer) => this.proof.strange(answer),
      forgotten: ({ outcome }) => {
        this.#keys.forgotten(outcome);
        this.proof.allow(false);
        this.say("");
        Panel.#refreshAll();
      },
      failed: (problem) => {
        this.proof.failed(problem);
        this.fail(problem);
      },
    };
  }

  get busy() {
    return Panel.#working === this;
  }

  send(type, fields) {
    this.#send(type, fields);
  }

  say(text) {
    this.#root.querySelector(".status").textContent = text;
  }

  /** Whether the start button may be pressed. */
  allow(allowed) {
    this.#allowed = allowed;
    this.#refresh();
  }

  /** `then()` is called whenever work begins or ends, here or in the other mode. */
  onRefresh(then) {
    this.#refreshed = then;
  }

  #forget() {
    Panel.#lockForget(true);
    this.say("Forgetting…");
    this.#send("forget");
  }

  /** Whether the person wants to pay for the upload, where it costs. */
  mayUpload() {
    return this.#keys.mayUpload();
  }

  /** Sends `input` off to be worked on. */
  start(input) {
    const focused = this.#root.querySelector(".act").contains(document.activeElement);
    Panel.#working = this;
    this.#failure.hidden = true;
    this.journey.stepper.reset();
    this.proof.clear();
    this.proof.allow(false);
    Panel.#refreshAll();
    if (focused) this.#stop.focus();
    this.#send("run", { input });
  }

  stop() {
    this.#stop.disabled = true;
    this.say("Stopping…");
    this.#send("cancel");
  }

  /** The work is over; `text` says how it ended. */
  settle(text) {
    const focused = [this.#stop, document.body].includes(document.activeElement) && !this.#root.hidden;
    if (this.busy) Panel.#working = undefined;
    this.#keys.settle();
    this.#stop.disabled = false;
    this.say(text);
    Panel.#refreshAll();
    if (focused) this.#start.focus({ preventScroll: true });
  }

  fail({ title, detail, hint }) {
    this.journey.stepper.stop();
    this.#failure.querySelector("h2").textContent = title;
    this.#failure.querySelector("p").textContent = [detail, hint].filter(Boolean).map(sentence).join(" ");
    this.#failure.hidden = false;
    this.settle("");
  }

  static #refreshAll() {
    for (const panel of Panel.#all) panel.#refresh();
    // Keys at work are not to be pulled away.
    Panel.#lockForget(Panel.#working !== undefined);
  }

  static #lockForget(locked) {
    for (const button of document.querySelectorAll(".forget")) button.disabled = locked;
  }

  #refresh() {
    this.#start.disabled = !this.#allowed || Panel.#working !== undefined;
    this.#start.textContent = this.busy ? this.#names.busy : this.#names.idle;
    this.#stop.hidden = !this.busy;
    this.#refreshed({ busy: this.busy, elsewhere: Panel.#working !== undefined && !this.busy });
  }
}

function costs({ query, result, expected_seconds: seconds }, unit) {
  return `For every ${unit} ${bytes(query.bytes)} go up, ${bytes(result.bytes)} come down, and the server computes about ${duration(seconds)}.`;
}

function sentence(text) {
  return /[.!?]$/.test(text) ? text : `${text}.`;
}
