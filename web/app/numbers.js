// Numbers of this visit: what this machine and this server took, and what the manifest says of the model.

import { bytes, magnitude, percent, precise, rate } from "./format.js";

export class Numbers {
  #root;
  #facts = new Map();
  #verified = 0;
  #agreed = 0;
  #known = 0;
  #right = 0;
  #build;

  constructor(root, { build }) {
    this.#root = root;
    this.#build = build;
    root.append(document.querySelector("#numbers-template").content.cloneNode(true));
    const title = root.querySelector("h2");
    title.id = `${root.closest(".panel").id}-numbers`;
    root.setAttribute("aria-labelledby", title.id);
  }

  manifest({ model, parameters, keys, evaluation_key_bytes: keyBytes, query, result, task, encrypted }) {
    this.#root.hidden = false;
    this.#set("Security", `${parameters.security.bits} bits`, `ring of degree 2^${parameters.log_n}, modulus of ${Math.round(parameters.log_qp)} bits`);
    this.#root.querySelector(".source").textContent = `Security after ${parameters.security.source}.`;
    this.#set("Evaluation keys", bytes(keyBytes), `${keys.length} of them`);
    this.#set("Sealed question", bytes(query.bytes), "always of this size");
    this.#set("Sealed answer", bytes(result.bytes), "always of this size");
    this.#set(...QUALITY[task.kind](task));
    if (encrypted) for (const fact of measured(encrypted, INPUTS[task.kind])) this.#set(...fact);
    const card = this.#root.querySelector(".model-card");
    card.href = `v1/models/${model}/files/README.md`;
    card.textContent = `Model card of ${model}`;
    this.#render();
  }

  step({ id, state, detail }) {
    if (state !== "done") return;
    const { took } = detail;
    if (id === "keys" && took) this.#set("Making keys", precise(took), `${detail.makers === 1 ? "one worker" : "two workers"}${rate(detail.rate)}, ${this.#build === "simd" ? "128-bit vectors" : "no vectors"}`);
    if (id === "upload" && took) this.#set("Sending keys", precise(took), `${bytes(detail.total)}${rate(detail.rate)}`);
    if (id === "encrypt") this.#set("Encrypting", precise(took), "in your browser");
    if (id === "compute") this.#set("Blind computation", precise(took), "on the server, waiting included");
    if (id === "decrypt") this.#set("Decrypting", precise(took), "in your browser");
    this.#render();
  }

  answer({ seconds, memory }) {
    this.#set("Press to answer", precise(seconds), "all steps together");
    this.#set("Memory", bytes(memory), "WebAssembly, all workers together");
    this.#render();
  }

  /** The label of a sample is known: was the answer right? */
  judge(right) {
    this.#known += 1;
    if (right) this.#right += 1;
    this.#set("Samples you tried", `${this.#right} of ${this.#known} right`, "under encryption");
    this.#render();
  }

  verified({ bits, sameBest }) {
    this.#verified += 1;
    if (sameBest) this.#agreed += 1;
    this.#set("Precision", Number.isFinite(bits) ? `${bits.toFixed(1)} bits` : "no difference", "of the range of the clear values, last answer verified");
    this.#set("Answers you verified", `${this.#agreed} of ${this.#verified} the same`, "best choice under encryption and in the clear");
    this.#render();
  }

  #set(term, value, note) {
    this.#facts.set(term, { value, note });
  }

  #render() {
    const cells = ORDER.flatMap((term) => [...this.#facts].filter(([name]) => name === term || name.startsWith(`${term},`)));
    this.#root.querySelector("dl").replaceChildren(
      ...cells.map(([term, { value, note }]) => {
        const cell = document.createElement("div");
        cell.append(
          Object.assign(document.createElement("dt"), { textContent: term }),
          Object.assign(document.createElement("dd"), { className: "value", textContent: value }),
          Object.assign(document.createElement("dd"), { className: "note", textContent: note }),
        );
        return cell;
      }),
    );
  }
}

const ORDER = [
  "Press to answer",
  "Making keys",
  "Sending keys",
  "Encrypting",
  "Blind computation",
  "Decrypting",
  "Evaluation keys",
  "Sealed question",
  "Sealed answer",
  "Memory",
  "Security",
  "Precision",
  "Accuracy",
  "Perplexity",
  "Agreement",
  "Samples you tried",
  "Answers you verified",
];

const QUALITY = {
  classify: ({ accuracy: { top1, top5, images } }) => ["Accuracy", percent(top1), `in the clear, ${images.toLocaleString("en")} images; among the best five ${percent(top5)}`],
  complete: ({ perplexity }) => {
    const [[text, { token, tokens }] = ["", {}]] = Object.entries(perplexity);
    return ["Perplexity", token?.toFixed(1) ?? "unknown", token === undefined ? "not measured" : `a token, in the clear, ${tokens.toLocaleString("en")} tokens of ${text.replaceAll("_", " ")}`];
  },
};

const INPUTS = { classify: "images", complete: "prompts" };

/** `[term, value, note]` of what somebody measured through encryption. */
function measured({ inputs, agree, largest_difference: difference, accuracy }, name) {
  const facts = [["Agreement", `${agree} of ${inputs}`, `${name} with the same best choice encrypted and in the clear; probabilities of the ten best differ by at most ${magnitude(difference)}`]];
  if (accuracy) facts.push(["Accuracy, encrypted", percent(accuracy.top1), `${accuracy.images.toLocaleString("en")} images through encryption; among the best five ${percent(accuracy.top5)}`]);
  return facts;
}
