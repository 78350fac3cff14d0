import type { LedgerEntry } from '../../src/contracts/ledger.js';

/** An event of the usual size, about 1 kB: the outcome of a look at a canary. */
export const entryOf = (stream: string, n: number): LedgerEntry => ({
  stream,
  id: `release:${stream}:1/look/${n}`,
  action: 'canary.look',
  actor: { kind: 'system', id: `release:${stream}:1` },
  subject: { release: 1, version: 'v2', digest: '37164f3e1d58'.padEnd(64, '0') },
  evidence: {
    look: n,
    generation: 7,
    weight: 0.1,
    verdict: 'continue',
    reason: 'Not yet proven: about 1,400 more keys are needed',
    guardrails: ['errors', 'slow', 'high'].map((name, i) => ({
      name,
      champion: { keys: 9_000 + n, bad: 90 + i },
      candidate: { keys: 1_000 + n, bad: 11 + i },
      margin: 0.01,
      lower: -0.00213 * (i + 1),
      upper: 0.0118 / (i + 1),
    })),
  },
  at: new Date(Date.UTC(2026, 0, 1) + n * 1_000).toISOString(),
});
