// The page: connects what the person does with the worker that keeps the secrets.

import { examine } from "./capabilities.js";
import { setUpClassify } from "./classify.js";
import { setUpComplete } from "./complete.js";
import { setUpScheme } from "./scheme.js";
import { setUpTabs } from "./tabs.js";
import { Traffic } from "./traffic.js";
import { checkWorkers } from "../worker/integrity.js";

const UNUSABLE = { title: "This browser cannot run the encryption", hint: "It needs WebAssembly and module workers: any browser of 2023 or later." };

document.querySelector("#unstarted").remove();
setUpScheme(document.querySelector("#scheme"));
const traffic = new Traffic(document.querySelector(".saw"));
const browser = await examine();
let worker;
const speaker = (mode) => (type, fields = {}) => worker.postMessage({ type, mode, ...fields });

const panels = {
  classify: setUpClassify(document.querySelector("#classify-panel"), speaker("classify"), browser),
  complete: setUpComplete(document.querySelector("#complete-panel"), speaker("complete"), browser),
};

const lacks = document.querySelector("#lacks");
lacks.hidden = browser.lacks.length === 0;
lacks.querySelector("ul").append(...browser.lacks.map((text) => Object.assign(document.createElement("li"), { textContent: text })));

function hear({ data }) {
  const addressed = data.mode === undefined ? Object.values(panels) : [panels[data.mode]];
  if (data.type === "request") traffic.add(data.request);
  if (data.type === "ciphertext") traffic.show(data);
  for (const panel of addressed) panel.hear(data);
}

function refuse({ title, message, detail, hint }) {
  for (const panel of Object.values(panels)) panel.fail({ title: title ?? message, detail, hint });
}

async function start({ usable, build, makers, refusal }) {
  if (!usable) return refuse(UNUSABLE);
  await checkWorkers();
  worker = new Worker(new URL("../worker/main.js", import.meta.url), { type: "module" });
  worker.addEventListener("message", hear);
  worker.addEventListener("error", () => refuse(UNUSABLE));
  // Only a test that runs its own script before the page's can set the seed: it makes the secret recognisable.
  worker.postMessage({ type: "start", build, makers, refusal, seed: globalThis.cipherformerTestSeed });
}

setUpTabs(document.querySelector(".modes"), (mode) => panels[mode].hear({ type: "shown" }));
start(browser).catch(refuse);
