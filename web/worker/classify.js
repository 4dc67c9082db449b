// One private classification, from pixels to the opened answer.

import { loadClear } from "./clear.js";
import { Visit } from "./visit.js";

/** How many of the likeliest labels the page shows. */
const SHOWN = 5;

export class Classifier {
  #api;
  #tell;
  #visit;
  #clear;
  #rgb;

  constructor(equipment) {
    this.#api = equipment.api;
    this.#tell = equipment.tell;
    this.#visit = new Visit({ ...equipment, kind: "classify", input: "The encrypted picture" });
  }

  /** Finds out which keys are needed and which are there. Nothing in it depends on a picture. */
  async open() {
    await this.#visit.open();
    this.#tell("opened");
  }

  /** `{top}`: the likeliest labels of 3072 bytes of pixels. */
  async run({ rgb }, signal) {
    await this.#visit.prepare(signal);
    const top = await this.#visit.ask({ encrypt: (session) => session.encryptImage(rgb), decrypt: ranked, signal });
    this.#rgb = rgb;
    return { top };
  }

  /** Compares the last answer with the clear model's. */
  async verify() {
    this.#clear ??= await loadClear(this.#api, this.#visit, ({ ClearVision }, config, weights) => new ClearVision(config, weights));
    this.#tell("verified", this.#visit.compare(this.#clear.scores(this.#rgb)));
  }

  /** Opens the last answer with a wrong key. */
  stranger() {
    this.#tell("strange", this.#visit.stranger((session, sealed) => ({ top: ranked(session, sealed) })));
  }

  get memory() {
    return this.#visit.makersMemory;
  }

  drop() {
    this.#clear?.free();
    this.#clear = undefined;
    this.#visit.drop();
  }
}

function ranked(session, sealed) {
  const answer = session.decrypt(sealed);
  const top = answer.top(SHOWN).map((entry) => {
    const { label, probability } = entry;
    entry.free();
    return { label, probability };
  });
  answer.free();
  return top;
}
