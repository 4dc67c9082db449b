// The model in the clear, for Verify: a WebAssembly module and public weights, loaded when somebody first asks for it. From then
// on it needs no server. Nothing that it computes leaves this worker but for the page.

import { fetchOwn, importOwn } from "./integrity.js";
import { Problem } from "./problem.js";

const MODULE = "pkg/scalar/cipherformer_wasm_model";
const PURPOSE = "The clear model, to compare with";

/**
 * `make(module, config, weights)` builds the model that the manifest of `visit` is about. Returns `{clear, bytes}`: the
 * model and what was downloaded for it.
 */
export async function loadClear(api, { session, manifest }, make) {
  const [{ default: init, ...module }, config, weights] = await Promise.all([
    importOwn(`${MODULE}.js`),
    api.file(manifest.model, "config.json", PURPOSE),
    api.file(manifest.model, "model.safetensors", PURPOSE),
  ]);
  try {
    session.checkWeights(config, weights);
  } catch (cause) {
    throw new Problem({
      title: "The clear model is not the one that the server computes with",
      detail: cause.message,
      hint: "Reload the page. If it happens again, do not use this server.",
    });
  }
  await init({ module_or_path: fetchOwn(`${MODULE}_bg.wasm`) });
  return make(module, config, weights);
}
