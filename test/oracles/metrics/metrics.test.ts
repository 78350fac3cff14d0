/** The metrics against scikit-learn, DeLong against its definition, distributions and limits against scipy. See reference.py. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import type { Metric } from '../../../src/contracts/manifest.js';
import { deLong } from '../../../src/statistics/metrics/delong.js';
import {
  erfc,
  normalCdf,
  normalQuantile,
  studentCdf,
  studentQuantile,
} from '../../../src/statistics/metrics/distributions.js';
import { katz, tango, wilson } from '../../../src/statistics/metrics/limits.js';
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
    Record<'erfc' | 'normalCdf' | 'normalQuantile' | 'studentCdf' | 'studentQuantile', Rows>
  >;
  readonly intervals: Readonly<Record<'wilson' | 'katz' | 'tango', Rows>>;
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
  const z = normalQuantile(0.95);
  it('Wilson', () => {
    for (const [k = 0, n = 0, low = 0, high = 0] of intervals.wilson) {
      near(wilson(k, n, z).lower, low, 1e-9, `${k}/${n}`);
      near(wilson(k, n, z).upper, high, 1e-9, `${k}/${n}`);
    }
  });
  it('Katz', () => {
    for (const [a = 0, m = 0, b = 0, n = 0, low = 0, high = 0] of intervals.katz) {
      const found = katz({ successes: a, rows: m }, { successes: b, rows: n }, z);
      near(found.lower, low, 1e-9, `${a}/${m}`);
      near(found.upper, high, 1e-9, `${a}/${m}`);
    }
  });
  it('Tango, from its definition', () => {
    for (const [b = 0, c = 0, n = 0, low = 0, high = 0] of intervals.tango) {
      near(tango(b, c, n, z).lower, low, 1e-6, `${b}, ${c} of ${n}`);
      near(tango(b, c, n, z).upper, high, 1e-6, `${b}, ${c} of ${n}`);
    }
  });
});
