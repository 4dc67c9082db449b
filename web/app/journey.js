// The three lanes of one mode: what the browser holds, what went over the wire, what the server has, and the steps.

import { bytes } from "./format.js";
import { Stepper } from "./stepper.js";

const SIDE = 32;

export class Journey {
  #sent = 0;
  #received = 0;
  #root;
  #cipher;
  #caption;
  #input;

  /** `input` is what the server does not see: "picture", "prompt". */
  constructor(root, { steps, input, announce }) {
    this.#root = root;
    this.#cipher = root.querySelector(".cipher");
    this.#caption = root.querySelector(".server .caption");
    this.#input = input;
    this.stepper = new Stepper(root.querySelector(".steps"), steps, announce);
  }

  addTraffic({ sent, received }) {
    this.#sent += sent;
    this.#received += received;
    this.#root.querySelector(".sent").textContent = bytes(this.#sent);
    this.#root.querySelector(".received").textContent = bytes(this.#received);
  }

  /** Draws 3072 bytes of the real query, three for a point, as they go over the wire. */
  drawCipher(query) {
    const image = new ImageData(SIDE, SIDE);
    for (let point = 0; point < SIDE * SIDE; point += 1) {
      image.data.set(query.subarray(point * 3, point * 3 + 3), point * 4);
      image.data[point * 4 + 3] = 255;
    }
    this.#cipher.getContext("2d").putImageData(image, 0, 0);
    this.#cipher.setAttribute("aria-label", `The ${this.#input} as the server sees it: noise`);
    this.#caption.textContent = `All it has of your ${this.#input}: bytes of the real ciphertext`;
  }

  clearCipher() {
    this.#cipher.getContext("2d").clearRect(0, 0, SIDE, SIDE);
    this.#cipher.setAttribute("aria-label", `The ${this.#input} as the server sees it: nothing yet`);
    this.#caption.textContent = `All it will have of your ${this.#input}`;
  }
}
