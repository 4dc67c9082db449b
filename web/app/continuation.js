// The opened text, token by token, and the choices that there were for each. A token is `{token, word, text, alternatives,
// seconds}`, where `text` is everything up to and with it.

import { fillBar } from "./bars.js";
import { reveal } from "./reveal.js";
import { quoted, visible } from "./words.js";

export class Continuation {
  #root;
  #text;
  #prompt = "";
  #tokens = [];
  #shown;
  #onChoose;

  /** `onChoose(index, alternative)`: the person wants `alternative` in place of token `index`. */
  constructor(root, onChoose) {
    this.#root = root;
    this.#text = root.querySelector("#text");
    this.#onChoose = onChoose;
    root.querySelector("#earlier").addEventListener("click", () => this.#show(this.#shown - 1));
    root.querySelector("#later").addEventListener("click", () => this.#show(this.#shown + 1));
    this.#text.addEventListener("click", ({ target }) => {
      if (target.dataset.index !== undefined) this.#show(Number(target.dataset.index));
    });
  }

  get tokens() {
    return this.#tokens;
  }

  /** Shows `prompt` and the tokens that are kept of an earlier run. */
  begin(prompt, tokens) {
    this.#prompt = prompt;
    this.#tokens = [...tokens];
    this.#root.hidden = false;
    this.#render(true);
    reveal(this.#root);
  }

  add(token) {
    // Whoever looks at an earlier token keeps looking at it.
    const follows = this.#shown === undefined || this.#shown === this.#tokens.length - 1;
    this.#tokens.push(token);
    if (follows) this.#shown = this.#tokens.length - 1;
    this.#render(true);
  }

  /** No further token comes. */
  end() {
    this.#root.hidden = this.#tokens.length === 0;
    this.#render(false);
  }

  #render(pending) {
    if (this.#tokens.length === 0) this.#shown = undefined;
    else this.#shown = Math.min(this.#shown ?? Infinity, this.#tokens.length - 1);
    const pieces = this.#tokens.flatMap(({ text }, index) => {
      const added = text.slice(this.#tokens[index - 1]?.text.length ?? 0);
      const piece = document.createElement("span");
      piece.className = index === this.#shown ? "token shown" : "token";
      piece.dataset.index = String(index);
      piece.textContent = added.trimStart() || added;
      return [added.slice(0, -piece.textContent.length || undefined), piece];
    });
    const prompt = Object.assign(document.createElement("span"), { className: "prompt", textContent: this.#prompt });
    const seal = Object.assign(document.createElement("span"), { className: "seal" });
    seal.setAttribute("aria-hidden", "true");
    this.#text.replaceChildren(prompt, ...pieces, ...(pending ? [seal] : []));
    this.#root.dataset.text = this.#tokens.at(-1)?.text ?? "";
    this.#root.dataset.tokens = this.#tokens.map(({ token }) => token).join(" ");
    this.#renderChoices();
  }

  #show(index) {
    this.#shown = index;
    for (const piece of this.#text.querySelectorAll(".token")) piece.classList.toggle("shown", Number(piece.dataset.index) === index);
    this.#renderChoices();
  }

  #renderChoices() {
    const index = this.#shown;
    const next = this.#root.querySelector("#next");
    next.hidden = index === undefined;
    if (next.hidden) return;
    const { token: picked, word, alternatives } = this.#tokens[index];
    next.querySelector("#next-title").textContent = `Token ${index + 1}: ${quoted(word)}`;
    next.querySelector("#earlier").disabled = index === 0;
    next.querySelector("#later").disabled = index === this.#tokens.length - 1;
    const list = next.querySelector("#alternatives");
    const focused = [...list.children].findIndex((item) => item.contains(document.activeElement));
    list.replaceChildren(
      ...alternatives.map((alternative) => {
        const button = document.createElement("button");
        button.type = "button";
        button.addEventListener("click", () => this.#onChoose(index, alternative));
        const item = document.createElement("li");
        item.classList.toggle("picked", alternative.token === picked);
        item.append(fillBar(button, { name: visible(alternative.word), probability: alternative.probability }));
        return item;
      }),
    );
    list.children[focused]?.querySelector("button").focus({ preventScroll: true });
    const among = alternatives.some(({ token }) => token === picked);
    next.querySelector("#next-note").textContent = `The model's ten likeliest for this place${among ? "" : `; the pick, ${quoted(word)}, is not among them`}. Click one to go on with it instead.`;
  }
}
