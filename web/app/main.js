// The page: connects what the person does with the worker that keeps the secrets.

import { hideAnswer, showAnswer } from "./answer.js";
import { showFacts } from "./facts.js";
import { setUpGallery } from "./gallery.js";
import { rgb } from "./image.js";
import { drawCipher, drawCrop } from "./pixels.js";
import { Stepper } from "./stepper.js";
import { Traffic } from "./traffic.js";

const button = document.querySelector("#classify");
const cancel = document.querySelector("#cancel");
const forget = document.querySelector("#forget");
const failure = document.querySelector("#failure");

const say = (text) => {
  document.querySelector("#status").textContent = text;
};
const stepper = new Stepper(document.querySelector("#steps"), say);
const traffic = new Traffic();

let chosen;
let classified;
let ready = false;
let busy = false;

function refresh() {
  button.disabled = !ready || !chosen || busy;
  cancel.hidden = !busy;
  for (const chooser of document.querySelectorAll("#gallery, #file")) chooser.disabled = busy;
  button.textContent = busy ? "Working…" : "Classify privately";
}

function settle(text) {
  busy = false;
  cancel.disabled = false;
  say(text);
  refresh();
}

function fail({ title, detail, hint }) {
  stepper.stop();
  document.querySelector("#failure-title").textContent = title;
  document.querySelector("#failure-detail").textContent = [detail, hint].filter(Boolean).join(" ");
  failure.hidden = false;
  settle("");
}

const hears = {
  ready: () => {
    ready = true;
    refresh();
  },
  step: (step) => stepper.update(step),
  request: ({ request }) => traffic.add(request),
  manifest: ({ manifest }) => showFacts(manifest),
  ciphertext: ({ bytes }) => drawCipher(bytes),
  keys: ({ stored }) => {
    forget.hidden = !stored;
  },
  answer: ({ top, seconds, memory }) => {
    showAnswer({ top, seconds, memory, truth: classified.truth });
    settle(`Answer: ${document.querySelector("#label").textContent}.`);
  },
  cancelled: () => {
    stepper.stop();
    settle("Cancelled. Nothing more is sent.");
  },
  failed: fail,
};

function startWorker() {
  const worker = new Worker(new URL("../worker/main.js", import.meta.url), { type: "module" });
  worker.addEventListener("message", ({ data }) => hears[data.type](data));
  worker.addEventListener("error", () => {
    fail({ title: "This browser cannot run the encryption", hint: "It needs WebAssembly with SIMD and module workers: any browser of 2023 or later." });
  });
  // Only a test that runs its own script before the page's can set this: it makes the secret recognisable.
  worker.postMessage({ type: "start", seed: globalThis.cipherformerTestSeed });
  return worker;
}

const worker = startWorker();

button.addEventListener("click", () => {
  busy = true;
  classified = chosen;
  failure.hidden = true;
  hideAnswer();
  stepper.reset();
  refresh();
  worker.postMessage({ type: "classify", rgb: rgb(chosen.canvas) });
});

cancel.addEventListener("click", () => {
  cancel.disabled = true;
  say("Cancelling…");
  worker.postMessage({ type: "cancel" });
});

forget.addEventListener("click", () => {
  forget.hidden = true;
  worker.postMessage({ type: "forget" });
  say("Your evaluation keys are deleted from the server.");
});

setUpGallery((choice) => {
  chosen = choice;
  drawCrop(choice.canvas, choice.name);
  refresh();
}).catch(() => say("The sample pictures could not be loaded. Your own picture works all the same."));
