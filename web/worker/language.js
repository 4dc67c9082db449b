// The words' side of a language model: tokenizer and token embedding, fetched when a prompt first needs them. The session
// checks both against the manifest's digests.

import { fetchOwn, importOwn } from "./integrity.js";
import { foreignFile } from "./problem.js";

const MODULE = "pkg/scalar/cipherformer_wasm_tokenizer";
const TOKENIZER = "tokenizer.json";
export const EMBEDDING = "embedding.safetensors";
const PURPOSE = "How the browser reads words";

export class Language {
  #api;
  #wasm;
  #tokenizer;
  #window;

  constructor(api) {
    this.#api = api;
  }

  /** Makes `session` ready for prompts, and this for words. */
  async load(session, { model, task }) {
    const [{ default: init, Tokenizer }, tokenizer, embedding] = await Promise.all([
      importOwn(`${MODULE}.js`),
      this.#api.file(model, TOKENIZER, PURPOSE),
      this.#api.file(model, EMBEDDING, PURPOSE),
    ]);
    try {
      session.checkFile(TOKENIZER, tokenizer);
      session.loadEmbedding(embedding);
    } catch (cause) {
      throw foreignFile(cause);
    }
    this.#wasm ??= await init({ module_or_path: fetchOwn(`${MODULE}_bg.wasm`) });
    this.#tokenizer?.free();
    this.#tokenizer = new Tokenizer(tokenizer, task.vocabulary);
    this.#window = task.window;
  }

  encode(text) {
    return this.#tokenizer.encode(text);
  }

  /** The text of one token: half a character shows as U+FFFD. */
  word(token) {
    return this.#tokenizer.decode(Uint32Array.of(token));
  }

  /** The text of `ids`, without a character at the end that is not whole yet. */
  text(ids) {
    return this.#tokenizer.decode(Uint32Array.from(ids), true);
  }

  /** How many of the window's places `count` tokens take. */
  window(count) {
    const window = this.#window;
    return { window, used: Math.min(count, window), dropped: Math.max(0, count - window) };
  }

  /** `{window, used, dropped, kept}`; `kept` is the text that the model reads where it does not read all. */
  measure(text) {
    const ids = this.encode(text);
    const window = this.window(ids.length);
    return { ...window, kept: window.dropped > 0 ? this.text(ids.subarray(window.dropped)) : text };
  }

  /** Bytes of the tokenizer's own WebAssembly memory. */
  get memory() {
    return this.#wasm?.memory.buffer.byteLength ?? 0;
  }
}
