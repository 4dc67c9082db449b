// The list of requests that the server saw. Requests that differ only in a part or an inference are one line: the list is for
// reading.

import { bytes } from "./format.js";

export class Traffic {
  #count = 0;
  #rows = new Map();

  add({ method, path, purpose, sent, received }) {
    this.#count += 1;
    document.querySelector("#request-count").textContent = this.#count === 1 ? "1 request" : `${this.#count} requests`;
    const request = `${method} ${shorten(path)}`;
    const row = this.#rows.get(request) ?? this.#insert(request);
    row.times += 1;
    row.sent += sent;
    row.received += received;
    const texts = [request, row.times > 1 ? `${purpose}, in ${row.times} requests` : purpose, bytes(row.sent), bytes(row.received)];
    row.cells.forEach((cell, index) => {
      cell.textContent = texts[index];
    });
  }

  #insert(request) {
    const line = document.querySelector("#requests").insertRow();
    const cells = Array.from({ length: 4 }, () => line.insertCell());
    cells[2].className = "number";
    cells[3].className = "number";
    const row = { cells, times: 0, sent: 0, received: 0 };
    this.#rows.set(request, row);
    return row;
  }
}

// Identifiers are random; eight digits tell key sets apart, and inferences need not be told apart.
function shorten(path) {
  return path
    .replace(/\/parts\/\d+$/, "")
    .replace(/(inferences\/)[0-9a-f]{32}/, "$1…")
    .replace(/[0-9a-f]{32}/, (id) => `${id.slice(0, 8)}…`);
}
