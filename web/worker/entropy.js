// How random bytes look: 8 bits a byte is what random ones have.

/** Shannon entropy of `bytes`, in bits a byte. */
export function entropy(bytes) {
  const counts = new Uint32Array(256);
  for (const byte of bytes) counts[byte] += 1;
  let sum = 0;
  for (const count of counts) if (count > 0) sum -= count * Math.log2(count / bytes.length);
  return sum / bytes.length;
}
