// One request after the other for many things, a few at a time, so that the proxy has room for others.

const atOnce = 4;

/** Runs a task for each item, until `isStopped()`. What failed comes back as { item, error }. */
export async function inTurn(items, run, tellDone, isStopped) {
  const failed = [];
  let next = 0,
    done = 0;
  const worker = async () => {
    while (next < items.length && !isStopped()) {
      const item = items[next++];
      try {
        await run(item);
      } catch (error) {
        failed.push({ item, error });
      }
      tellDone(++done);
    }
  };
  await Promise.all(Array.from({ length: atOnce }, worker));
  return failed;
}
