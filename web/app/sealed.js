// The last sealed question as the server has it: its first bytes written out, and how random it looks.

const ROW = 16;
/** Magic word, version, type, parameter digest and length: the part of the envelope that says something. */
const HEADER = 48;

/** `written` are the first of `length` bytes, whose entropy is in bits a byte. */
export function showSealed(root, { written, length, entropy }) {
  const lines = Array.from({ length: written.length / ROW }, (_, row) => line(written, row * ROW));
  root.querySelector(".hex").replaceChildren(...lines.flat());
  root.querySelector(".entropy").textContent = `${entropy.toFixed(4)} bits of entropy in every byte`;
  root.querySelector(".sealed-length").textContent = length.toLocaleString("en");
  root.hidden = false;
}

function line(bytes, at) {
  const digits = (from, to) => [...bytes.subarray(from, to)].map((byte) => byte.toString(16).padStart(2, "0")).join(" ");
  const open = Math.min(Math.max(HEADER - at, 0), ROW);
  const span = (className, text) => Object.assign(document.createElement("span"), { className, textContent: text });
  const between = open > 0 && open < ROW ? " " : "";
  return [span("offset", at.toString(16).padStart(4, "0")), "  ", span("open", digits(at, at + open)), between, span("shut", digits(at + open, at + ROW)), "\n"];
}
