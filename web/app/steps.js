// The steps of a piece of work, where each happens, and how its details read. A step without `running` is not announced.

import { bytes, precise, timeLeft } from "./format.js";

export const PLACES = { browser: "In your browser", wire: "On the wire", server: "On the server" };

const KEYS = { id: "keys", place: "browser", title: "Make keys", running: "Making keys in your browser", say: keys };
const UPLOAD = { id: "upload", place: "wire", title: "Send evaluation keys", running: "Sending evaluation keys", say: upload };

/** One picture, one answer. */
export const CLASSIFY = [
  KEYS,
  UPLOAD,
  { id: "encrypt", place: "browser", title: "Encrypt the picture", running: "Encrypting the picture", say: becomes("3,072 bytes") },
  { id: "query", place: "wire", title: "Send the sealed picture", running: "Sending the sealed picture", say: size },
  { id: "compute", place: "server", title: "Run the transformer, blind", running: "The server computes on ciphertext", say: compute },
  { id: "result", place: "wire", title: "Receive the sealed answer", running: "Receiving the sealed answer", say: size },
  { id: "decrypt", place: "browser", title: "Open the answer", running: "Opening the answer", say: took },
];

/** The last five come again for every token, whose number and time the status line tells. */
export const COMPLETE = [
  KEYS,
  UPLOAD,
  { id: "encrypt", place: "browser", title: "Pad and encrypt the window", say: becomes("full and empty places") },
  { id: "query", place: "wire", title: "Send the sealed window", say: size },
  { id: "compute", place: "server", title: "Run the transformer, blind", say: compute },
  { id: "result", place: "wire", title: "Receive a sealed vector", say: size },
  { id: "decrypt", place: "browser", title: "Open it, pick the next token", say: took },
];

function join(...parts) {
  return parts.filter(Boolean).join(" · ");
}

function keys({ made, count, left, took, reused, makers }, state) {
  if (reused) return { text: "the keys from before serve again" };
  if (count === undefined) return { text: "asking the server which keys it needs" };
  if (state === "done") return { text: `${count} evaluation keys in ${precise(took)}${makers > 1 ? ", by two workers" : ""}` };
  return { text: join(`${made} of ${count}`, timeLeft(left)), fraction: made / count };
}

function upload({ done, total, left, reused }, state) {
  if (reused) return { text: "already there" };
  if (state === "done") return { text: bytes(total) };
  return { text: join(`${bytes(done)} of ${bytes(total)}`, timeLeft(left)), fraction: done / total };
}

function becomes(input) {
  return ({ bytes: count }) => (count === undefined ? {} : { text: `${input} become ${bytes(count)}` });
}

function size({ bytes: count }) {
  return count === undefined ? {} : { text: bytes(count) };
}

function took({ took: seconds }) {
  return seconds === undefined ? {} : { text: `took ${precise(seconds)}` };
}

function compute({ layer, done, total, eta_ms: left, took }, state) {
  if (state === "done") return { text: `took ${precise(took)}` };
  if (layer === "queued" || !total) return { text: "waiting for its turn" };
  const seconds = left == null ? undefined : left / 1000;
  return { text: join(layer, `${Math.floor((100 * done) / total)} %`, timeLeft(seconds)), fraction: done / total };
}
