// A second worker that makes evaluation keys, with a WebAssembly instance and a secret key of its own. Both go with it.

import { loadEngine } from "./engine.js";
import { makeKey } from "./make.js";

let engine;
let session;

const actions = {
  async start({ build, module, manifest, seed }) {
    engine = await loadEngine(build, module);
    session = new engine.Session(manifest, seed);
    self.postMessage({ type: "ready" });
  },
  make({ index }) {
    const key = makeKey(engine, session, index);
    self.postMessage({ type: "key", key }, [key.bytes.buffer]);
  },
  wipe() {
    session?.free();
    self.postMessage({ type: "wiped", memory: engine?.memory ?? 0 });
    self.close();
  },
};

self.addEventListener("message", async ({ data }) => {
  try {
    await actions[data.type](data);
  } catch (error) {
    self.postMessage({ type: "failed", message: String(error?.message ?? error) });
  }
});
