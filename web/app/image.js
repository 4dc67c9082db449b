// From a file to the 32×32 pixels that the model works on. Refusals are sentences for the person.

import { dimensions } from "./dimensions.js";

const SIDE = 32;
const MAX_FILE_BYTES = 16 * 1024 * 1024;
const MAX_PIXELS = 24_000_000;

/** A refusal that can be shown as it is. */
export class ImageError extends Error {}

/** Decodes `blob`, cuts the largest centred square and scales it to a 32×32 canvas. */
export async function crop(blob) {
  if (blob.size > MAX_FILE_BYTES) throw new ImageError("This file is larger than 16 MB. Choose a smaller picture.");
  const size = dimensions(await blob.arrayBuffer());
  if (!size || size.width === 0 || size.height === 0) throw new ImageError("This file is not a PNG, JPEG or WebP picture.");
  if (size.width * size.height > MAX_PIXELS) {
    throw new ImageError(`This picture has ${size.width} × ${size.height} pixels. Choose one of at most 24 megapixels.`);
  }
  let bitmap;
  try {
    bitmap = await createImageBitmap(blob);
  } catch {
    throw new ImageError("This picture is damaged and cannot be read.");
  }
  try {
    return scale(bitmap);
  } finally {
    bitmap.close();
  }
}

/** The 3072 bytes of a 32×32 canvas, row by row, red, green, blue. */
export function rgb(canvas) {
  const { data } = canvas.getContext("2d").getImageData(0, 0, SIDE, SIDE);
  const bytes = new Uint8Array(SIDE * SIDE * 3);
  for (let pixel = 0; pixel < SIDE * SIDE; pixel += 1) {
    bytes.set(data.subarray(pixel * 4, pixel * 4 + 3), pixel * 3);
  }
  return bytes;
}

// Halving step by step averages all pixels; one large step would skip most of them.
function scale(bitmap) {
  let side = Math.min(bitmap.width, bitmap.height);
  const left = Math.floor((bitmap.width - side) / 2);
  const top = Math.floor((bitmap.height - side) / 2);
  let target = side >= 2 * SIDE ? Math.floor(side / 2) : SIDE;
  let canvas = draw(bitmap, left, top, side, target);
  while (target !== SIDE) {
    side = target;
    target = side >= 2 * SIDE ? Math.floor(side / 2) : SIDE;
    canvas = draw(canvas, 0, 0, side, target);
  }
  return canvas;
}

function draw(source, left, top, side, target) {
  const canvas = document.createElement("canvas");
  canvas.width = target;
  canvas.height = target;
  const context = canvas.getContext("2d", { willReadFrequently: target === SIDE });
  context.fillStyle = "#fff";
  context.fillRect(0, 0, target, target);
  context.imageSmoothingQuality = "high";
  context.imageSmoothingEnabled = side !== target;
  context.drawImage(source, left, top, side, side, 0, 0, target, target);
  return canvas;
}
