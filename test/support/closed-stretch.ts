import { setTimeout as sleep } from 'node:timers/promises';
import { VISIBLE_MS } from '../../src/lifecycle/monitor-ticks.js';

/**
 * End of the stretch that has closed last for monitors, e.g. of an hour. When the next one closes soon, that is waited for: a test that
 * goes on meanwhile would see another hour than it has put rows into.
 * @param roomMs for which it stays the last one
 */
export async function closedStretch(lengthMs: number, roomMs: number): Promise<number> {
  const left = lengthMs - ((Date.now() - VISIBLE_MS) % lengthMs);
  if (left < roomMs) await sleep(left + 500);
  return Math.floor((Date.now() - VISIBLE_MS) / lengthMs) * lengthMs;
}
