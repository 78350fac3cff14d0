import { isAway } from './failures.js';

/** Between two tries of an act towards safety. */
export const FIRST_PAUSE_MS = 5_000;
const LONGEST_PAUSE_MS = 5 * 60_000;

/**
 * Longer each time, up to five minutes. Not while MongoDB is away: when it is back, gateways send requests to the candidate again
 * after their `RESUME_MS` (src/gateway/lease.ts), and what was decided meanwhile has to be there before.
 */
export const nextPause = (error: unknown, pause: number): number =>
  isAway(error) ? FIRST_PAUSE_MS : Math.min(2 * pause, LONGEST_PAUSE_MS);
