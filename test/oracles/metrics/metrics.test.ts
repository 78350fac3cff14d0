/** The metrics against scikit-learn, DeLong against its definition, distributions and limits against scipy. See reference.py. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import type { Metric } from '../../../src/contracts/manifest.js';
import { deLong } from '../../../src/statistics/metrics/delong.js';
import {
  betaCdf,
  erfc,
  normalCdf,
  normalQuantile,
  studentCdf,
  studentQuantile,
} from '../../../src/statistics/metrics/distributions.js';
import type { Limits } from '../../../src/statistics/metrics/limits.js';
import { differenceLimits, pairedLimits, ratioLimits } from '../../../src/statistics/metrics/melded.js';
import type { Scored } from '../../../src/statistics/metrics/scored.js';
import { metricValue } from '../../../src/statistics/metrics/values.js';

type Values = Partial<Record<Metric, number>>;
type Rows = readonly (readonly number[])[];

interface Reference {
  readonly made: Readonly<Record<string, string>>;
  readonly binary: readonly {
    readonly name: string;
    readonly threshold: number;
    readonly labels: readonly number[];
    readonly first: readonly number[];
    readonly second: readonly number[];
    readonly values: { readonly first: Values; readonly second: Values };
    readonly delong: Readonly<Record<string, number>>;
  }[];
  readonly multiclass: readonly {
    readonly name: string;
    readonly classes: number;
    readonly labels: readonly number[];
    readonly scores: readonly number[];
    readonly values: Values;
  }[];
  readonly regression: {
    readonly labels: readonly number[];
    readonly scores: readonly number[];
    readonly values: Values;
  };
  readonly distributions: Readonly<
    Record<'erfc' | 'normalCdf' | 'normalQuantile' | 'betaCdf' | 'studentCdf' | 'studentQuantile', Rows>
  >;
  readonly intervals: Readonly<Record<'difference' | 'ratio' | 'pairs', Rows>>;
}

const reference = JSON.parse(readFileSync(new URL('reference.json', import.meta.url), 'utf8')) as Reference;

function near(actual: number, expected: number, tolerance: number, what: string): void {
  const error = expected === 0 ? Math.abs(actual) : Math.abs(actual / expected - 1);
  assert.ok(error <= tolerance, `${what}: ${actual}, not ${expected} (relative error ${error})`);
}

function sameValues(scored: Scored, values: Values): void {
  for (const [metric, expected] of Object.entries(values)) {
    near(metricValue(metric as Metric, scored), expected, 1e-12, metric);
  }
}

describe('metrics against scikit-learn', () => {
  for (const { name, threshold, labels, first, second, values, delong } of reference.binary) {
    it(`binary: ${name}`, () => {
      sameValues({ task: 'binary', labels, scores: first, threshold }, values.first);
      sameValues({ task: 'binary', labels, scores: second, threshold }, values.second);
    });
    it(`DeLong: ${name}`, () => {
      const found = deLong(labels, first, second);
      for (const [key, expected] of Object.entries(delong))
        near(found[key as keyof typeof found], expected, 1e-10, key);
    });
  }
  for (const { name, classes, labels, scores, values } of reference.multiclass) {
    it(`multiclass: ${name}`, () => sameValues({ task: 'multiclass', labels, scores, classes }, values));
  }
  it('regression', () => {
    const { labels, scores, values } = reference.regression;
    sameValues({ task: 'regression', labels, scores }, values);
  });
});

describe('distributions and limits against scipy', () => {
  const { distributions, intervals } = reference;
  const each = (rows: Rows, tolerance: number, f: (...given: number[]) => number): void => {
    assert.ok(rows.length > 2);
    for (const row of rows) near(f(...row.slice(0, -1)), row.at(-1) ?? Number.NaN, tolerance, row.join(', '));
  };
  it('erfc', () => each(distributions.erfc, 1e-14, (x) => erfc(x ?? 0)));
  it('normal tails', () => each(distributions.normalCdf, 1e-13, (x) => normalCdf(x ?? 0)));
  it('normal quantiles', () => each(distributions.normalQuantile, 1e-14, (p) => normalQuantile(p ?? 0)));
  it('Student tails', () => each(distributions.studentCdf, 1e-9, (t, f) => studentCdf(t ?? 0, f ?? 0)));
  it('Student quantiles', () =>
    each(distributions.studentQuantile, 1e-8, (p, f) => studentQuantile(p ?? 0, f ?? 0)));
  it('beta', () => each(distributions.betaCdf, 1e-9, (x, a, b) => betaCdf(x ?? 0, a ?? 0, b ?? 0)));
  const same = (found: Limits, low: number, high: number, what: string): void => {
    near(found.lower, low, 1e-6, what);
    near(found.upper, high, 1e-6, what);
  };
  it('melded limits of a difference', () => {
    for (const [a = 0, m = 0, b = 0, n = 0, low = 0, high = 0] of intervals.difference) {
      const found = differenceLimits({ successes: a, rows: m }, { successes: b, rows: n }, 0.95);
      same(found, low, high, `${a} of ${m}, ${b} of ${n}`);
    }
  });
  it('melded limits of a ratio', () => {
    for (const [a = 0, m = 0, b = 0, n = 0, low = 0, high = 0] of intervals.ratio) {
      const found = ratioLimits({ successes: a, rows: m }, { successes: b, rows: n }, 0.95);
      same(found, low, high, `${a} of ${m}, ${b} of ${n}`);
    }
  });
  it('melded limits of pairs', () => {
    for (const [b = 0, c = 0, n = 0, low = 0, high = 0] of intervals.pairs)
      same(pairedLimits(b, c, n, 0.95), low, high, `${b}, ${c} of ${n}`);
  });
});
