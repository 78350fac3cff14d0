import { setTimeout as sleep } from 'node:timers/promises';
import { MongoError } from 'mongodb';
import { TenureError } from '../../../src/client/errors.js';

const PAUSE_MS = 250;

/** What passes when a killed server or worker is back. */
function isPassing(error: unknown): boolean {
  if (error instanceof TenureError) return error.code === 'unreachable';
  return error instanceof MongoError || /ECONN|UNAVAILABLE|Unavailable|fetch failed/.test(String(error));
}

/**
 * Repeats a call until somebody is there to answer it. The call must be the same each time: with a request id of its own.
 * @param signal that nobody wants the answer any more
 * @throws what does not pass; after `patienceMs` the last error
 */
export async function insist<T>(
  what: string,
  call: () => Promise<T>,
  signal: AbortSignal,
  patienceMs = 300_000,
): Promise<T> {
  const until = performance.now() + patienceMs;
  for (;;) {
    signal.throwIfAborted();
    try {
      return await call();
    } catch (error) {
      if (!isPassing(error)) throw error;
      if (performance.now() > until)
        throw new Error(`${what}: no answer in ${patienceMs} ms: ${String(error)}`, { cause: error });
      await sleep(PAUSE_MS);
    }
  }
}
