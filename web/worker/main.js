// The worker that owns the WebAssembly and with it the secret keys. The page sends `start`, `open`, `measure`, `run`,
// `cancel` and `forget`; it hears of steps, requests and answers, each with the mode that it belongs to.

import init from "../pkg/cipherformer_wasm_client.js";
import { Api, Problem } from "./api.js";
import { Classifier } from "./classify.js";
import { Completer } from "./complete.js";

let wasm;
let modes;
let running;

const tell = (mode) => (type, fields = {}) => self.postMessage({ type, mode, ...fields });

function explain(error) {
  if (error instanceof Problem) return { title: error.message, detail: error.detail, hint: error.hint };
  return { title: "Something went wrong in your browser", detail: String(error?.message ?? error), hint: "Reload the page and try again." };
}

async function start({ seed }) {
  wasm = await init({ module_or_path: new URL("../pkg/cipherformer_wasm_client_bg.wasm", import.meta.url) });
  const equip = (mode) => ({ api: new Api((request) => tell(mode)("request", { request })), tell: tell(mode), seed });
  modes = { classify: new Classifier(equip("classify")), complete: new Completer(equip("complete")) };
  tell()("ready");
}

async function run({ mode, input }) {
  running = new AbortController();
  const { signal } = running;
  const began = performance.now();
  try {
    const answer = await modes[mode].run(input, signal);
    // WebAssembly memory never shrinks, so its size is its peak.
    const memory = wasm.memory.buffer.byteLength + (modes[mode].memory ?? 0);
    tell(mode)("answer", { answer, seconds: (performance.now() - began) / 1000, memory });
  } catch (error) {
    if (!signal.aborted) throw error;
    tell(mode)("cancelled");
  } finally {
    running = undefined;
  }
}

const actions = {
  start,
  run,
  open: ({ mode }) => modes[mode].open(),
  measure: ({ mode, ...input }) => modes[mode].measure(input),
  cancel: () => running?.abort(),
  forget: ({ mode }) => modes[mode].forget(),
};

self.addEventListener("message", async ({ data }) => {
  try {
    await actions[data.type](data);
  } catch (error) {
    tell(data.mode)("failed", explain(error));
  }
});
