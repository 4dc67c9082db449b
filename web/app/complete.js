// The mode that completes a prompt.

import { Continuation } from "./continuation.js";
import { bytes, duration, label, timeLeft } from "./format.js";
import { Panel } from "./panel.js";
import { drawPlaces } from "./places.js";
import { setUpPrompt } from "./prompt.js";
import { setUpSettings } from "./settings.js";
import { COMPLETE } from "./steps.js";
import { quoted, visible } from "./words.js";

export function setUpComplete(root, send, browser) {
  const panel = new Panel(root, {
    send,
    browser,
    names: { idle: "Complete privately", busy: "Working…" },
    steps: COMPLETE,
    input: "prompt",
    unit: "token",
    entry: ({ word }) => visible(word),
  });
  const more = root.querySelector("#more");
  const settings = setUpSettings(root.querySelector("#settings"), root.querySelector("#settings-error"));
  const continuation = new Continuation(root.querySelector("#completion"), (index, alternative) => go(chosenAt(index, alternative)));
  const prompt = setUpPrompt(root, measure);
  let ready = false;
  let state = "closed";
  let measured;
  let work;
  let waiting;

  function measure(text) {
    if (state === "open") panel.send("measure", { text });
  }

  function open() {
    if (!ready || state !== "closed" || root.hidden) return;
    state = "opening";
    panel.say("Fetching the model's vocabulary…");
    panel.send("open");
  }

  const fromStart = () => ({ text: prompt.text, shown: shownText(), kept: [] });
  const fromEnd = () => ({ ...work, kept: continuation.tokens });
  const chosenAt = (index, alternative) => {
    const tokens = continuation.tokens;
    return { ...work, kept: [...tokens.slice(0, index), { ...alternative, alternatives: tokens[index].alternatives }] };
  };

  // What the model does not read of a long prompt is not shown above its continuation either.
  function shownText() {
    return measured.dropped > 0 ? `… ${measured.kept}` : prompt.text;
  }

  function go({ text, shown, kept }) {
    const chosen = settings.read();
    if (!chosen || !panel.mayUpload()) return;
    const { count, ...sampling } = chosen;
    const next = { text, shown, kept, sampling, total: kept.length + count };
    if (panel.busy) {
      waiting = next;
      panel.stop();
    } else begin(next);
  }

  function begin(next) {
    work = { ...next, began: performance.now(), spent: 0, found: 0 };
    const { text, shown, kept, sampling, total } = work;
    continuation.begin(shown, kept);
    root.querySelector("#completion-timing").textContent = "";
    panel.say("Beginning…");
    panel.start({ text, continued: kept.map(({ token }) => token), total, ...sampling });
  }

  function progress(word) {
    const { spent, found, kept, total } = work;
    const each = spent / found;
    const left = total - kept.length - found;
    const parts = [`Token ${found} of ${total - kept.length}: ${quoted(word)}`, `${each.toFixed(1)} s each`, left > 0 ? timeLeft(each * left) : ""];
    return parts.filter(Boolean).join(" · ");
  }

  panel.onRefresh(({ busy, elsewhere }) => {
    prompt.lock(busy);
    settings.lock(busy);
    more.hidden = busy || elsewhere || continuation.tokens.length === 0 || prompt.text !== work.text;
    for (const button of root.querySelectorAll("#alternatives button")) button.disabled = elsewhere;
  });
  root.querySelector("#complete").addEventListener("click", () => go(fromStart()));
  more.addEventListener("click", () => go(fromEnd()));
  root.querySelector("#prompt").addEventListener("keydown", (event) => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) root.querySelector("#complete").click();
  });

  panel.listen({
    ready: () => {
      ready = true;
      open();
    },
    shown: open,
    manifest: ({ manifest }) => {
      root.querySelector("#model-note").textContent = character(manifest);
      drawPlaces(root.querySelector(".plain"), { window: manifest.task.window, used: 0 });
    },
    opened: () => {
      state = "open";
      panel.say("Nothing of your prompt is sent until you press the button, and then only sealed.");
      measure(prompt.text);
    },
    measured: (measure) => {
      measured = measure;
      prompt.measured(measure);
      if (!panel.busy) drawPlaces(root.querySelector(".plain"), measure);
      panel.allow(true);
    },
    window: (window) => {
      drawPlaces(root.querySelector(".plain"), window);
      if (work.found > 0) panel.journey.stepper.again("encrypt");
      else panel.say(`Token 1 of ${work.total - work.kept.length} is on its way…`);
    },
    token: ({ seconds, ...token }) => {
      work.found += 1;
      work.spent += seconds;
      continuation.add(token);
      panel.say(progress(token.word));
    },
    answer: ({ seconds, memory }) => {
      root.querySelector("#completion").dataset.memory = memory;
      end(`Done: ${counted(work.found)} in ${duration(seconds)}.`, memory);
    },
    cancelled: () => {
      panel.journey.stepper.stop();
      end(`Stopped ${work.found === 0 ? "before the first token" : `after ${counted(work.found)}`}. The server computes nothing more for you.`);
    },
    failed: () => {
      if (state === "opening") state = "closed";
      waiting = undefined;
      continuation.end();
    },
  });

  function end(text, memory) {
    continuation.end();
    if (work.found > 0) {
      const parts = [`${(work.spent / work.found).toFixed(1)} s a token, keys not counted.`, memory ? `Your browser needed ${bytes(memory)} of memory.` : "", "The server still does not know a word of it."];
      root.querySelector("#completion-timing").textContent = parts.filter(Boolean).join(" ");
    }
    panel.proof.allow(work.found > 0);
    panel.settle(text);
    const next = waiting;
    waiting = undefined;
    if (next) begin(next);
  }

  return panel;
}

function counted(tokens) {
  return tokens === 1 ? "1 token" : `${tokens} tokens`;
}

function character({ model, task: { window, vocabulary, perplexity } }) {
  const [measured] = Object.entries(perplexity);
  return [
    `${model} is tiny and has read nothing but English Wikipedia. It sees ${window} tokens at a time and knows ${vocabulary.toLocaleString("en")} of them.`,
    measured ? `On average it is as unsure of the next one as among ${Math.round(measured[1].token)} equally likely ones (perplexity ${measured[1].token.toFixed(1)} on ${label(measured[0])}).` : "",
    "It goes on in the manner of an encyclopedia and makes things up; it is no chatbot.",
  ].join(" ");
}
