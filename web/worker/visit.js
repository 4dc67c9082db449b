// A visit to one model: its keys are made and sent where the server lacks them, then sealed questions are asked, one after the
// other. What is sealed is the caller's affair. The secret key never leaves this worker and the second one that makes keys.

import { entropy } from "./entropy.js";
import { events } from "./events.js";
import { sendKeys } from "./keys.js";
import { ownMaker, secondMaker } from "./makers.js";
import { pause } from "./pause.js";
import { Problem } from "./problem.js";

/** Bytes of the query that the page draws: three for each of 32×32 points. */
const DRAWN_BYTES = 3072;
/** Bytes of the query that the page writes out: the envelope's header and what follows it. */
const WRITTEN_BYTES = 256;
/** Streams of progress in a row that may break off without a word, and the milliseconds before the next is opened. */
const SILENT_STREAMS = 3;
const REOPEN = 500;

export class Visit {
  #with;
  #text;
  #manifest;
  #session;
  #secret;
  #missing;
  #sealed;
  #opening;

  /**
   * `kind` is the task of the model that is looked for, `input` what the request list calls a query. `equip(session,
   * manifest)` gives a session what it needs besides its key. `tell(type, fields)` speaks to the page. `makers` is how many
   * workers may make keys, this one included. `wanted` are names of models that come before others of their kind.
   */
  constructor({ api, tell, engine, vault, makers, wanted, kind, input, equip = async () => {} }) {
    this.#with = { api, tell, engine, vault, makers, wanted, kind, input, equip };
    /** Bytes of WebAssembly memory of the second worker, while it lived. */
    this.makersMemory = 0;
  }

  /**
   * Fetches the manifest, derives the secret key, and asks which evaluation keys the server has of an earlier visit. Whoever asks
   * while another is waiting for it waits for the same: there is one secret.
   */
  async open(signal) {
    this.#opening ??= this.#open().finally(() => {
      this.#opening = undefined;
    });
    await this.#opening;
    signal?.throwIfAborted();
  }

  async #open() {
    if (this.#session !== undefined) return;
    const { api, tell, engine, vault, kind, wanted, equip } = this.#with;
    const { text, manifest, others } = await api.findModel(kind, wanted);
    tell("manifest", { manifest, others });
    const secret = await vault.recall(manifest.model, manifest.configuration);
    if (secret.retired !== undefined) await api.deleteKeySet(secret.retired).catch(() => {});
    const session = new engine.Session(text, await secret.seed());
    await equip(session, manifest);
    this.#text = text;
    this.#manifest = manifest;
    this.#secret = secret;
    this.#session = session;
    await this.#look();
  }

  get session() {
    return this.#session;
  }

  get manifest() {
    return this.#manifest;
  }

  /** Makes and sends the keys that the server lacks. What was sent stays there when this is cut short. */
  async prepare(signal) {
    this.#step("keys", "running");
    await this.open(signal);
    await this.#ensureKeySet(signal);
    if (this.#missing.size === 0) {
      this.#step("keys", "done", { reused: true });
      this.#step("upload", "done", { reused: true });
      return;
    }
    try {
      await this.#sendMissing(signal);
    } finally {
      this.#tellKeys();
    }
  }

  /**
   * One sealed question: `encrypt(session)` gives the query, `decrypt(session, bytes)` what is returned. Needs
   * `prepare`. An aborted `signal` ends the server's work too.
   */
  async ask({ encrypt, decrypt, signal }) {
    for (let left = RECOVERIES; ; left--) {
      try {
        return await this.#attempt(encrypt, decrypt, signal);
      } catch (error) {
        // The server drops key sets that rest for long and keys that it cannot read any more, and forgets inferences and half a key when it restarts.
        if (left === 0 || !(await this.#recover(error, signal))) throw error;
        await this.prepare(signal);
      }
    }
  }

  /** How the last answer compares with the clear model's `scores`. The page alone hears of it. */
  compare(scores) {
    const comparison = this.#with.engine.compare(this.#session.scores(this.#sealed), scores);
    const { largest, range, bits, sameBest } = comparison;
    comparison.free();
    return { largest, range, bits, sameBest };
  }

  /** `read(session, sealed)` of the last answer under a key that is made for this and forgotten at once. */
  stranger(read) {
    const stranger = this.#session.stranger();
    try {
      const largest = stranger.scores(this.#sealed).reduce((most, value) => Math.max(most, Math.abs(value)), 0);
      return { ...read(stranger, this.#sealed), largest };
    } finally {
      stranger.free();
    }
  }

  /** Forgets the secret key. The key set is the caller's affair. */
  drop() {
    this.#session?.free();
    this.#session = undefined;
    this.#secret?.wipe();
    this.#secret = undefined;
    this.#sealed = undefined;
    this.#missing = undefined;
    this.#tellKeys();
  }

  async #ensureKeySet(signal, again = true) {
    if (this.#secret.details.keySet !== undefined) return;
    const { api } = this.#with;
    try {
      const { id } = await api.createKeySet(this.#manifest, signal);
      await this.#secret.keep({ keySet: id, created: this.#secret.details.created ?? Date.now() });
      this.#missing = new Set(this.#manifest.keys.map(({ name }) => name));
    } catch (error) {
      if (!again || error.slug !== "retired-configuration") throw error;
      this.drop();
      await this.open(signal);
      await this.#ensureKeySet(signal, false);
    }
  }

  async #look(signal) {
    const { api } = this.#with;
    const all = this.#manifest.keys.map(({ name }) => name);
    const { keySet } = this.#secret.details;
    this.#missing = new Set(all);
    if (keySet !== undefined) {
      try {
        this.#missing = new Set((await api.keySet(keySet, signal)).missing);
      } catch (error) {
        if (!GONE.includes(error.slug)) throw error;
        await this.#secret.keep({ keySet: undefined });
      }
    }
    this.#tellKeys();
  }

  async #sendMissing(signal) {
    const { api, engine, makers } = this.#with;
    const secret = this.#secret;
    const { keySet } = secret.details;
    const { keys } = this.#manifest;
    const indices = [...keys.keys()].filter((index) => this.#missing.has(keys[index].name));
    const workers = [ownMaker(engine, this.#session)];
    if (makers > 1 && indices.length > 1) workers.push(await secondMaker(engine, this.#text, await secret.seed()));
    const upload = async (key, onPart) => {
      if (key.fingerprint !== undefined) await secret.keep({ fingerprint: key.fingerprint });
      await api.uploadKey(keySet, key, { signal, onPart });
      this.#missing.delete(key.name);
    };
    const { memory } = await sendKeys({
      indices,
      sizes: keys.map(({ bytes }) => bytes),
      makers: workers,
      upload,
      signal,
      report: {
        making: (detail) => this.#step("keys", "running", detail),
        made: (detail) => this.#step("keys", "done", detail),
        sending: (detail) => this.#step("upload", "running", detail),
        sent: (detail) => this.#step("upload", "done", detail),
      },
    });
    this.makersMemory = Math.max(this.makersMemory, memory);
  }

  async #recover(error, signal) {
    if (!(error instanceof Problem)) return false;
    if (LOST.includes(error.slug)) await this.#look(signal);
    else if (error.slug === "retired-configuration") this.drop();
    else return false;
    return true;
  }

  async #attempt(encrypt, decrypt, signal) {
    const { api, input } = this.#with;
    signal.throwIfAborted();
    this.#step("encrypt", "running");
    const began = performance.now();
    const query = encrypt(this.#session);
    this.#step("encrypt", "done", { bytes: query.length, took: since(began) });
    this.#show(query);

    this.#step("query", "running", { bytes: query.length });
    // Not cancelled half-way: without the reply there would be no id to cancel the computation by.
    const { id } = await api.infer(this.#secret.details.keySet, query, input);
    this.#step("query", "done", { bytes: query.length });
    const sealed = await this.#answer(id, signal);

    this.#step("decrypt", "running");
    const opening = performance.now();
    const answer = decrypt(this.#session, sealed);
    this.#step("decrypt", "done", { took: since(opening) });
    this.#sealed = sealed;
    return answer;
  }

  #show(query) {
    // Drawn from the middle: the first bytes are the envelope's header, which is the same for every query.
    const middle = query.length >> 1;
    const [drawn, written] = [query.slice(middle, middle + DRAWN_BYTES), query.slice(0, WRITTEN_BYTES)];
    this.#with.tell("ciphertext", { drawn, written, length: query.length, entropy: entropy(query) });
  }

  async #answer(id, signal) {
    const { api } = this.#with;
    try {
      await this.#follow(id, signal);
      this.#step("result", "running");
      const sealed = await api.result(id, signal);
      this.#step("result", "done", { bytes: sealed.length });
      return sealed;
    } catch (error) {
      if (signal.aborted) await api.cancel(id).catch(() => {});
      throw error;
    }
  }

  // The computation goes on when its stream of progress breaks off, and the next stream begins with where it is.
  async #follow(id, signal) {
    this.#step("compute", "running", { layer: "queued" });
    const began = performance.now();
    const heard = { streams: 0 };
    while (!(await this.#listen(id, signal, heard))) await pause(REOPEN, signal);
    this.#step("compute", "done", { took: since(began) });
  }

  /** Whether the computation is done; `heard.streams` counts streams since the last progress. */
  async #listen(id, signal, heard) {
    heard.streams += 1;
    try {
      for await (const { name, data } of events(this.#with.api.eventLines(id, signal))) {
        heard.streams = 0;
        if (name === "progress") this.#step("compute", "running", data);
        if (name === "failed") throw new Problem(data.problem ?? { title: "The computation failed" });
        if (name === "cancelled") throw new Problem({ title: "The server cancelled the computation", hint: "Try again." });
        if (name === "done") return true;
      }
    } catch (error) {
      if (!error.passing) throw error;
    }
    if (heard.streams < SILENT_STREAMS) return false;
    throw new Problem({ title: "The connection broke off", detail: "The server stopped reporting progress.", hint: "Try again: your keys are still there." });
  }

  #step(id, state, detail = {}) {
    this.#with.tell("step", { id, state, detail });
  }

  #tellKeys() {
    const { tell, vault } = this.#with;
    if (this.#manifest === undefined) return;
    const { created, fingerprint, keySet } = this.#secret?.details ?? {};
    const missing = this.#manifest.keys.filter(({ name }) => this.#missing?.has(name) ?? true);
    tell("keys", {
      count: this.#manifest.keys.length,
      missing: missing.length,
      missingBytes: missing.reduce((sum, { bytes }) => sum + bytes, 0),
      exists: keySet !== undefined,
      created,
      fingerprint,
      refusal: vault.refusal,
    });
  }
}

/** How often a question is asked again after the server lost something. */
const RECOVERIES = 3;

/** What the server says when it lost something that can be sent again. */
const LOST = ["unknown-key-set", "missing-keys", "unknown-inference"];

/** What the server says of a key set that it has not, or cannot use any more. */
const GONE = ["unknown-key-set", "retired-configuration"];

function since(began) {
  return (performance.now() - began) / 1000;
}
