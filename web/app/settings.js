// How many tokens, and how each is chosen. Everything here stays in the browser.

const NAMES = { count: "Tokens to add", temperature: "Temperature", topK: "Top-k", seed: "Seed" };
/** Seeds that "New" draws from: short enough to be written down. */
const DRAWN_SEEDS = 1_000_000;

/** A form that gives `read()`: `{count, temperature, topK, seed}`, or `undefined` after it has said what is wrong. */
export function setUpSettings(form, error) {
  const reseed = () => {
    form.elements.seed.value = crypto.getRandomValues(new Uint32Array(1))[0] % DRAWN_SEEDS;
  };
  reseed();
  form.querySelector("#reseed").addEventListener("click", reseed);
  form.addEventListener("submit", (event) => event.preventDefault());
  form.addEventListener("input", () => {
    error.hidden = form.checkValidity();
  });

  return {
    read() {
      const wrong = [...form.querySelectorAll("input")].find((input) => !input.checkValidity());
      error.hidden = wrong === undefined;
      if (wrong) {
        error.textContent = `${NAMES[wrong.name]}: a number from ${wrong.min} to ${wrong.max}${wrong.step === "1" ? ", without fraction" : ""}.`;
        wrong.focus();
        return undefined;
      }
      return Object.fromEntries(Object.keys(NAMES).map((name) => [name, form.elements[name].valueAsNumber]));
    },
    lock(locked) {
      for (const control of form.querySelectorAll("input, button")) control.disabled = locked;
    },
  };
}
