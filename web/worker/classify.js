// One private classification, from pixels to the opened answer.

import { Session } from "../pkg/cipherformer_wasm_client.js";
import { Visit } from "./visit.js";

export class Classifier {
  #visit;

  /** `seed` makes the keys predictable and is for tests only. */
  constructor({ api, tell, seed }) {
    this.#visit = new Visit({
      api,
      tell,
      kind: "classify",
      input: "The encrypted picture",
      openSession: (text) => new Session(text, seed),
    });
  }

  /** `{top}`: the five likeliest labels of 3072 bytes of pixels. */
  async run({ rgb }, signal) {
    await this.#visit.prepare(signal);
    const top = await this.#visit.ask({
      encrypt: (session) => session.encryptImage(rgb),
      decrypt: (session, sealed) => {
        const answer = session.decrypt(sealed);
        const ranked = answer.top(5).map(({ label, probability }) => ({ label, probability }));
        answer.free();
        return ranked;
      },
      signal,
    });
    return { top };
  }

  forget() {
    return this.#visit.forget();
  }
}
