/** Two-sample tests, their laws, prediction intervals and corrections against scipy, to 1e-9 relative. See reference.py. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { chiSquare } from '../../../src/statistics/drift/chi-square.js';
import { benjaminiHochberg } from '../../../src/statistics/drift/corrections.js';
import {
  jensenShannon,
  largestShareChange,
  psi,
  totalVariation,
} from '../../../src/statistics/drift/distances.js';
import { chiSquareSurvival, chiSquareUpperQuantile } from '../../../src/statistics/drift/gamma.js';
import {
  ksFromCounts,
  ksFromSamples,
  type KsMethod,
} from '../../../src/statistics/drift/kolmogorov-smirnov.js';
import { kolmogorovSurvival, smirnovSurvival } from '../../../src/statistics/drift/kolmogorov.js';
import { mannWhitneyFromCounts, mannWhitneyFromSamples } from '../../../src/statistics/drift/mann-whitney.js';
import {
  addChunk,
  NO_CHUNKS,
  predictionInterval,
  scoreChunk,
} from '../../../src/statistics/drift/prediction.js';
import { wassersteinFromCounts, wassersteinFromSamples } from '../../../src/statistics/drift/wasserstein.js';
import { normalCdf, studentQuantile } from '../../../src/statistics/metrics/distributions.js';

interface Sides {
  readonly reference: readonly number[];
  readonly window: readonly number[];
}

interface Compared {
  readonly name: string;
  readonly distance: number;
  readonly ks: Readonly<Record<'exact' | 'asymp' | 'auto', number>>;
  readonly u: number;
  readonly mannWhitney: number;
  readonly wasserstein: number;
}

type Found = readonly [statistic: number, freedom: number, p: number];

interface Table extends Sides {
  readonly plain: Found;
  readonly yates: Found;
  readonly ratio: Found;
  readonly leastExpected: number;
  readonly distance2: number;
  readonly distanceE: number;
  readonly largest: number;
  readonly variation: number;
  readonly psi: number | null;
}

const reference = JSON.parse(readFileSync(new URL('reference.json', import.meta.url), 'utf8')) as {
  readonly made: Readonly<Record<string, string>>;
  readonly samples: readonly (Compared & Partial<Sides>)[];
  readonly bins: readonly (Compared & Sides)[];
  readonly tables: readonly Table[];
  readonly deciles: readonly [
    edges: readonly number[],
    reference: readonly number[],
    window: readonly number[],
  ];
  readonly laws: Readonly<Record<keyof typeof LAWS, readonly (readonly number[])[]>>;
  readonly intervals: readonly {
    readonly values: readonly number[];
    readonly low: number;
    readonly high: number;
    readonly next: number;
    readonly p: number;
  }[];
  readonly corrections: readonly (readonly [readonly number[], readonly number[]])[];
};

const LAWS = {
  chiSquareSurvival,
  chiSquareUpperQuantile,
  kolmogorovSurvival,
  smirnovSurvival,
  normalSurvival: (x: number) => normalCdf(-x),
  studentUpperQuantile: (tail: number, freedom: number) => -studentQuantile(tail, freedom),
};

function near(actual: number, expected: number, what: string, tolerance = 1e-9): void {
  const error = expected === 0 ? Math.abs(actual) : Math.abs(actual / expected - 1);
  assert.ok(error <= tolerance, `${what}: ${actual}, not ${expected} (relative error ${error})`);
}

function mulberry32(seed: number): () => number {
  let a = seed;
  return () => {
    a = (a + 0x6d2b79f5) | 0;
    let t = Math.imul(a ^ (a >>> 15), 1 | a);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** 500 standard normal values, then 400 with mean .25 and sd 1.1. */
function golden(): Sides {
  const uniform = mulberry32(42);
  const normal = (): number => {
    const size = Math.sqrt(-2 * Math.log(1 - uniform()));
    return size * Math.cos(2 * Math.PI * uniform());
  };
  return {
    reference: Array.from({ length: 500 }, normal),
    window: Array.from({ length: 400 }, () => 0.25 + 1.1 * normal()),
  };
}

const { reference: first, window: second } = golden();
const GOLDEN: Readonly<Record<string, Sides>> = {
  'golden, 500 and 400': { reference: first, window: second },
  'golden, first 20 and 15': { reference: first.slice(0, 20), window: second.slice(0, 15) },
  'golden, first 8 and 8': { reference: first.slice(0, 8), window: second.slice(0, 8) },
};

const METHODS: readonly (readonly ['exact' | 'asymp' | 'auto', KsMethod | undefined])[] = [
  ['exact', 'exact'],
  ['asymp', 'asymptotic'],
  ['auto', undefined],
];

describe('two-sample tests agree with scipy 1.14.1', () => {
  for (const expected of reference.samples)
    it(`from samples: ${expected.name}`, () => {
      const sides = GOLDEN[expected.name] ?? (expected as Sides);
      for (const [key, method] of METHODS) {
        const found = ksFromSamples(sides, method);
        near(found.distance, expected.distance, 'KS distance');
        near(found.p, expected.ks[key], `KS, ${key}`);
      }
      const ranks = mannWhitneyFromSamples(sides);
      near(ranks.u, expected.u, 'U');
      near(ranks.p, expected.mannWhitney, 'Mann-Whitney');
      near(wassersteinFromSamples(sides), expected.wasserstein, 'Wasserstein');
    });

  for (const expected of reference.bins)
    it(`from counts: ${expected.name}`, () => {
      for (const [key, method] of METHODS.slice(0, 2)) {
        const found = ksFromCounts(expected, method);
        near(found.distance, expected.distance, 'KS distance');
        near(found.p, expected.ks[key], `KS, ${key}`);
      }
      const ranks = mannWhitneyFromCounts(expected);
      near(ranks.u, expected.u, 'U');
      near(ranks.p, expected.mannWhitney, 'Mann-Whitney');
      // Borders half a step around each bin's number: rows of both sides move within their bin alike.
      const borders = Array.from({ length: expected.reference.length + 1 }, (_, i) => i - 0.5);
      const bounds = wassersteinFromCounts(expected, borders);
      assert.ok(bounds.least <= expected.wasserstein && expected.wasserstein <= bounds.most);
    });

  it('tables: chi-square, likelihood ratio, Jensen-Shannon, L-infinity, total variation, PSI', () => {
    for (const expected of reference.tables) {
      const plain = chiSquare(expected);
      const yates = chiSquare(expected, { yates: true });
      for (const [found, wanted] of [
        [plain, expected.plain],
        [yates, expected.yates],
      ] as const) {
        near(found.statistic, wanted[0], 'chi-square');
        assert.equal(found.freedom, wanted[1]);
        near(found.p, wanted[2], 'chi-square p');
      }
      near(plain.likelihoodRatioP, expected.ratio[2], 'likelihood ratio p');
      near(plain.leastExpected, expected.leastExpected, 'least expected');
      near(jensenShannon(expected).distance, expected.distance2, 'Jensen-Shannon, base 2');
      near(jensenShannon(expected, 'e').distance, expected.distanceE, 'Jensen-Shannon, base e');
      near(largestShareChange(expected), expected.largest, 'L-infinity');
      near(totalVariation(expected), expected.variation, 'total variation');
      if (expected.psi !== null) near(psi(expected), expected.psi, 'PSI');
    }
  });

  it('the golden samples in the deciles of the first: bounds hold what the samples say, PSI is the known one', () => {
    const [edges, reference_, window] = reference.deciles;
    const counts = { reference: reference_, window };
    near(psi(counts), 0.1181044216000772, 'PSI');
    const rows = ksFromSamples(GOLDEN['golden, 500 and 400']!);
    const bins = ksFromCounts(counts);
    assert.ok(bins.distance <= rows.distance && rows.distance <= bins.most);
    assert.ok(bins.p >= rows.p);
    const all = [...first, ...second];
    const borders = [Math.min(...all), ...edges.slice(1, -1), Math.max(...all)];
    const moved = wassersteinFromCounts(counts, borders);
    const exact = wassersteinFromSamples(GOLDEN['golden, 500 and 400']!);
    assert.ok(moved.least <= exact && exact <= moved.most);
    assert.ok(Math.abs(moved.estimate / exact - 1) < 0.1, `${moved.estimate}`);
  });

  for (const [law, compute] of Object.entries(LAWS))
    it(`law: ${law}`, () => {
      const rows = reference.laws[law as keyof typeof LAWS];
      assert.ok(rows.length > 0);
      for (const row of rows)
        near(compute(row[0]!, row[1]!), row.at(-1)!, `${law} of ${row.slice(0, -1).join(', ')}`);
    });

  it('prediction intervals and their p-values', () => {
    for (const { values, low, high, next, p } of reference.intervals) {
      const interval = predictionInterval(values);
      assert.ok(interval.state === 'known');
      near(interval.low, low, 'low');
      near(interval.high, high, 'high');
      const score = scoreChunk(values.reduce(addChunk, NO_CHUNKS), next);
      assert.ok(score.state === 'known');
      near(score.p, p, 'p');
      near(2 * normalCdf(-score.score), p, 'p of the score');
    }
  });

  it('Benjamini and Hochberg', () => {
    for (const [ps, adjusted] of reference.corrections)
      benjaminiHochberg(ps).forEach((value, i) => near(value, adjusted[i]!, `adjusted ${ps[i]}`));
  });
});
