// The window of tokens as squares: padding, prompt, and what the model has added. All are sealed alike.

/** Shows `used` of `window` places, the last `generated` of them written by the model. */
export function drawPlaces(element, { window, used, generated = 0 }) {
  if (element.childElementCount !== window) {
    element.replaceChildren(...Array.from({ length: window }, () => document.createElement("i")));
    element.style.setProperty("--columns", String(Math.ceil(Math.sqrt(window))));
  }
  const padding = window - used;
  const added = Math.min(generated, used);
  [...element.children].forEach((place, index) => {
    place.className = index < padding ? "padding" : index < window - added ? "prompt" : "added";
  });
  const parts = [`${padding} places of padding`, `${used - added} of your prompt`, added > 0 ? `${added} added` : ""];
  element.setAttribute("aria-label", `The window of ${window} tokens: ${parts.filter(Boolean).join(", ")}`);
}
