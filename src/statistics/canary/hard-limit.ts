import { bernoulliDivergence } from './numbers.js';

/**
 * Hard limits act on one window of the candidate's requests, without a comparison.
 *
 * A window trips when its bad share is at the limit or above and the window excludes every true share up to half the limit:
 * requests x KL(share || limit / 2) >= ln 10^6, by Chernoff's bound an error of at most one in a million windows whatever the
 * window's size. So 50 % bad trips a limit of 0.2 from 28 requests on; 20 % bad from 312. Requests of one key are not
 * independent: five distinct bad keys are asked for, or ten times the minimum of requests (a service with few keys).
 */

export const HARD_LIMIT_MINIMUM = 20;
const HARD_LIMIT_BAD_KEYS = 5;
const LN_ODDS = Math.log(1e6);
const FEW_KEYS_FACTOR = 10;

export interface HardLimitWindow {
  readonly requests: number;
  readonly bad: number;
}

/** Whether the window trips the limit. @param badKeys distinct keys of the candidate that were bad in this release */
export function hardLimitTripped(
  window: HardLimitWindow,
  badKeys: number,
  limit: number,
  minimum: number = HARD_LIMIT_MINIMUM,
): boolean {
  const { requests, bad } = window;
  if (!(requests > 0 && requests >= minimum) || bad > requests) return false;
  if (!(badKeys >= HARD_LIMIT_BAD_KEYS || requests >= FEW_KEYS_FACTOR * minimum)) return false;
  const share = bad / requests;
  return share >= limit && requests * bernoulliDivergence(share, limit / 2) >= LN_ODDS;
}

/** Requests after which a window closes: enough to trip at a share just at the limit. Shorter ones stay open over looks. */
export function hardLimitWindowSize(limit: number, minimum: number = HARD_LIMIT_MINIMUM): number {
  return Math.max(minimum, Math.ceil(LN_ODDS / bernoulliDivergence(limit, limit / 2)));
}
