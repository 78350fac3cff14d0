/**
 * How often limits of two proportions miss the true value, on each side: at most 5 %, summed over all outcomes instead of
 * simulated, so there is no tolerance.
 */
import assert from 'node:assert/strict';
import * as fc from 'fast-check';
import { betaLogDensity } from '../../../../src/statistics/metrics/distributions.js';
import {
  differenceConfidence,
  differenceLimits,
  pairedConfidence,
  pairedLimits,
  ratioConfidence,
  ratioLimits,
} from '../../../../src/statistics/metrics/melded.js';
import type { Count } from '../../../../src/statistics/metrics/melded.js';
import { scale } from '../../../support/scale.js';

const LEVEL = 0.95;
const choose = <T>(short: readonly T[], long: readonly T[]): readonly T[] =>
  scale(0, 1) === 1 ? long : short;
const run = { seed: 20261124, numRuns: 60 };

/** Chances of 0 to `rows` successes. */
function binomial(rows: number, p: number): Float64Array {
  return Float64Array.from({ length: rows + 1 }, (_, k) => {
    if (p <= 0 || p >= 1) return k === (p <= 0 ? 0 : rows) ? 1 : 0;
    // The density of Beta(k + 1, rows - k + 1) at p is (rows + 1) times the chance of k.
    return Math.exp(betaLogDensity(p, k + 1, rows - k + 1)) / (rows + 1);
  });
}

const RELEVANT = 1e-15;

/** Least k from 0 to `length` at which `holds`, which then holds for every greater one. */
function firstOf(length: number, holds: (k: number) => boolean): number {
  let [low, high] = [0, length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (holds(middle)) high = middle;
    else low = middle + 1;
  }
  return low;
}

/** Chance that the upper limit lies below the truth. It falls with fewer successes of the first, and with more of the second. */
function missAbove(
  confidence: (first: Count, second: Count, value: number) => number,
  [p, m]: readonly [number, number],
  [q, n]: readonly [number, number],
  truth: number,
): number {
  const others = binomial(n, q);
  const from = others.findIndex((chance) => chance > RELEVANT);
  const to = others.findLastIndex((chance) => chance > RELEVANT) + 1;
  const beyond = new Float64Array(n + 2);
  for (let y = n; y >= 0; y -= 1) beyond[y] = (beyond[y + 1] ?? 0) + (others[y] ?? 0);
  let miss = 0;
  binomial(m, p).forEach((chance, x) => {
    if (chance <= RELEVANT) return;
    const least =
      from +
      firstOf(
        to - from,
        (k) => confidence({ successes: x, rows: m }, { successes: from + k, rows: n }, truth) > LEVEL,
      );
    if (least < to) miss += chance * (beyond[least] ?? 0);
  });
  return miss;
}

/** The same for pairs: rows that differ are binomial, those of them with only the first too. */
function missAbovePairs(differ: number, part: number, rows: number): number {
  const truth = differ * (2 * part - 1);
  let miss = 0;
  binomial(rows, differ).forEach((chance, count) => {
    if (chance <= RELEVANT) return;
    const parts = binomial(count, part);
    const end = firstOf(count + 1, (first) => !(pairedConfidence(first, count - first, rows, truth) > LEVEL));
    for (let first = 0; first < end; first += 1) miss += chance * (parts[first] ?? 0);
  });
  return miss;
}

const sizes = choose<readonly [number, number]>(
  [
    [30, 30],
    [45, 300],
  ],
  [
    [30, 30],
    [30, 60],
    [40, 40],
    [45, 300],
    [60, 60],
    [60, 600],
    [60, 5000],
    [100, 300],
    [150, 150],
    [150, 3000],
    [300, 300],
    [400, 8000],
    [1000, 1000],
    [300, 20_000],
  ],
);
const shares = choose(
  [0.01, 0.45, 0.97],
  [0.001, 0.005, 0.01, 0.03, 0.08, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.75, 0.85, 0.9, 0.95, 0.97, 0.99, 0.995],
);

describe('limits of two proportions miss the true value at most 5 % on either side', function () {
  this.timeout(scale(60_000, 3_600_000));

  for (const [name, confidence, truth] of [
    ['difference', differenceConfidence, (p: number, q: number) => p - q],
    ['ratio', ratioConfidence, (p: number, q: number) => p / q],
  ] as const) {
    for (const [m, n] of sizes) {
      it(`${name}: ${m} and ${n} rows`, () => {
        for (const p of shares) {
          for (const q of shares) {
            const tooLow = missAbove(confidence, [p, m], [q, n], truth(p, q));
            const tooHigh = missAbove(confidence, [q, n], [p, m], truth(q, p));
            assert.ok(tooLow <= 0.05 && tooHigh <= 0.05, `${p} and ${q}: ${tooLow}, ${tooHigh}`);
          }
        }
      });
    }
  }

  for (const rows of choose([30, 100], [30, 45, 60, 100, 150, 200, 300, 1000])) {
    it(`pairs: ${rows} rows`, () => {
      for (const differ of choose(
        [0.01, 0.1, 0.4],
        [0.001, 0.005, 0.01, 0.03, 0.06, 0.1, 0.2, 0.4, 0.7, 0.95],
      )) {
        for (const part of choose(
          [0, 0.25, 0.5, 0.6, 0.9, 1],
          [0, 0.02, 0.1, 0.25, 0.4, 0.5, 0.6, 0.75, 0.9, 0.98, 1],
        )) {
          const miss = missAbovePairs(differ, part, rows);
          assert.ok(miss <= 0.05, `${differ}, ${part}: ${miss}`);
        }
      }
    });
  }
});

const count = fc
  .integer({ min: 1, max: 400 })
  .chain((rows) => fc.record({ successes: fc.integer({ min: 0, max: rows }), rows: fc.constant(rows) }));

describe('limits of two proportions', () => {
  it('contain the estimate, turn over with the two, and have the confidence asked for', () => {
    fc.assert(
      fc.property(count, count, (first, second) => {
        const d = differenceLimits(first, second, LEVEL);
        const e = differenceLimits(second, first, LEVEL);
        assert.ok(-1 <= d.lower && d.lower <= d.estimate && d.estimate <= d.upper && d.upper <= 1);
        assert.ok(d.upper === -e.lower && d.lower === -e.upper);
        if (first.successes < first.rows || second.successes > 0)
          assert.ok(Math.abs(differenceConfidence(first, second, d.upper) - LEVEL) < 1e-6);
        if (first.successes + second.successes === 0) return;
        const r = ratioLimits(first, second, LEVEL);
        const s = ratioLimits(second, first, LEVEL);
        assert.ok(0 <= r.lower && r.lower <= r.estimate && r.estimate <= r.upper);
        assert.ok(s.lower === 1 / r.upper);
        if (second.successes > 0) assert.ok(Math.abs(ratioConfidence(first, second, r.upper) - LEVEL) < 1e-6);
      }),
      run,
    );
  });

  it('of pairs turn over, and never collapse when the two always agree', () => {
    fc.assert(
      fc.property(fc.nat(40), fc.nat(40), fc.nat(400), (b, c, rest) => {
        const rows = b + c + rest + 1;
        const one = pairedLimits(b, c, rows, LEVEL);
        const other = pairedLimits(c, b, rows, LEVEL);
        assert.ok(one.lower <= one.estimate && one.estimate <= one.upper && one.lower < one.upper);
        assert.equal(one.upper, -other.lower);
        assert.ok(Math.abs(pairedConfidence(b, c, rows, one.upper) - LEVEL) < 1e-6);
      }),
      run,
    );
    // The exact limit of a share when nothing was seen.
    assert.ok(Math.abs(pairedLimits(0, 0, 100, LEVEL).upper - (1 - 0.05 ** 0.01)) < 1e-9);
  });

  it("agree with Fisher's exact test and the sign test where there is no difference", () => {
    const ways = (n: number, k: number): number => {
      let value = 1;
      for (let i = 1; i <= k; i += 1) value *= (n - k + i) / i;
      return value;
    };
    for (const [x, m, y, n] of [
      [3, 30, 9, 40],
      [0, 20, 4, 25],
      [11, 12, 8, 30],
    ] as const) {
      // P(at most x of the x + y successes are of the first).
      let fisher = 0;
      for (let k = 0; k <= x; k += 1) fisher += (ways(m, k) * ways(n, x + y - k)) / ways(m + n, x + y);
      const [first, second] = [
        { successes: x, rows: m },
        { successes: y, rows: n },
      ];
      assert.ok(Math.abs(1 - differenceConfidence(first, second, 0) - fisher) < 1e-7, `${fisher}`);
      assert.ok(Math.abs(1 - ratioConfidence(first, second, 1) - fisher) < 1e-7, `${fisher}`);
      let sign = 0;
      for (let k = 0; k <= x; k += 1) sign += ways(x + y, k) / 2 ** (x + y);
      assert.ok(Math.abs(1 - pairedConfidence(x, y, m + n, 0) - sign) < 1e-7, `${sign}`);
    }
  });

  it('are not known without rows, nor is a ratio without successes', () => {
    const [none, some, zero] = [
      { successes: 0, rows: 0 },
      { successes: 5, rows: 50 },
      { successes: 0, rows: 50 },
    ];
    for (const limits of [
      differenceLimits(none, some, LEVEL),
      ratioLimits(some, none, LEVEL),
      ratioLimits(zero, zero, LEVEL),
      pairedLimits(0, 0, 0, LEVEL),
    ])
      assert.ok(Number.isNaN(limits.lower) && Number.isNaN(limits.upper));
    assert.deepEqual(
      [ratioLimits(zero, some, LEVEL).lower, ratioLimits(some, zero, LEVEL).upper],
      [0, Infinity],
    );
    assert.ok(ratioLimits(zero, some, LEVEL).upper < 1 && ratioLimits(some, zero, LEVEL).lower > 1);
  });
});
