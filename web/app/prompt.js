// The prompt box: what is typed, how many tokens it has, and what the model will read of it.

const EXAMPLES = [
  "The river rises in",
  "She was born in Vienna",
  "The album was recorded in",
  "During the war, the",
  "The species is found in",
];
const MAX_CHARACTERS = 20_000;
/** Of a long prompt, where the part begins that is read. */
const SHOWN_CHARACTERS = 40;

/** Calls `onChange(text)` for every new text. */
export function setUpPrompt(root, onChange) {
  const box = root.querySelector("#prompt");
  const count = root.querySelector("#count");
  const hint = root.querySelector("#hint");
  let cut = false;

  const changed = () => {
    cut = box.value.length > MAX_CHARACTERS;
    if (cut) box.value = box.value.slice(-MAX_CHARACTERS);
    onChange(box.value);
  };
  box.addEventListener("input", changed);

  const put = (text) => {
    box.value = text;
    changed();
  };
  root.querySelector("#examples").append(
    ...EXAMPLES.map((text) => {
      const button = Object.assign(document.createElement("button"), { type: "button", className: "example", textContent: `${text} …` });
      button.addEventListener("click", () => put(text));
      return button;
    }),
  );

  return {
    get text() {
      return box.value;
    },
    measured(measure) {
      const { window, used, dropped } = measure;
      count.textContent = dropped > 0 ? `${(used + dropped).toLocaleString("en")} tokens for a window of ${window}` : `${used} of ${window} tokens`;
      root.querySelector(".paper").classList.toggle("over", dropped > 0);
      hint.textContent = [cut ? `Only the last ${MAX_CHARACTERS.toLocaleString("en")} characters were kept.` : "", advice(box.value, measure)].join(" ").trim();
    },
    lock(locked) {
      box.readOnly = locked;
      for (const button of root.querySelectorAll(".example")) button.disabled = locked;
    },
  };
}

function advice(text, { window, used, dropped, kept }) {
  if (dropped > 0) {
    const beginning = kept.trim().slice(0, SHOWN_CHARACTERS);
    return `The model reads only the last ${window} tokens, from “${beginning}…” on.`;
  }
  if (used === 0) return "With nothing before it, the model begins a text of its own.";
  if (/ $/.test(text)) return "It ends with a space. The model's words bring their own: better leave it out.";
  return "";
}
