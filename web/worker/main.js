// The worker that owns the WebAssembly and with it the secret key. The page sends `start`, `classify`, `cancel` and
// `forget`; it hears of steps, requests and the answer.

import init from "../pkg/cipherformer_wasm_client.js";
import { Api, Problem } from "./api.js";
import { Classifier } from "./classify.js";

let wasm;
let classifier;
let running;

const tell = (type, fields = {}) => self.postMessage({ type, ...fields });

function explain(error) {
  if (error instanceof Problem) return { title: error.message, detail: error.detail, hint: error.hint };
  return { title: "Something went wrong in your browser", detail: String(error?.message ?? error), hint: "Reload the page and try again." };
}

async function start({ seed }) {
  wasm = await init({ module_or_path: new URL("../pkg/cipherformer_wasm_client_bg.wasm", import.meta.url) });
  classifier = new Classifier({ api: new Api((request) => tell("request", { request })), tell, seed });
  tell("ready");
}

async function classify({ rgb }) {
  running = new AbortController();
  const { signal } = running;
  const began = performance.now();
  try {
    const top = await classifier.classify(rgb, signal);
    // WebAssembly memory never shrinks, so its size is its peak.
    tell("answer", { top, seconds: (performance.now() - began) / 1000, memory: wasm.memory.buffer.byteLength });
  } catch (error) {
    if (signal.aborted) tell("cancelled");
    else tell("failed", explain(error));
  } finally {
    running = undefined;
  }
}

const actions = {
  start,
  classify,
  cancel: () => running?.abort(),
  forget: () => classifier.forget(),
};

self.addEventListener("message", async ({ data }) => {
  try {
    await actions[data.type](data);
  } catch (error) {
    tell("failed", explain(error));
  }
});
