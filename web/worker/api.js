// The HTTP API. Every exchange is reported to the ledger, so the page can show what the server saw.

import { parts } from "./parts.js";

const ABSENT = {
  classify: { title: "This server has no model for pictures", hint: "Complete a prompt instead, or ask another server." },
  complete: { title: "This server has no language model", hint: "Classify an image instead, or ask another server." },
};

/** An error that a person can act on: what happened, and what to do about it. */
export class Problem extends Error {
  constructor({ title, detail = "", hint = "", type = "" }) {
    super(title);
    this.detail = detail;
    this.hint = hint;
    this.slug = type.split("#")[1] ?? "";
  }
}

/** Requests to the page's own server. `ledger` hears of each one when it ends. */
export class Api {
  constructor(ledger) {
    this.ledger = ledger;
  }

  /** The manifest of the first model whose task is of `kind`. */
  async findModel(kind, signal) {
    const { models } = await this.#json("GET", "v1/models", "Which models there are", { signal });
    const found = models.find(({ task }) => task === kind);
    if (!found) throw new Problem(ABSENT[kind]);
    const text = await this.#text("GET", `v1/models/${found.id}`, "How to encrypt for this model", { signal });
    return { text, manifest: JSON.parse(text) };
  }

  /** A public file of `model`. */
  file(model, name, purpose) {
    return this.#bytes("GET", `v1/models/${model}/files/${name}`, purpose, { cache: "default" });
  }

  createKeySet({ model, configuration }, signal) {
    return this.#json("POST", "v1/key-sets", "Room for evaluation keys", {
      signal,
      body: JSON.stringify({ model, configuration }),
      headers: { "content-type": "application/json" },
    });
  }

  /** What the server has of a key set: `{missing}` are the names of the keys that it lacks. */
  keySet(keySet, signal) {
    return this.#json("GET", `v1/key-sets/${keySet}`, "Which evaluation keys are there", { signal });
  }

  /** Sends a key in the parts that the server takes; `onPart(length)` hears of each. */
  async uploadKey(keySet, { name, bytes, checksums }, { signal, onPart }) {
    for (const [part, body] of parts(bytes).entries()) {
      await this.#text("PUT", `v1/key-sets/${keySet}/keys/${name}/parts/${part}`, "Part of an evaluation key", {
        signal,
        body,
        headers: { "content-type": "application/octet-stream", "x-part-blake3": checksums[part] },
      });
      onPart(body.length);
    }
  }

  deleteKeySet(keySet) {
    return this.#text("DELETE", `v1/key-sets/${keySet}`, "Deletion of the evaluation keys", {});
  }

  infer(keySet, query, purpose) {
    return this.#json("POST", `v1/inferences?key_set=${keySet}`, purpose, {
      body: query,
      headers: { "content-type": "application/octet-stream" },
    });
  }

  /** The lines of the event stream, as they arrive. */
  async *eventLines(inference, signal) {
    const request = this.#begin("GET", `v1/inferences/${inference}/events`, "Progress of the computation", 0);
    const response = await this.#fetch(request, { signal, headers: { accept: "text/event-stream" } });
    const decoder = new TextDecoder();
    const reader = response.body.getReader();
    let rest = "";
    try {
      for (;;) {
        const { value, done } = await reader.read();
        if (done) return;
        request.received += value.length;
        const lines = (rest + decoder.decode(value, { stream: true })).split("\n");
        rest = lines.pop();
        yield* lines;
      }
    } finally {
      reader.cancel().catch(() => {});
      this.ledger(request);
    }
  }

  result(inference, signal) {
    return this.#bytes("GET", `v1/inferences/${inference}/result`, "The encrypted answer", { signal });
  }

  cancel(inference) {
    return this.#text("DELETE", `v1/inferences/${inference}`, "Cancellation", {});
  }

  async #json(method, path, purpose, options) {
    return JSON.parse(await this.#text(method, path, purpose, options));
  }

  async #text(method, path, purpose, options) {
    return new TextDecoder().decode(await this.#bytes(method, path, purpose, options));
  }

  async #bytes(method, path, purpose, options) {
    const { body } = options;
    const sent = typeof body === "string" ? new TextEncoder().encode(body).length : (body?.length ?? 0);
    const request = this.#begin(method, path, purpose, sent);
    const response = await this.#fetch(request, options);
    const bytes = new Uint8Array(await response.arrayBuffer());
    request.received = bytes.length;
    this.ledger(request);
    return bytes;
  }

  #begin(method, path, purpose, sent) {
    return { method, path: `/${path}`, purpose, sent, received: 0, at: Date.now() };
  }

  async #fetch(request, options) {
    let response;
    try {
      response = await fetch(new URL(request.path, self.location.origin), {
        cache: "no-store",
        credentials: "omit",
        redirect: "error",
        method: request.method,
        ...options,
      });
    } catch (cause) {
      if (options.signal?.aborted) throw cause;
      throw new Problem({ title: "The server does not answer", detail: String(cause.message), hint: "Check the connection and try again: keys that are there need not be sent again." });
    }
    if (response.ok) return response;
    this.ledger(request);
    const described = response.headers.get("content-type")?.includes("problem+json");
    throw new Problem(described ? await response.json() : { title: `The server answered ${response.status}`, hint: "Try again." });
  }
}
