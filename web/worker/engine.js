// The WebAssembly that makes keys, encrypts and decrypts. There are two builds of it: with vectors of 128 bits, and for
// browsers without them. Whoever starts a worker says which.

import { fetchOwn, importOwn } from "./integrity.js";

/** Loads the build called `simd` or `scalar`; `compiled` spares compiling it again in another worker. */
export async function loadEngine(build, compiled) {
  const name = `pkg/${build}/cipherformer_wasm_client`;
  const { default: init, Session, checksum, compare } = await importOwn(`${name}.js`);
  const module = compiled ?? (await WebAssembly.compileStreaming(fetchOwn(`${name}_bg.wasm`)));
  const { memory } = await init({ module_or_path: module });
  return {
    build,
    module,
    Session,
    checksum,
    compare,
    /** Bytes of memory. WebAssembly memory never shrinks, so its size is its peak. */
    get memory() {
      return memory.buffer.byteLength;
    },
  };
}
