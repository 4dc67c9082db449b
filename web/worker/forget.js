// Forgetting a person: the key sets on the server, the sealed seeds in the browser, the secret keys in memory. Each is tried
// whatever became of the others.

/**
 * `{deleted, left, browser, waits}`: key sets that are gone, why others may not be, why the browser kept something, if it did, and
 * whether it waits for other tabs.
 */
export async function forget({ api, vault, modes }) {
  const outcome = { deleted: 0, left: undefined, browser: undefined, waits: false };
  try {
    for (const { keySet } of await vault.keySets()) {
      try {
        await api.deleteKeySet(keySet);
        outcome.deleted += 1;
      } catch (error) {
        // One that the server has not (any more) is what was asked for.
        if (error.slug === "unknown-key-set") outcome.deleted += 1;
        else outcome.left = error.message;
      }
    }
  } catch (error) {
    outcome.left = error.message;
  }
  for (const mode of modes) mode.drop();
  try {
    outcome.waits = !(await vault.forget());
  } catch (error) {
    outcome.browser = error.message;
  }
  return outcome;
}
