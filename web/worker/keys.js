// Evaluation keys: made one at a time, sent while the next one is made, then dropped. wasm memory holds at most one
// finished key and JavaScript at most two, whatever the size of the whole set.

/**
 * Makes and uploads every key of `session`. `report(step, {detail…})` hears of both steps.
 * Throws when `signal` is aborted or the server refuses a part.
 */
export async function sendKeys(session, keySet, { api, checksum, signal, report }) {
  const count = session.keyCount;
  const total = session.keyBytesTotal;
  let sent = 0;
  let upload = Promise.resolve();
  const began = performance.now();
  let making = 0;
  for (let index = 0; index < count; index += 1) {
    signal.throwIfAborted();
    report.making({ done: index, count, seconds: secondsLeft(began, index, count) });
    await nextTask();
    const start = performance.now();
    const bytes = session.key(index);
    making += performance.now() - start;
    await upload;
    upload = api.uploadKey(keySet, session.keyName(index), bytes, {
      checksum,
      signal,
      onPart: (length) => {
        sent += length;
        report.sending({ sent, total, seconds: secondsLeft(began, sent, total) });
      },
    });
    // A refusal must not count as unhandled while the next key is being made; it is thrown at the next `await upload`.
    upload.catch(() => {});
  }
  report.made({ count, took: making / 1000 });
  await upload;
  report.sent({ total });
}

function secondsLeft(began, done, all) {
  if (done === 0) return undefined;
  return (((performance.now() - began) / 1000) * (all - done)) / done;
}

/** Lets messages (a cancellation) and network events in between two long computations. */
function nextTask() {
  return new Promise((resolve) => setTimeout(resolve, 0));
}
