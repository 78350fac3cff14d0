/** What whole releases are made of: models of a few hundred bytes, a small data set, and a manifest whose stages take seconds. */
import type { Manifest } from '../../src/contracts/manifest.js';
import { manifest } from './manifests.js';
import { logisticModel, lookupModel } from './onnx.js';
import { createRandom } from './random.js';

/** Models over one input `x`, a code from 0 to 9; the labels follow sigmoid(0.5 x - 2.25). */
export const MODELS = {
  v1: logisticModel([0.45], -2),
  v2: logisticModel([0.5], -2.25),
  v3: logisticModel([0.52], -2.3),
  /** As good as v2 on every code of the data set, and has no answer for a code above 9. */
  narrow: lookupModel(
    1,
    Array.from({ length: 10 }, (_, x) => 1 / (1 + Math.exp(2.25 - 0.5 * x))),
  ),
} as const;

/** 600 labelled rows as CSV, `x,employed`. @param change what to make of a row; null leaves it out */
export function labelledRows(
  change: (x: number, employed: number | string) => readonly [number, number | string] | null = (...row) =>
    row,
): string {
  const random = createRandom(11);
  const lines = Array.from({ length: 600 }, (_, i) => {
    const x = i % 10;
    const row = change(x, random.uniform() < 1 / (1 + Math.exp(2.25 - 0.5 * x)) ? 1 : 0);
    return row === null ? '' : `${row.join(',')}\n`;
  });
  return `x,employed\n${lines.join('')}`;
}

/** Seconds where a real one has hours. Margins are wide, so that some hundred requests prove a healthy candidate. */
export const shortManifest = (name: string, dataDigest: string, changes: Partial<Manifest>): Manifest => {
  const base = manifest({
    name,
    purpose: `whole releases of ${name}`,
    canary: {
      steps: [
        { weight: 0.25, minKeys: 200, minSeconds: 1 },
        { weight: 0.5, minKeys: 200, minSeconds: 1 },
      ],
      guardrails: [
        { name: 'errors', kind: 'errors', relativeMargin: 1.5, absoluteMargin: 0.05, hardLimit: 0.5 },
        {
          name: 'slow',
          kind: 'slow',
          quantile: 0.99,
          factor: 3,
          // Pauses of a busy machine are not what is tested here.
          floorMs: 500,
          relativeMargin: 1.5,
          absoluteMargin: 0.05,
          hardLimit: 0.5,
        },
      ],
      judgement: 'prove',
      alpha: 0.01,
      beta: 0.05,
      // A stack that is down meanwhile, as between backup and restore on a busy machine, would use up less.
      maxSeconds: 3_600,
      rollbackDrill: false,
    },
    soak: { seconds: 1, holdback: 0.1 },
    objectives: { availability: 0.9, latencyMs: 500, slowShare: 0.1 },
    serving: {
      deadlineMs: 3_000,
      fallback: true,
      leaseSeconds: 4,
      maxConcurrency: 32,
      routingKeyHeader: 'tenure-routing-key',
    },
    ...changes,
  });
  const gates: Manifest['validation']['gates'] = [
    { kind: 'metric', metric: 'auc', min: 0.7 },
    { kind: 'no-regression', metric: 'logLoss', margin: 0.1 },
  ];
  const validation = { ...base.validation, data: 'rows.csv', dataDigest, gates, ...changes.validation };
  return { ...base, validation };
};
