// A visit to one model: its keys are made and sent once, then sealed questions are asked, one after the other. What is
// sealed is the caller's affair. The secret key never leaves this worker's memory.

import { checksum } from "../pkg/cipherformer_wasm_client.js";
import { Problem } from "./api.js";
import { events } from "./events.js";
import { sendKeys } from "./keys.js";

/** Bytes of the query that the page draws: three for each of 32×32 points. */
const DRAWN_BYTES = 3072;

export class Visit {
  #api;
  #tell;
  #kind;
  #input;
  #openSession;
  #manifest;
  #session;
  #keySet;

  /**
   * `kind` is the task of the model that is looked for, `input` what the request list calls a query, and
   * `openSession(text, manifest)` makes the session that a manifest asks for. `tell(type, fields)` speaks to the page.
   */
  constructor({ api, tell, kind, input, openSession }) {
    this.#api = api;
    this.#tell = tell;
    this.#kind = kind;
    this.#input = input;
    this.#openSession = openSession;
  }

  /** The session of this visit: a secret key, not yet any evaluation keys. */
  async session(signal) {
    if (this.#session === undefined) {
      const { text, manifest } = await this.#api.findModel(this.#kind, signal);
      this.#tell("manifest", { manifest });
      this.#session = await this.#openSession(text, manifest);
      this.#manifest = manifest;
    }
    return this.#session;
  }

  /** Makes and sends the keys, if they are not there. */
  async prepare(signal) {
    if (this.#keySet !== undefined) {
      this.#step("keys", "done", { reused: true });
      this.#step("upload", "done", { reused: true });
      return;
    }
    this.#step("keys", "running");
    const session = await this.session(signal);
    const { id } = await this.#api.createKeySet(this.#manifest, signal);
    try {
      await sendKeys(session, id, {
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

  /**
   * One sealed question: `encrypt(session)` gives the query, `decrypt(session, bytes)` what is returned. Needs
   * `prepare`. An aborted `signal` ends the server's work too.
   */
  async ask({ encrypt, decrypt, signal }) {
    try {
      return await this.#attempt(encrypt, decrypt, signal);
    } catch (error) {
      // The server drops key sets that rest for long: make new keys, once.
      if (!(error instanceof Problem && ["unknown-key-set", "retired-configuration"].includes(error.slug))) throw error;
      this.#drop();
      await this.prepare(signal);
      return this.#attempt(encrypt, decrypt, signal);
    }
  }

  async forget() {
    const keySet = this.#keySet;
    this.#drop();
    if (keySet !== undefined) await this.#api.deleteKeySet(keySet);
  }

  async #attempt(encrypt, decrypt, signal) {
    signal.throwIfAborted();
    this.#step("encrypt", "running");
    const query = encrypt(this.#session);
    // From the middle: the first bytes are the envelope's header, which is the same for every query.
    const middle = query.length >> 1;
    this.#tell("ciphertext", { bytes: query.slice(middle, middle + DRAWN_BYTES) });
    this.#step("encrypt", "done", { bytes: query.length });

    this.#step("query", "running", { bytes: query.length });
    // Not cancelled half-way: without the reply there would be no id to cancel the computation by.
    const { id } = await this.#api.infer(this.#keySet, query, this.#input);
    this.#step("query", "done", { bytes: query.length });
    const sealed = await this.#answer(id, signal);

    this.#step("decrypt", "running");
    const answer = decrypt(this.#session, sealed);
    this.#step("decrypt", "done");
    return answer;
  }

  async #answer(id, signal) {
    try {
      await this.#follow(id, signal);
      this.#step("result", "running");
      const sealed = await this.#api.result(id, signal);
      this.#step("result", "done", { bytes: sealed.length });
      return sealed;
    } catch (error) {
      if (signal.aborted) await this.#api.cancel(id).catch(() => {});
      throw error;
    }
  }

  async #follow(id, signal) {
    this.#step("compute", "running", { layer: "queued" });
    const began = performance.now();
    for await (const { name, data } of events(this.#api.eventLines(id, signal))) {
      if (name === "progress") this.#step("compute", "running", data);
      if (name === "failed") throw new Problem(data.problem ?? { title: "The computation failed" });
      if (name === "cancelled") throw new Problem({ title: "The server cancelled the computation", hint: "Try again." });
      if (name === "done") {
        this.#step("compute", "done", { seconds: (performance.now() - began) / 1000 });
        return;
      }
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
    this.#manifest = undefined;
    this.#tell("keys", { stored: false });
  }
}
