import { heartbeat } from '@temporalio/activity';

/** Well below the shortest heartbeat timeout of `workflows/support/run.ts`. */
const BEAT_MS = 3_000;

/**
 * Heartbeats for as long as the activity runs, so that the server gives its task to another worker soon after this one has died,
 * not only when the activity's whole time is over.
 */
export async function alive<T>(act: () => Promise<T>): Promise<T> {
  const beat = setInterval(() => heartbeat(), BEAT_MS);
  try {
    return await act();
  } finally {
    clearInterval(beat);
  }
}
