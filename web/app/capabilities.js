// What this browser can do, found out before anything is asked of it. What is missing costs time or comfort; only without
// WebAssembly nothing works.

import { Store } from "../worker/store.js";

/** A module of one function with a vector of 128 bits in it: only who knows vectors accepts it. */
const SIMD_PROBE = Uint8Array.of(0, 97, 115, 109, 1, 0, 0, 0, 1, 5, 1, 96, 0, 1, 123, 3, 2, 1, 0, 10, 10, 1, 8, 0, 65, 0, 253, 15, 253, 98, 11);
/** Gigabytes below which a second worker's memory is better left to others. */
const ROOMY = 2;

/** `{usable, build, makers, refusal, lacks}`: `refusal` is why nothing can be kept, `lacks` are sentences about all that is missing. */
export async function examine() {
  if (typeof WebAssembly !== "object") return { usable: false, lacks: [] };
  const simd = WebAssembly.validate(SIMD_PROBE);
  const roomy = (navigator.deviceMemory ?? ROOMY) >= ROOMY;
  const makers = (navigator.hardwareConcurrency ?? 1) > 1 && roomy ? 2 : 1;
  const refusal = await storageRefusal();
  const lacks = [
    simd ? "" : "This browser has no 128-bit vectors (WebAssembly SIMD): making keys and encrypting take longer.",
    makers > 1 ? "" : "One worker makes the keys, because this device has one core or little memory to spare.",
    refusal === undefined ? "" : `Your keys cannot be kept for the next visit: ${refusal}. They work until you close this page.`,
  ];
  return { usable: true, build: simd ? "simd" : "scalar", makers, refusal, lacks: lacks.filter(Boolean) };
}

async function storageRefusal() {
  if (globalThis.crypto?.subtle === undefined) return "the page came neither over HTTPS nor from this machine";
  try {
    (await Store.open()).close();
    return undefined;
  } catch (error) {
    return `this browser refuses to store anything for this page (${error?.name ?? "no IndexedDB"}), as private windows do`;
  }
}
