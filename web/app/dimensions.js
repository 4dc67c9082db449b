// The size of a PNG, JPEG or WebP from its first bytes, so that an oversized picture is refused before it is decoded.

/** `{width, height}`, or `undefined` for bytes that are none of the three. */
export function dimensions(buffer) {
  const view = new DataView(buffer);
  try {
    return png(view) ?? webp(view) ?? jpeg(view);
  } catch (error) {
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}

function ascii(view, at, text) {
  return [...text].every((letter, index) => view.getUint8(at + index) === letter.charCodeAt(0));
}

function png(view) {
  if (view.getUint32(0) !== 0x89504e47 || !ascii(view, 12, "IHDR")) return undefined;
  return { width: view.getUint32(16), height: view.getUint32(20) };
}

function webp(view) {
  if (!ascii(view, 0, "RIFF") || !ascii(view, 8, "WEBP")) return undefined;
  const uint24 = (at) => view.getUint16(at, true) | (view.getUint8(at + 2) << 16);
  if (ascii(view, 12, "VP8X")) return { width: uint24(24) + 1, height: uint24(27) + 1 };
  if (ascii(view, 12, "VP8L")) {
    const bits = view.getUint32(21, true);
    return { width: (bits & 0x3fff) + 1, height: ((bits >> 14) & 0x3fff) + 1 };
  }
  return { width: view.getUint16(26, true) & 0x3fff, height: view.getUint16(28, true) & 0x3fff };
}

// Segments up to the frame header: markers C0 to CF without C4 (tables), C8 (reserved) and CC (arithmetic coding).
function jpeg(view) {
  if (view.getUint16(0) !== 0xffd8) return undefined;
  for (let at = 2; ; at += 2 + view.getUint16(at + 2)) {
    while (view.getUint16(at) === 0xffff) at += 1;
    const marker = view.getUint16(at);
    if (marker >= 0xffc0 && marker <= 0xffcf && ![0xffc4, 0xffc8, 0xffcc].includes(marker)) {
      return { width: view.getUint16(at + 7), height: view.getUint16(at + 5) };
    }
    if (marker < 0xffc0) return undefined;
  }
}
