// What went over the wire: totals, and the list of requests that the server saw.

import { bytes } from "./format.js";

export class Traffic {
  #sent = 0;
  #received = 0;
  #count = 0;
  #last;

  add({ method, path, purpose, sent, received }) {
    this.#sent += sent;
    this.#received += received;
    this.#count += 1;
    document.querySelector("#sent").textContent = bytes(this.#sent);
    document.querySelector("#received").textContent = bytes(this.#received);
    document.querySelector("#request-count").textContent = this.#count === 1 ? "1 request" : `${this.#count} requests`;
    this.#row({ request: `${method} ${shorten(path)}`, purpose, sent, received });
  }

  // The parts of one key are one line: the list is for reading.
  #row({ request, purpose, sent, received }) {
    const key = request.replace(/\/parts\/\d+$/, "");
    if (this.#last?.key === key) {
      this.#last.parts += 1;
      this.#last.sent += sent;
      this.#last.received += received;
    } else {
      const row = document.querySelector("#requests").insertRow();
      const cells = Array.from({ length: 4 }, () => row.insertCell());
      cells[2].className = "number";
      cells[3].className = "number";
      this.#last = { key, cells, parts: 1, sent, received };
    }
    const { cells, parts } = this.#last;
    const texts = [key, parts > 1 ? `${purpose}, in ${parts} requests` : purpose, bytes(this.#last.sent), bytes(this.#last.received)];
    cells.forEach((cell, index) => {
      cell.textContent = texts[index];
    });
  }
}

// Identifiers are random; eight digits tell them apart.
function shorten(path) {
  return path.replace(/[0-9a-f]{32}/g, (id) => `${id.slice(0, 8)}…`);
}
