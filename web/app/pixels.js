// The two pictures of the journey: what the browser holds, and what the server gets.

/** Draws the 32×32 canvas `source` as what the browser sees. */
export function drawCrop(source, name) {
  const canvas = document.querySelector("#crop");
  canvas.getContext("2d").drawImage(source, 0, 0);
  canvas.setAttribute("aria-label", `The picture as the model will see it: ${name}`);
  clearCipher();
}

/** Draws 3072 bytes of the real query, three for a pixel, as they go over the wire. */
export function drawCipher(bytes) {
  const canvas = document.querySelector("#cipher");
  const image = new ImageData(32, 32);
  for (let pixel = 0; pixel < 1024; pixel += 1) {
    image.data.set(bytes.subarray(pixel * 3, pixel * 3 + 3), pixel * 4);
    image.data[pixel * 4 + 3] = 255;
  }
  canvas.getContext("2d").putImageData(image, 0, 0);
  canvas.setAttribute("aria-label", "The picture as the server sees it: noise");
  document.querySelector("#cipher-caption").textContent = "All it has of your picture: bytes of the real ciphertext";
}

function clearCipher() {
  const canvas = document.querySelector("#cipher");
  canvas.getContext("2d").clearRect(0, 0, 32, 32);
  canvas.setAttribute("aria-label", "The picture as the server sees it: nothing yet");
  document.querySelector("#cipher-caption").textContent = "All it will have of your picture";
}
