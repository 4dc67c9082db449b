// Two doubts, answered in the browser: is it the right answer (the clear model says), and could anybody else read it (a wrong
// key shows)?

import { fillBar } from "./bars.js";
import { magnitude } from "./format.js";

export class Proof {
  #root;
  #send;
  #name;

  /** `send(type)` speaks to the worker; `name(entry)` is what an entry of a ranking is called. */
  constructor(root, { send, name }) {
    this.#root = root;
    this.#send = send;
    this.#name = name;
    root.append(document.querySelector("#proof-template").content.cloneNode(true));
    this.#button("verify", "Computing in the clear…");
    this.#button("stranger", "Making another key…");
    this.clear();
  }

  #button(action, busy) {
    const button = this.#root.querySelector(`.${action}`);
    button.dataset.idle = button.textContent;
    button.addEventListener("click", () => {
      if (button.getAttribute("aria-disabled") === "true") return;
      // Not `disabled`, which would take the focus away from whoever pressed it.
      button.setAttribute("aria-disabled", "true");
      button.textContent = busy;
      this.#send(action);
    });
  }

  #release(action) {
    const button = this.#root.querySelector(`.${action}`);
    button.removeAttribute("aria-disabled");
    button.textContent = button.dataset.idle;
  }

  /** There is another answer, or none: what was shown of the last one is gone. */
  clear() {
    for (const action of ["verify", "stranger"]) {
      this.#release(action);
      this.#root.querySelector(`.${action}-result`).hidden = true;
    }
  }

  allow(allowed) {
    this.#root.hidden = !allowed;
  }

  verified({ largest, range, bits, sameBest }) {
    this.#release("verify");
    const result = this.#root.querySelector(".verify-result");
    const values = {
      same: sameBest ? "Yes" : "No",
      bits: Number.isFinite(bits) ? bits.toFixed(1) : "all",
      largest: magnitude(largest),
      range: magnitude(range),
    };
    for (const [name, value] of Object.entries(values)) result.querySelector(`.${name}`).textContent = value;
    result.dataset.bits = String(bits);
    result.dataset.same = String(sameBest);
    result.hidden = false;
  }

  strange({ top, largest }) {
    this.#release("stranger");
    const result = this.#root.querySelector(".stranger-result");
    result.querySelector("ol").replaceChildren(
      ...top.map((entry) => fillBar(document.createElement("li"), { name: this.#name(entry), probability: entry.probability })),
    );
    result.querySelector(".largest").textContent = magnitude(largest);
    result.dataset.top = top.map((entry) => entry.label ?? entry.token).join(" ");
    result.hidden = false;
  }

  failed({ during }) {
    if (during === "verify" || during === "stranger") this.#release(during);
  }
}
