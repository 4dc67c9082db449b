// Who makes evaluation keys: this worker, and where the machine has a core for it a second one. Each `make(index)` gives a key, of
// which so many may be asked for `ahead` of the one that is waited for; `end()` wipes the secret and tells how much memory it took.

import { makeKey } from "./make.js";

/** Makes keys here, and lets messages (a cancellation) and network events in between two of them. */
export function ownMaker(engine, session) {
  return {
    ahead: 0,
    async make(index) {
      await new Promise((resolve) => setTimeout(resolve, 0));
      return makeKey(engine, session, index);
    },
    end: async () => 0,
  };
}

/**
 * Makes keys in a second worker, once it is there: one that makes keys in the meantime holds that up, for a worker begins with messages to this
 * thread. `seed` is handed over: nothing of it stays here.
 */
export async function secondMaker(engine, manifest, seed) {
  const worker = new Worker(new URL("maker.js", import.meta.url), { type: "module" });
  const waiting = [];
  const settle = (how, value) => waiting.shift()?.[how](value);
  worker.addEventListener("message", ({ data }) => {
    if (data.type === "failed") settle("reject", new Error(data.message));
    else settle("resolve", data);
  });
  worker.addEventListener("error", ({ message }) => {
    for (const { reject } of waiting.splice(0)) reject(new Error(message || "the second worker ended"));
  });
  const ask = (message, transfer) =>
    new Promise((resolve, reject) => {
      waiting.push({ resolve, reject });
      worker.postMessage(message, transfer);
    });
  try {
    await ask({ type: "start", build: engine.build, module: engine.module, manifest, seed }, [seed.buffer]);
  } catch (error) {
    // The seed may be there already: nobody else would end it.
    worker.terminate();
    throw error;
  }
  return {
    // What it makes is heard of when this thread has finished a key of its own.
    ahead: 1,
    async make(index) {
      return (await ask({ type: "make", index })).key;
    },
    async end() {
      const { memory = 0 } = await ask({ type: "wipe" }).catch(() => ({}));
      worker.terminate();
      return memory;
    },
  };
}
