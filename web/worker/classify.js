// One private classification, from pixels to the opened answer. Secret key, picture and answer never leave this worker's
// memory except to the page itself.

import { Session, checksum } from "../pkg/cipherformer_wasm_client.js";
import { Problem } from "./api.js";
import { events } from "./events.js";
import { sendKeys } from "./keys.js";

/** Bytes of the query that the page draws: one for each colour value of the picture. */
const DRAWN_BYTES = 3072;

export class Classifier {
  #api;
  #tell;
  #seed;
  #session;
  #keySet;

  /** `tell(type, fields)` speaks to the page; `seed` makes the keys predictable and is for tests only. */
  constructor({ api, tell, seed }) {
    this.#api = api;
    this.#tell = tell;
    this.#seed = seed;
  }

  get hasKeys() {
    return this.#keySet !== undefined;
  }

  async classify(rgb, signal) {
    try {
      return await this.#attempt(rgb, signal);
    } catch (error) {
      // The server drops key sets that rest for long: make new keys, once.
      const stale = error instanceof Problem && ["unknown-key-set", "retired-configuration"].includes(error.slug);
      if (!stale || !this.hasKeys) throw error;
      this.#drop();
      return this.#attempt(rgb, signal);
    }
  }

  async forget() {
    const keySet = this.#keySet;
    this.#drop();
    if (keySet !== undefined) await this.#api.deleteKeySet(keySet);
  }

  async #attempt(rgb, signal) {
    await this.#prepareKeys(signal);
    const query = this.#encrypt(rgb);
    this.#step("query", "running", { bytes: query.length });
    // Not cancelled half-way: without the reply there would be no id to cancel the computation by.
    const { id } = await this.#api.infer(this.#keySet, query);
    this.#step("query", "done", { bytes: query.length });
    await this.#follow(id, signal);
    this.#step("result", "running");
    const sealed = await this.#api.result(id, signal);
    this.#step("result", "done", { bytes: sealed.length });
    this.#step("decrypt", "running");
    const answer = this.#session.decrypt(sealed);
    const top = answer.top(5).map(({ label, probability }) => ({ label, probability }));
    answer.free();
    this.#step("decrypt", "done");
    return top;
  }

  async #prepareKeys(signal) {
    if (this.hasKeys) {
      this.#step("keys", "done", { reused: true });
      this.#step("upload", "done", { reused: true });
      return;
    }
    this.#step("keys", "running");
    const { text, manifest } = await this.#api.manifest(signal);
    this.#session = new Session(text, this.#seed);
    this.#tell("manifest", { manifest });
    const { id } = await this.#api.createKeySet(manifest, signal);
    try {
      await sendKeys(this.#session, id, {
        api: this.#api,
        checksum,
        signal,
        report: {
          making: (detail) => this.#step("keys", "running", detail),
          made: (detail) => this.#step("keys", "done", detail),
          sending: (detail) => this.#step("upload", "running", detail),
          sent: (detail) => this.#step("upload", "done", detail),
        },
      });
    } catch (error) {
      this.#drop();
      await this.#api.deleteKeySet(id).catch(() => {});
      throw error;
    }
    this.#keySet = id;
    this.#tell("keys", { stored: true });
  }

  #encrypt(rgb) {
    this.#step("encrypt", "running");
    const query = this.#session.encryptImage(rgb);
    // From the middle: the first bytes are the envelope's header, which is the same for every picture.
    const middle = query.length >> 1;
    this.#tell("ciphertext", { bytes: query.slice(middle, middle + DRAWN_BYTES) });
    this.#step("encrypt", "done", { bytes: query.length });
    return query;
  }

  async #follow(id, signal) {
    this.#step("compute", "running", { layer: "queued" });
    const began = performance.now();
    try {
      for await (const { name, data } of events(this.#api.eventLines(id, signal))) {
        if (name === "progress") this.#step("compute", "running", data);
        if (name === "failed") throw new Problem(data.problem ?? { title: "The computation failed" });
        if (name === "cancelled") throw new Problem({ title: "The server cancelled the computation", hint: "Try again." });
        if (name === "done") {
          this.#step("compute", "done", { seconds: (performance.now() - began) / 1000 });
          return;
        }
      }
    } catch (error) {
      if (signal.aborted) await this.#api.cancel(id).catch(() => {});
      throw error;
    }
    throw new Problem({ title: "The connection broke off", detail: "The server stopped reporting progress.", hint: "Try again: your keys are still there." });
  }

  #step(id, state, detail = {}) {
    this.#tell("step", { id, state, detail });
  }

  #drop() {
    this.#session?.free();
    this.#session = undefined;
    this.#keySet = undefined;
    this.#tell("keys", { stored: false });
  }
}
