// A fingerprint as a seal: sixteen of its bits, mirrored, are easier to recognise than its digits.

const SVG = "http://www.w3.org/2000/svg";
const SIDE = 5;
const HALF = 3;

/** Draws the seal of sixteen hexadecimal digits into `svg`, or an empty one. */
export function drawSeal(svg, fingerprint) {
  svg.replaceChildren(shape("circle", { cx: 16, cy: 16, r: 15, class: fingerprint ? "wax" : "empty" }));
  if (!fingerprint) return;
  const bits = Number.parseInt(fingerprint.slice(0, 4), 16);
  for (let row = 0; row < SIDE; row += 1) {
    for (let column = 0; column < HALF; column += 1) {
      if (((bits >> (row * HALF + column)) & 1) === 0) continue;
      for (const x of new Set([column, SIDE - 1 - column])) {
        svg.append(shape("rect", { x: 8.5 + 3 * x, y: 8.5 + 3 * row, width: 3, height: 3, class: "cut" }));
      }
    }
  }
}

function shape(name, attributes) {
  const element = document.createElementNS(SVG, name);
  for (const [attribute, value] of Object.entries(attributes)) element.setAttribute(attribute, value);
  return element;
}
