// A prompt is completed token by token. Text, tokens, probabilities and the choice among them stay in this worker and on
// the page; for every token the server gets one sealed window, padded to one length.

import { loadClear } from "./clear.js";
import { EMBEDDING, Language } from "./language.js";
import { Visit } from "./visit.js";

/** How many of the likeliest next tokens the page shows. */
const ALTERNATIVES = 10;

/** How many of them beside a wrong key's. */
const COMPARED = 5;

export class Completer {
  #api;
  #tell;
  #visit;
  #language;
  #clear;
  #ids;

  constructor(equipment) {
    this.#api = equipment.api;
    this.#tell = equipment.tell;
    this.#language = new Language(equipment.api);
    this.#visit = new Visit({
      ...equipment,
      kind: "complete",
      input: "The encrypted window of tokens",
      equip: (session, manifest) => this.#language.load(session, manifest),
    });
  }

  /** Fetches what a prompt needs before it can be counted. Nothing in it depends on the prompt. */
  async open() {
    await this.#visit.open();
    this.#tell("opened");
  }

  /** Tells how many tokens `text` has, and which part of it the model reads. */
  measure({ text }) {
    this.#tell("measured", this.#language.measure(text));
  }

  /**
   * Completes `text`, after which the tokens `continued` are there already, until there are `total` of them. The page
   * hears of each one as `token`.
   */
  async run({ text, continued, total, temperature, topK, seed }, signal) {
    await this.#visit.prepare(signal);
    const prompt = this.#language.encode(text);
    const generated = [...continued];
    while (generated.length < total) {
      const began = performance.now();
      const step = generated.length;
      const ids = Uint32Array.from([...prompt, ...generated]);
      this.#tell("window", { ...this.#language.window(ids.length), generated: step });
      const { token, alternatives } = await this.#visit.ask({
        encrypt: (session) => session.encryptPrompt(ids),
        decrypt: (session, sealed) => this.#opened(session.nextToken(sealed, { temperature, topK, seed, step, alternatives: ALTERNATIVES }), generated),
        signal,
      });
      generated.push(token);
      this.#ids = ids;
      this.#tell("token", {
        step,
        ...this.#read(token, generated.slice(0, -1)),
        alternatives,
        seconds: (performance.now() - began) / 1000,
      });
    }
    return {};
  }

  /** Compares the last answer with the clear model's. */
  async verify() {
    const visit = this.#visit;
    this.#clear ??= await loadClear(this.#api, visit, async ({ ClearLanguage }, config, weights) => {
      const embedding = await this.#api.file(visit.manifest.model, EMBEDDING, "How the browser reads words");
      visit.session.checkFile(EMBEDDING, embedding);
      return new ClearLanguage(config, weights, embedding);
    });
    this.#tell("verified", visit.compare(this.#clear.scores(visit.session.window(this.#ids))));
  }

  /** Opens the last answer with a wrong key. */
  stranger() {
    const settings = { temperature: 1, alternatives: COMPARED };
    this.#tell("strange", this.#visit.stranger((session, sealed) => ({ top: this.#opened(session.nextToken(sealed, settings), []).alternatives })));
  }

  /** Bytes of WebAssembly memory besides the session's. */
  get memory() {
    return this.#language.memory + this.#visit.makersMemory;
  }

  drop() {
    this.#clear?.free();
    this.#clear = undefined;
    this.#visit.drop();
  }

  // wasm-bindgen's objects become plain ones, which can be posted to the page.
  #opened(next, before) {
    const alternatives = next.alternatives.map((alternative) => {
      const { token, probability } = alternative;
      alternative.free();
      return { ...this.#read(token, before), probability };
    });
    const { token } = next;
    next.free();
    return { token, alternatives };
  }

  /** `token`, its own `word`, and the `text` that it makes with the tokens `before` it. */
  #read(token, before) {
    return { token, word: this.#language.word(token), text: this.#language.text([...before, token]) };
  }
}
