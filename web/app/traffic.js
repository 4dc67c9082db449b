// The list of requests that the server saw, and the last sealed question as it has it. Requests that differ only in a part or an
// inference are one line, for reading; a switch shows each of them.

import { curl } from "./curl.js";
import { bytes } from "./format.js";
import { showSealed } from "./sealed.js";

/** Milliseconds for which a button says what became of its press. */
const COPIED = 1500;

export class Traffic {
  #root;
  #began = Date.now();
  #count = 0;
  #groups = new Map();

  constructor(root) {
    this.#root = root;
    root.querySelector(".each").addEventListener("change", ({ target }) => {
      root.querySelector(".grouped").hidden = target.checked;
      root.querySelector(".single").hidden = !target.checked;
    });
  }

  add({ method, path, purpose, sent, received, at, media }) {
    this.#count += 1;
    this.#root.querySelector(".count").textContent = this.#count === 1 ? "1 request" : `${this.#count} requests`;
    const after = `${((at - this.#began) / 1000).toFixed(1)} s: `;
    const cells = insert(this.#root.querySelector(".single"));
    fill(cells, [`${method} ${withoutIds(path)}`, after + purpose, bytes(sent), bytes(received)]);
    cells[0].append(copyButton(curl({ method, path, media }), `${method} request, ${after}${purpose}`));

    const request = `${method} ${withoutIds(path).replace(/\/parts\/\d+$/, "")}`;
    if (!this.#groups.has(request)) this.#groups.set(request, { cells: insert(this.#root.querySelector(".grouped")), times: 0, sent: 0, received: 0 });
    const group = this.#groups.get(request);
    group.times += 1;
    group.sent += sent;
    group.received += received;
    fill(group.cells, [request, group.times > 1 ? `${purpose}, in ${group.times} requests` : purpose, bytes(group.sent), bytes(group.received)]);
  }

  /** The worker's `ciphertext`. */
  show(ciphertext) {
    showSealed(this.#root.querySelector(".sealed"), ciphertext);
  }
}

function insert(rows) {
  const line = rows.insertRow();
  const cells = Array.from({ length: 4 }, () => line.insertCell());
  cells[2].className = "number";
  cells[3].className = "number";
  return cells;
}

/** Nothing where the browser gives pages no clipboard. */
function copyButton(command, name) {
  if (navigator.clipboard === undefined) return "";
  const button = Object.assign(document.createElement("button"), { type: "button", className: "copy", textContent: "Copy as curl" });
  button.setAttribute("aria-label", `Copy as curl: ${name}`);
  button.addEventListener("click", async () => {
    await navigator.clipboard.writeText(command).then(
      () => (button.textContent = "Copied"),
      () => (button.textContent = "Not allowed"),
    );
    setTimeout(() => (button.textContent = "Copy as curl"), COPIED);
  });
  return button;
}

function fill(cells, texts) {
  cells.forEach((cell, index) => {
    cell.textContent = texts[index];
  });
}

// Identifiers are random, and whoever knows one may use it: none is shown whole.
function withoutIds(path) {
  return path.replace(/(inferences\/)[0-9a-f]{32}/, "$1…").replace(/[0-9a-f]{32}/, (id) => `${id.slice(0, 8)}…`);
}
