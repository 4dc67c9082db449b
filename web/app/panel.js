// What both modes share: start and stop, the status line, the journey, a failure. One piece of work at a time, whichever mode.

import { Journey } from "./journey.js";

export class Panel {
  static #all = [];
  static #working;

  #root;
  #start;
  #stop;
  #failure;
  #names;
  #send;
  #allowed = false;
  #refreshed = () => {};

  /**
   * `send(type, fields)` speaks to the worker. `names` are the words of the start button, `{idle, busy}`. `hears` has a
   * function for each message of the worker; a mode adds its own.
   */
  constructor(root, { send, names, steps, input }) {
    Panel.#all.push(this);
    this.#root = root;
    this.#send = send;
    this.#names = names;
    this.#start = root.querySelector(".act .primary");
    this.#stop = root.querySelector(".act .stop");
    this.#failure = root.querySelector(".failure");
    this.#stop.addEventListener("click", () => this.stop());
    this.journey = new Journey(root.querySelector(".journey"), { steps, input, announce: (text) => this.say(text) });
    this.hears = {
      step: (step) => this.journey.stepper.update(step),
      ciphertext: ({ bytes }) => this.journey.drawCipher(bytes),
      failed: (problem) => this.fail(problem),
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

  /** Sends `input` off to be worked on. */
  start(input) {
    const focused = this.#root.querySelector(".act").contains(document.activeElement);
    Panel.#working = this;
    this.#failure.hidden = true;
    this.journey.stepper.reset();
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
    document.querySelector("#forget").disabled = Panel.#working !== undefined;
  }

  #refresh() {
    this.#start.disabled = !this.#allowed || Panel.#working !== undefined;
    this.#start.textContent = this.busy ? this.#names.busy : this.#names.idle;
    this.#stop.hidden = !this.busy;
    this.#refreshed({ busy: this.busy, elsewhere: Panel.#working !== undefined && !this.busy });
  }
}

function sentence(text) {
  return /[.!?]$/.test(text) ? text : `${text}.`;
}
