// The page: connects what the person does with the worker that keeps the secrets.

import { setUpClassify } from "./classify.js";
import { setUpComplete } from "./complete.js";
import { showFacts } from "./facts.js";
import { setUpTabs } from "./tabs.js";
import { Traffic } from "./traffic.js";

const forget = document.querySelector("#forget");
const traffic = new Traffic();
const stored = new Set();
const worker = new Worker(new URL("../worker/main.js", import.meta.url), { type: "module" });
const speaker = (mode) => (type, fields = {}) => worker.postMessage({ type, mode, ...fields });

const panels = {
  classify: setUpClassify(document.querySelector("#classify-panel"), speaker("classify")),
  complete: setUpComplete(document.querySelector("#complete-panel"), speaker("complete")),
};

const hears = {
  request: (panel, { request }) => {
    traffic.add(request);
    panel.journey.addTraffic(request);
  },
  manifest: (panel, { manifest }) => {
    showFacts(manifest);
    panel.hears.manifest?.({ manifest });
  },
  keys: (panel, { mode, stored: there }) => {
    if (there) stored.add(mode);
    else stored.delete(mode);
    forget.hidden = stored.size === 0;
  },
};

worker.addEventListener("message", ({ data }) => {
  const addressed = data.mode === undefined ? Object.values(panels) : [panels[data.mode]];
  for (const panel of addressed) {
    if (data.type in hears) hears[data.type](panel, data);
    else panel.hears[data.type]?.(data);
  }
});
worker.addEventListener("error", () => {
  const problem = { title: "This browser cannot run the encryption", hint: "It needs WebAssembly with SIMD and module workers: any browser of 2023 or later." };
  for (const panel of Object.values(panels)) panel.fail(problem);
});

forget.addEventListener("click", () => {
  for (const mode of stored) {
    panels[mode].send("forget");
    panels[mode].say("Your evaluation keys are deleted from the server.");
  }
  forget.hidden = true;
});

// Only a test that runs its own script before the page's can set this: it makes the secret recognisable.
worker.postMessage({ type: "start", seed: globalThis.cipherformerTestSeed });

setUpTabs(document.querySelector(".modes"), (mode) => panels[mode].hears.shown?.());
