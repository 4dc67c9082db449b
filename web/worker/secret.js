// One seed with what belongs to it. In memory it is plain only while it is kept nowhere else.

const IV_BYTES = 12;

export class Secret {
  #seed;
  #sealed;
  #open;
  #write;
  details;
  /** A key set of the secret before this one, which the server may drop. */
  retired;

  /** A secret that is not kept yet. `write(seal)` tries to keep it and tells whether it did. */
  static fresh(seed, details, write) {
    const secret = new Secret();
    secret.#seed = seed;
    secret.details = details;
    secret.#write = write;
    return secret;
  }

  /** A kept secret. Rejects when `sealed` is not what this `key` sealed for this `model`. */
  static async open(key, model, sealed, write) {
    const secret = new Secret();
    secret.details = JSON.parse(new TextDecoder().decode(await unseal(key, `${model} details`, sealed.details)));
    secret.#sealed = sealed.seed;
    secret.#open = () => unseal(key, `${model} seed`, sealed.seed);
    secret.#write = write;
    return secret;
  }

  /** Whether there still is a seed: a wiped one that is kept nowhere is gone. */
  get usable() {
    return this.#seed !== undefined || this.#open !== undefined;
  }

  /** A copy of the 32 bytes. Whoever takes it wipes it. */
  async seed() {
    return this.#seed?.slice() ?? new Uint8Array(await this.#open());
  }

  /** Takes `changes` over into the details and keeps everything, where that is possible. */
  async keep(changes) {
    this.details = { ...this.details, ...changes };
    const kept = await this.#write(async (key, model) => {
      if (this.#sealed === undefined) {
        const sealed = await seal(key, `${model} seed`, this.#seed);
        this.#sealed = sealed;
        this.#open = () => unseal(key, `${model} seed`, sealed);
      }
      const details = await seal(key, `${model} details`, new TextEncoder().encode(JSON.stringify(this.details)));
      return { seed: this.#sealed, details };
    });
    if (kept) this.wipe();
  }

  /** Clears the plain seed. */
  wipe() {
    this.#seed?.fill(0);
    this.#seed = undefined;
  }
}

async function seal(key, purpose, bytes) {
  const iv = crypto.getRandomValues(new Uint8Array(IV_BYTES));
  return { iv, bytes: await crypto.subtle.encrypt(algorithm(iv, purpose), key, bytes) };
}

function unseal(key, purpose, { iv, bytes }) {
  return crypto.subtle.decrypt(algorithm(iv, purpose), key, bytes);
}

// The purpose is authenticated: what was sealed as one thing does not open as another.
function algorithm(iv, purpose) {
  return { name: "AES-GCM", iv, additionalData: new TextEncoder().encode(`cipherformer ${purpose}`) };
}
