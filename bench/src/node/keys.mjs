// Evaluation keys in WebAssembly, ours and node-seal's, in one run: `node keys.mjs PKG MANIFEST PEERS`, paths; PEERS holds node_modules.
import { readFile } from "node:fs/promises";
import { pathToFileURL } from "node:url";
import { gzipSync } from "node:zlib";

const [pkg, manifestFile, peers] = process.argv.slice(2);
const manifest = await readFile(manifestFile, "utf8");
const { keys, parameters } = JSON.parse(manifest);

const median = (times) => times.toSorted((a, b) => a - b)[times.length >> 1];
const row = (library, set, times, bytes) => {
  const total = times.reduce((sum, time) => sum + time, 0);
  console.log(
    `| ${library} | ${set} | ${times.length} | ${total.toFixed(0)} | ${median(times).toFixed(0)} | ${(bytes / 1e6).toFixed(1)} |`,
  );
  return total;
};
const timed = (work) => {
  const start = performance.now();
  const bytes = work();
  return [performance.now() - start, bytes];
};

function series(make, count) {
  make(0); // compiled and warm
  const made = Array.from({ length: count }, (_, index) => timed(() => make(index)));
  return [made.map(([time]) => time), made.reduce((sum, [, bytes]) => sum + bytes, 0)];
}

for (const module of ["simd/cipherformer_wasm_client", "scalar/cipherformer_wasm_client", "scalar/cipherformer_wasm_tokenizer", "scalar/cipherformer_wasm_model"]) {
  const file = await readFile(`${pkg}/${module}_bg.wasm`);
  console.log(`${module}: ${(gzipSync(file).length / 1e3).toFixed(0)} KB gzipped of ${(file.length / 1e3).toFixed(0)}`);
}
console.log(`\nNode ${process.version}, one thread\n`);
console.log("| library | set | keys | all, ms | median, ms | MB, seeded |\n|---|---|---|---|---|---|");

const client = await import(pathToFileURL(`${pkg}/simd/cipherformer_wasm_client.js`));
const wasm = await client.default({ module_or_path: await readFile(`${pkg}/simd/cipherformer_wasm_client_bg.wasm`) });
const session = new client.Session(manifest, crypto.getRandomValues(new Uint8Array(32)));
const ours = series((index) => session.key(index).length, keys.length);
const set = `${parameters.name}, log2 QP ${parameters.log_qp.toFixed(0)}`;
const mine = row("Cipherformer", set, ...ours);
const memory = wasm.memory.buffer.byteLength / 2 ** 20;

const major = Number(process.versions.node.split(".")[0]);
if (!peers) {
  console.log("| node-seal | skipped: not installed | | | | |");
} else if (major < 22) {
  console.log(`| node-seal | skipped: it needs Node 22 | | | | |`);
} else {
  const module = `${peers}/node_modules/node-seal/dist/index_throws.js`;
  const seal = await (await import(pathToFileURL(module))).default();
  const degree = 2 ** parameters.log_n;
  // The first and the special prime near 60 bits, the others equal, so that the product has log2 QP.
  const between = 17;
  const middle = Math.floor((parameters.log_qp - 118) / between);
  const rest = Math.round(parameters.log_qp) - 60 - middle * between;
  const bits = [rest, ...Array(between).fill(middle), 60];
  const settings = new seal.EncryptionParameters(seal.SchemeType.ckks);
  settings.setPolyModulusDegree(degree);
  settings.setCoeffModulus(seal.CoeffModulus.Create(degree, Int32Array.from(bits)));
  const context = new seal.SEALContext(settings, true, seal.SecLevelType.tc128);
  const generator = new seal.KeyGenerator(context);
  const relinearization = keys.findIndex((key) => key.name === "relinearization");
  const conjugation = `galois-${2 * degree - 1}`;
  const make = (index) => {
    // SEAL's step 0 is the conjugation; the time does not depend on the step.
    const step = keys[index].name === conjugation ? 0 : index + 1;
    const key =
      index === relinearization
        ? generator.createRelinKeysSerializable()
        : generator.createGaloisKeysSerializableWithSteps(Int32Array.of(step));
    const bytes = key.saveToArray(seal.ComprModeType.none).length;
    key.delete();
    return bytes;
  };
  const total = bits.reduce((sum, size) => sum + size, 0);
  const theirs = row("node-seal", `2^${parameters.log_n}, log2 QP ${total}, ${bits.length - 1} digits`, ...series(make, keys.length));
  console.log(`\nours takes ${(mine / theirs).toFixed(3)} of node-seal's time`);
}
console.log(`\nour module's memory after all keys: ${memory.toFixed(0)} MiB`);
