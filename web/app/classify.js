// The mode that classifies an image.

import { hideAnswer, showAnswer } from "./answer.js";
import { label } from "./format.js";
import { setUpGallery } from "./gallery.js";
import { rgb } from "./image.js";
import { Panel } from "./panel.js";
import { CLASSIFY } from "./steps.js";

export function setUpClassify(root, send, browser) {
  const panel = new Panel(root, {
    send,
    browser,
    names: { idle: "Classify privately", busy: "Working…" },
    steps: CLASSIFY,
    input: "picture",
    unit: "picture",
    entry: (ranked) => label(ranked.label),
  });
  let ready = false;
  let state = "closed";
  let chosen;
  let classified;

  panel.onRefresh(({ busy }) => {
    for (const chooser of root.querySelectorAll("#gallery, #file")) chooser.disabled = busy;
  });

  root.querySelector("#classify").addEventListener("click", () => {
    if (!panel.mayUpload()) return;
    classified = chosen;
    hideAnswer();
    panel.start({ rgb: rgb(chosen.canvas) });
  });

  setUpGallery((choice) => {
    chosen = choice;
    showCrop(root.querySelector(".plain"), choice);
    panel.journey.clearCipher();
    panel.allow(ready && choice !== undefined);
  }).catch(() => panel.say("The sample pictures could not be loaded. Your own picture works all the same."));

  const open = () => {
    if (!ready || state !== "closed" || root.hidden) return;
    state = "opening";
    panel.send("open");
  };

  panel.listen({
    ready: () => {
      ready = true;
      panel.allow(chosen !== undefined);
      open();
    },
    shown: open,
    opened: () => {
      state = "open";
    },
    failed: () => {
      if (state === "opening") state = "closed";
    },
    answer: ({ answer, seconds, memory }) => {
      showAnswer({ ...answer, seconds, memory, truth: classified.truth });
      if (classified.truth !== undefined) panel.numbers.judge(answer.top[0].label === classified.truth);
      panel.proof.allow(true);
      panel.settle(`Answer: ${root.querySelector("#label").textContent}.`);
    },
    cancelled: () => {
      panel.journey.stepper.stop();
      panel.settle("Cancelled. Nothing more is sent.");
    },
  });
  return panel;
}

function showCrop(canvas, choice) {
  const context = canvas.getContext("2d");
  context.clearRect(0, 0, canvas.width, canvas.height);
  if (choice) context.drawImage(choice.canvas, 0, 0);
  canvas.setAttribute("aria-label", `The picture as the model will see it: ${choice?.name ?? "empty"}`);
}
