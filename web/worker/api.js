// The HTTP API. Every exchange is reported to the ledger, so the page can show what the server saw.

import { parts } from "./parts.js";
import { pause } from "./pause.js";
import { Problem } from "./problem.js";

const ABSENT = {
  classify: { title: "This server has no model for pictures", hint: "Complete a prompt instead, or ask another server." },
  complete: { title: "This server has no language model", hint: "Classify an image instead, or ask another server." },
};

/** Milliseconds before a request that may be repeated is sent again: a server that restarts is back by then. */
const WAITS = [500, 1000, 2000, 4000, 8000, 15_000];

/** Requests to the page's own server. `ledger` hears of each one when it ends, `delayed` of those that are to be sent again. */
export class Api {
  constructor(ledger, delayed) {
    this.ledger = ledger;
    this.delayed = delayed;
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
    return this.#text("DELETE", `v1/key-sets/${keySet}`, "Deletion of the evaluation keys", { once: true });
  }

  infer(keySet, query, purpose) {
    return this.#json("POST", `v1/inferences?key_set=${keySet}`, purpose, {
      once: true,
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
        const { value, done } = await reader.read().catch((cause) => {
          throw signal.aborted ? cause : unreachable(cause);
        });
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
    return this.#text("DELETE", `v1/inferences/${inference}`, "Cancellation", { once: true });
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
    const request = { ...this.#begin(method, path, purpose, sent), media: options.headers?.["content-type"] };
    const response = await this.#fetch(request, options);
    const bytes = new Uint8Array(await response.arrayBuffer());
    request.received = bytes.length;
    this.ledger(request);
    return bytes;
  }

  #begin(method, path, purpose, sent) {
    return { method, path: `/${path}`, purpose, sent, received: 0, at: Date.now() };
  }

  /** Sent again while the network is in the way, unless `once`. */
  async #fetch(request, { once = false, ...options }) {
    for (const wait of once ? [] : WAITS) {
      try {
        return await this.#send(request, options);
      } catch (error) {
        if (!error.passing) throw error;
        this.delayed();
      }
      await pause(wait, options.signal);
    }
    return this.#send(request, options);
  }

  async #send(request, options) {
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
      throw unreachable(cause);
    }
    if (response.ok) return response;
    this.ledger(request);
    const described = response.headers.get("content-type")?.includes("problem+json");
    throw new Problem(described ? await response.json() : { title: `The server answered ${response.status}`, hint: "Try again.", passing: GATEWAY.includes(response.status) });
  }
}

/** What a proxy says when it does not reach the server. */
const GATEWAY = [502, 504];

function unreachable(cause) {
  return new Problem({
    title: "The server does not answer",
    detail: String(cause.message),
    hint: "Check the connection and try again: keys that are there need not be sent again.",
    passing: true,
  });
}
