import { hash } from 'node:crypto';
import type { RoutingTable } from '../contracts/routes.js';

export interface KeyHash {
  /** Uniform in [0, 1): the first 48 bits of SHA-256(salt \0 key). */
  readonly h: number;
  /** The next 48 bits, independent of `h`: names the key in window evidence and decides about its sample. */
  readonly identity: number;
}

const RANGE = 2 ** 48;

/** Where a key stands. The same on all gateways and for all tables with the same salt. */
export function hashKey(salt: string, key: string): KeyHash {
  // As text: bytes outside of the heap, one array a request, are what keeps the garbage collector busy.
  const digest = hash('sha256', `${salt}\0${key}`, 'hex');
  return {
    h: Number.parseInt(digest.slice(0, 12), 16) / RANGE,
    identity: Number.parseInt(digest.slice(12, 24), 16),
  };
}

export type SplitRole = 'champion' | 'candidate' | 'holdback';

/**
 * Who answers a key: below the candidate's weight the candidate, at or above 1 - hold-back the hold-back, else the champion.
 * Monotone: a larger weight never takes a key away from the candidate.
 */
export function roleOf(
  { candidate, holdback }: Pick<RoutingTable, 'candidate' | 'holdback'>,
  h: number,
): SplitRole {
  if (candidate !== null && h < candidate.weight) return 'candidate';
  if (holdback !== null && h >= 1 - holdback.share) return 'holdback';
  return 'champion';
}
