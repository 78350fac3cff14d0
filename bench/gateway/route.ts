import type { VersionRef } from '../../src/contracts/model.js';
import type { DesiredRoute } from '../../src/contracts/routes.js';
import type { LoadRequest } from '../support/load.js';

export const CANARY_WEIGHT = 0.1;

/** A canary with everything on: keys that stick, a split, guardrails, a limit that trips, key evidence in windows every second. */
export const canary = (
  champion: VersionRef,
  candidate: VersionRef,
  changes: Partial<DesiredRoute> = {},
): DesiredRoute => ({
  phase: 'canary',
  champion,
  candidate: { ...candidate, weight: CANARY_WEIGHT },
  holdback: null,
  shadow: null,
  warm: [],
  salt: 'bench',
  release: 1,
  guardrails: [
    { name: 'errors', kind: 'errors' },
    { name: 'slow', kind: 'slow', thresholdMs: 1_000 },
    { name: 'high', kind: 'share', output: 'score', index: 0, op: '>', value: 0.9 },
  ],
  trips: [{ guardrail: 'errors', maxShare: 0.5, minRequests: 50 }],
  fallback: true,
  deadlineMs: 10_000,
  leaseSeconds: 15,
  maxConcurrency: 256,
  routingKeyHeader: 'tenure-routing-key',
  scoreOutput: 'score',
  ...changes,
});

/** One row each, of users who come back. */
export function singleRows(users: number, columns: number): readonly LoadRequest[] {
  return Array.from({ length: users }, (_, user) => {
    const data = Array.from({ length: columns }, (_, column) => rowValue(user, column));
    const input = { name: 'x', shape: [1, columns], datatype: 'FP32', data };
    return { headers: { 'tenure-routing-key': `user-${user}` }, body: JSON.stringify({ inputs: [input] }) };
  });
}

/** Some number with four digits, always the same. */
const rowValue = (user: number, column: number): number =>
  ((user * 7919 + column * 104_729) % 10_000) / 10_000;
