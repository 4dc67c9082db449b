// The pieces in which the server takes a key.

const PART_BYTES = 8 * 1024 * 1024;

export function parts(bytes) {
  return Array.from({ length: Math.ceil(bytes.length / PART_BYTES) }, (_, part) => bytes.subarray(part * PART_BYTES, (part + 1) * PART_BYTES));
}
