// The worker that owns the WebAssembly and with it the secret keys. The page sends `start`, `open`, `measure`, `run`,
// `cancel`, `verify`, `stranger` and `forget`; it hears of steps, requests, keys and answers, each with the mode that it belongs to.

import { Api } from "./api.js";
import { Classifier } from "./classify.js";
import { Completer } from "./complete.js";
import { loadEngine } from "./engine.js";
import { forget } from "./forget.js";
import { Problem } from "./problem.js";
import { Vault } from "./vault.js";

const SEED_BYTES = 32;

let engine;
let vault;
let modes;
let running;

const tell = (mode) => (type, fields = {}) => self.postMessage({ type, mode, ...fields });
const api = (mode) =>
  new Api(
    (request) => tell(mode)("request", { request }),
    () => tell(mode)("delayed"),
  );

function explain(error) {
  if (error instanceof Problem) return { title: error.message, detail: error.detail, hint: error.hint };
  return { title: "Something went wrong in your browser", detail: String(error?.message ?? error), hint: "Reload the page and try again." };
}

/** `seed` makes the keys predictable and is for tests only. `build`, `makers` and `refusal` are what the page found out about the browser. */
async function start({ seed, build, makers, refusal }) {
  engine = await loadEngine(build);
  // What WebAssembly draws its own randomness from, too.
  const draw = () => seed?.slice() ?? crypto.getRandomValues(new Uint8Array(SEED_BYTES));
  vault = new Vault({ draw, refusal });
  const equipment = (mode) => ({ api: api(mode), tell: tell(mode), engine, vault, makers });
  modes = { classify: new Classifier(equipment("classify")), complete: new Completer(equipment("complete")) };
  tell()("ready");
}

async function run({ mode, input }) {
  running = new AbortController();
  const { signal } = running;
  const began = performance.now();
  try {
    const answer = await modes[mode].run(input, signal);
    tell(mode)("answer", { answer, seconds: (performance.now() - began) / 1000, memory: engine.memory + modes[mode].memory });
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
  verify: ({ mode }) => modes[mode].verify(),
  stranger: ({ mode }) => modes[mode].stranger(),
  cancel: () => running?.abort(),
  forget: async ({ mode }) => {
    const outcome = await forget({ api: api(mode), vault, modes: Object.values(modes) });
    tell()("forgotten", { outcome });
  },
};

self.addEventListener("message", async ({ data }) => {
  try {
    await actions[data.type](data);
  } catch (error) {
    tell(data.mode)("failed", { during: data.type, ...explain(error) });
  }
});
