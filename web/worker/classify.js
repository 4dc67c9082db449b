// One private classification, from pixels to the opened answer.

import { loadClear } from "./clear.js";
import { foreignFile } from "./problem.js";
import { Visit } from "./visit.js";

/** How many of the likeliest labels the page shows. */
const SHOWN = 5;

const STEM = "stem.safetensors";

export class Classifier {
  #api;
  #tell;
  #visit;
  #clear;
  #rgb;

  constructor(equipment) {
    this.#api = equipment.api;
    this.#tell = equipment.tell;
    this.#visit = new Visit({
      ...equipment,
      kind: "classify",
      input: "The encrypted picture",
      equip: (session, manifest) => this.#equip(session, manifest),
    });
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
    const { session, manifest } = this.#visit;
    this.#clear ??= await loadClear(this.#api, this.#visit, async ({ ClearVision }, config, weights) => {
      return new ClearVision(config, weights, await this.#stem(session, manifest));
    });
    this.#tell("verified", this.#visit.compare(this.#clear.scores(this.#rgb)));
  }

  async #equip(session, manifest) {
    const stem = await this.#stem(session, manifest);
    if (stem !== undefined) session.loadStem(stem);
  }

  /** The weights of the convolutions that a picture goes through before it is sealed; some models have none. */
  async #stem(session, { model, task }) {
    if (!task.files?.some(({ name }) => name === STEM)) return undefined;
    const stem = await this.#api.file(model, STEM, "How the browser reads pictures");
    try {
      session.checkFile(STEM, stem);
    } catch (cause) {
      throw foreignFile(cause);
    }
    return stem;
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
