// Evaluation keys: each is sent while the next one is made, then dropped. A maker's WebAssembly holds at most one finished
// key and JavaScript two for each maker, and what a maker does `ahead`, whatever the size of the whole set.

/**
 * Makes and uploads the keys numbered `indices`. `makers` work side by side and are ended here; `report` hears of both
 * steps. Throws when `signal` is aborted or the server refuses a part; keys that are there stay there.
 * Returns `{memory}`, the bytes that the makers took.
 */
export async function sendKeys({ indices, sizes, makers, upload, signal, report }) {
  const count = indices.length;
  const total = indices.reduce((sum, index) => sum + sizes[index], 0);
  const queue = [...indices];
  const making = clock(total);
  const sending = clock(total);
  let made = 0;

  const work = async (maker) => {
    let last = Promise.resolve();
    const begun = [];
    for (;;) {
      signal.throwIfAborted();
      while (begun.length <= maker.ahead && queue.length > 0) begun.push(begin(maker, queue.shift()));
      if (begun.length === 0) break;
      const { index, coming } = begun.shift();
      const key = await coming;
      made += 1;
      making.add(sizes[index]);
      if (made < count) report.making({ made, count, ...making.now() });
      else report.made({ count, makers: makers.length, ...making.now() });
      await last;
      signal.throwIfAborted();
      sending.start();
      last = upload(key, (length) => {
        sending.add(length);
        report.sending({ total, ...sending.now() });
      });
      // A refusal must not count as unhandled while the next key is being made; it is thrown at the next `await`.
      last.catch(() => {});
    }
    await last;
  };

  report.making({ made, count });
  making.start();
  const outcomes = await Promise.allSettled(
    makers.map((maker) =>
      work(maker).catch((error) => {
        queue.length = 0;
        throw error;
      }),
    ),
  );
  const memory = await Promise.all(makers.map((maker) => maker.end()));
  const failed = outcomes.find(({ status }) => status === "rejected");
  if (failed) throw failed.reason;
  report.sent({ total, ...sending.now() });
  return { memory: memory.reduce((sum, bytes) => sum + bytes, 0) };
}

function begin(maker, index) {
  const coming = maker.make(index);
  // A failure must not count as unhandled while an earlier key is awaited; it is thrown when this one is.
  coming.catch(() => {});
  return { index, coming };
}

/** How much of `total` is done since `start`, how fast, and how long the rest takes. */
function clock(total) {
  let began;
  let done = 0;
  return {
    start: () => {
      began ??= performance.now();
    },
    add: (amount) => {
      done += amount;
    },
    now: () => {
      const seconds = (performance.now() - began) / 1000;
      return { done, took: seconds, rate: done / seconds, left: (seconds * (total - done)) / done };
    },
  };
}
