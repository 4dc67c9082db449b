// Light or dark: the system's choice, until the person makes another one for this page.

const KEPT = "scheme";
const SYSTEM = "(prefers-color-scheme: dark)";

/** `button` changes between the two; a choice that is the system's is no choice any more. */
export function setUpScheme(button) {
  const system = matchMedia(SYSTEM);
  const ofSystem = () => (system.matches ? "dark" : "light");
  let chosen = read();

  const show = () => {
    const dark = document.querySelector("#dark");
    dark.media = { dark: "all", light: "not all" }[chosen] ?? SYSTEM;
    document.querySelector("#color-scheme").content = chosen ?? "light dark";
    const other = (chosen ?? ofSystem()) === "dark" ? "light" : "dark";
    button.textContent = other === "dark" ? "Dark" : "Light";
    button.setAttribute("aria-label", `${button.textContent} colours`);
    button.dataset.other = other;
  };
  button.addEventListener("click", () => {
    const { other } = button.dataset;
    chosen = other === ofSystem() ? undefined : other;
    keep(chosen);
    show();
  });
  system.addEventListener("change", show);
  show();
  button.hidden = false;
}

// Browsers that keep nothing for this page throw.
function read() {
  try {
    return { light: "light", dark: "dark" }[localStorage.getItem(KEPT)];
  } catch {
    return undefined;
  }
}

function keep(chosen) {
  try {
    if (chosen === undefined) localStorage.removeItem(KEPT);
    else localStorage.setItem(KEPT, chosen);
  } catch {
    // It holds until the page is closed.
  }
}
