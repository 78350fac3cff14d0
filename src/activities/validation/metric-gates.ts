/** Gates on the metrics: thresholds, and no regression against the champion on the same rows. */
import { setImmediate } from 'node:timers/promises';
import type { Gate } from '../../contracts/manifest.js';
import type { Comparison } from '../../statistics/metrics/no-regression.js';
import { compareModels, judgeLoss, tooFewRows } from '../../statistics/metrics/no-regression.js';
import { seedOf } from '../../statistics/metrics/random.js';
import { metricValue } from '../../statistics/metrics/values.js';
import type { Bench } from './bench.js';
import { finite, judged, numbers, shown } from './results.js';
import type { Judged } from './results.js';

/** A threshold on few rows says nothing. */
const LEAST_METRIC_ROWS = 30;

export async function metricGate(
  { metric, min, max }: Gate & { kind: 'metric' },
  bench: Bench,
): Promise<Judged> {
  const scored = await bench.candidateScores();
  const rows = scored.labels.length;
  const value = metricValue(metric, scored);
  const detail = { value: finite(value), min: min ?? null, max: max ?? null, rows };
  const bounds = [
    ...(min === undefined ? [] : [`at least ${min}`]),
    ...(max === undefined ? [] : [`at most ${max}`]),
  ].join(' and ');
  if (bounds === '')
    return judged(
      'error',
      `${metric} is ${shown(value)}, but the gate has no bound; give min or max`,
      detail,
    );
  if (!Number.isFinite(value)) return judged('error', `${metric} cannot be computed on these rows`, detail);
  if (rows < LEAST_METRIC_ROWS) {
    return judged(
      'undecided',
      `${metric} is ${shown(value)} on ${rows} rows; at least ${LEAST_METRIC_ROWS} rows are needed`,
      detail,
    );
  }
  const within = value >= (min ?? -Infinity) && value <= (max ?? Infinity);
  return judged(within ? 'passed' : 'failed', `${metric} is ${shown(value)}; allowed is ${bounds}`, detail);
}

export async function noRegressionGate(
  { metric, margin }: Gate & { kind: 'no-regression' },
  bench: Bench,
): Promise<Judged> {
  const candidate = await bench.candidateScores();
  const champion = await bench.championScores();
  if (champion === null) {
    const value = metricValue(metric, candidate);
    return judged('reported', `There is no champion: nothing to compare with; ${metric} is ${shown(value)}`, {
      candidate: finite(value),
      margin,
    });
  }
  const few = tooFewRows(candidate);
  const rows = candidate.labels.length;
  if (few !== null) return judged('undecided', `${metric} cannot be compared: ${few}`, { margin, rows });
  // Seeded by the data: the same comparison gives the same answer.
  const work = compareModels(metric, candidate, champion, seedOf(bench.manifest.validation.dataDigest ?? ''));
  const comparison = await finished(work, bench, metric);
  const { verdict, rowsNeeded, method, ...values } = judgeLoss(comparison, margin);
  const detail = { method, margin, rowsNeeded, ...numbers(values) };
  const facts = `${metric} ${shown(values.candidate)} against the champion's ${shown(values.champion)}: the loss is ${shown(values.loss)}`;
  switch (verdict) {
    case 'passed':
      return judged(
        verdict,
        `${facts}, with 95 % confidence at most ${shown(values.upper)}; the margin is ${shown(margin)}`,
        detail,
      );
    case 'failed':
      return judged(
        verdict,
        `${facts}, with 95 % confidence above ${shown(values.lower)}; the margin is ${shown(margin)}`,
        detail,
      );
    case 'undecided': {
      const next =
        rowsNeeded === null
          ? 'the loss itself is not below the margin, so more rows would not help'
          : `about ${rowsNeeded} rows are needed to show it (now ${rows})`;
      return judged(
        verdict,
        `${facts}, with 95 % confidence only below ${shown(values.upper)}, not below the margin ${shown(margin)}; ${next}`,
        detail,
      );
    }
  }
}

/** Runs a long computation in pieces, so that heartbeats and other work get their turn. */
export async function finished(
  work: Generator<number, Comparison, void>,
  bench: Pick<Bench, 'progress'>,
  what: string,
): Promise<Comparison> {
  for (;;) {
    const began = performance.now();
    let step = work.next();
    while (step.done !== true && performance.now() - began < 20) step = work.next();
    if (step.done === true) return step.value;
    bench.progress.report(`comparing ${what}`, step.value, 0);
    await setImmediate();
  }
}
