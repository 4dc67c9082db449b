// What a later visit needs: for each model the 32-byte seed that its secret key is derived from, and which key set the server
// holds for it. Both are kept in IndexedDB, sealed by an AES-GCM key that the browser made and gives out to nobody, this
// page included. The secret key itself is kept nowhere. Where nothing can be kept, seeds live in this worker's memory.

import { Secret } from "./secret.js";
import { Store } from "./store.js";

const WRAPPING_KEY = "wrapping key";
const PREFIX = "model ";

export class Vault {
  #store;
  #key;
  #secrets = new Map();
  #draw;
  #refusal;

  /** `draw()` gives the 32 bytes of a new seed, `refusal` is why nothing can be kept, if so. */
  constructor({ draw, refusal }) {
    this.#draw = draw;
    this.#refusal = refusal;
  }

  /** Why nothing is kept, in words; `undefined` where it is. */
  get refusal() {
    return this.#refusal;
  }

  /** The secret for `model`: the kept one, or a new one that is kept from its first `keep` on. */
  async recall(model, configuration) {
    const known = this.#secrets.get(model) ?? (await this.#read(model));
    if (known?.usable && known.details.configuration === configuration) {
      this.#secrets.set(model, known);
      return known;
    }
    known?.wipe();
    const fresh = Secret.fresh(this.#draw(), { configuration }, (sealed) => this.#write(model, sealed));
    fresh.retired = known?.details.keySet;
    this.#secrets.set(model, fresh);
    return fresh;
  }

  /** `[{model, keySet}]` of all key sets that a secret here belongs to. */
  async keySets() {
    if (this.#refusal === undefined) {
      await this.#open();
      const names = (await this.#store.names()).filter((name) => name.startsWith(PREFIX));
      for (const model of names.map((name) => name.slice(PREFIX.length))) {
        const secret = this.#secrets.get(model) ?? (await this.#read(model));
        if (secret) this.#secrets.set(model, secret);
      }
    }
    return [...this.#secrets].map(([model, { details }]) => ({ model, keySet: details.keySet })).filter(({ keySet }) => keySet !== undefined);
  }

  /** Wipes everything, here and in IndexedDB: `false` when another tab delays that. Rejects when the browser does not delete it. */
  async forget() {
    for (const secret of this.#secrets.values()) secret.wipe();
    this.#secrets.clear();
    this.#store?.close();
    this.#store = undefined;
    this.#key = undefined;
    return this.#refusal === undefined ? Store.destroy() : true;
  }

  async #open() {
    this.#store ??= await Store.open(() => {
      this.#refusal = "you were forgotten in another tab";
    });
    this.#key ??= await this.#store.get(WRAPPING_KEY);
  }

  async #read(model) {
    if (this.#refusal !== undefined) return undefined;
    try {
      await this.#open();
      const sealed = await this.#store.get(PREFIX + model);
      if (sealed === undefined || this.#key === undefined) return undefined;
      return await Secret.open(this.#key, model, sealed, (changed) => this.#write(model, changed));
    } catch {
      // Damaged, or sealed by a key that is gone: of use to nobody.
      await this.#store?.delete(PREFIX + model).catch(() => {});
      return undefined;
    }
  }

  /** `seal(key, model)` gives what is written. Without storage the secret stays where it is, in memory. */
  async #write(model, seal) {
    if (this.#refusal !== undefined) return false;
    try {
      await this.#open();
      this.#key ??= await this.#store.getOrPut(WRAPPING_KEY, await newWrappingKey());
      await this.#store.put(PREFIX + model, await seal(this.#key, model));
      return true;
    } catch (error) {
      this.#refusal ??= error.name === "QuotaExceededError" ? "this browser has no room left for this page" : `this browser refused to store it (${error.name})`;
      return false;
    }
  }
}

function newWrappingKey() {
  const extractable = false;
  return crypto.subtle.generateKey({ name: "AES-GCM", length: 256 }, extractable, ["encrypt", "decrypt"]);
}
