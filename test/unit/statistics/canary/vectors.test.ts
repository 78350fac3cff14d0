import assert from 'node:assert/strict';
import {
  bernoulliDivergence,
  lnBeta,
  lnGamma,
  logSumExp,
} from '../../../../src/statistics/canary/numbers.js';
import {
  baseRate,
  promoteEvidence,
  promoteIncrements,
  promoteThreshold,
  worseRate,
} from '../../../../src/statistics/canary/promote.js';
import {
  addRollbackInterval,
  NO_ROLLBACK_EVIDENCE,
  rollbackEvidence,
  rollbackThreshold,
} from '../../../../src/statistics/canary/rollback.js';

const MARGIN = { relativeMargin: 1.5, absoluteMargin: 0.005 };

/** Equal to the digits given. */
function digits(actual: number, expected: string): void {
  const decimals = expected.split('.')[1]?.length ?? 0;
  assert.equal(actual.toFixed(decimals), Number(expected).toFixed(decimals));
}

function rollback(...intervals: readonly (readonly [x: number, b: number, share: number])[]): number {
  let lnM = NO_ROLLBACK_EVIDENCE;
  for (const [x, b, share] of intervals) lnM = addRollbackInterval(lnM, x, b - x, share);
  return Math.exp(rollbackEvidence(lnM));
}

describe('roll-back side: test vectors', () => {
  for (const [x, b, expected] of [
    [6, 6, '903.159'],
    [5, 5, '240.527'],
    [10, 30, '155.436'],
    [20, 60, '39080.97'],
    [10, 100, '0.0813697'],
    [0, 0, '1'],
  ] as const) {
    it(`${x} of ${b} bad keys at 10 % give E = ${expected}`, () => digits(rollback([x, b, 0.1]), expected));
  }

  it('two splits add up, each with its own share', () => {
    digits(rollback([4, 20, 0.1], [12, 20, 0.25]), '150.626');
  });

  it('needs 6 bad keys at 10 %, 8 at 25 %, 14 at 50 %, for four guardrails at alpha 1 %', () => {
    assert.equal(rollbackThreshold(4, 0.01).toFixed(4), '5.9915');
    const fewest = (share: number): number => {
      let x = 0;
      while (Math.log(rollback([x, x, share])) < rollbackThreshold(4, 0.01)) x += 1;
      return x;
    };
    assert.deepEqual([0.1, 0.25, 0.5].map(fewest), [6, 8, 14]);
  });

  it('splits of width 0 add nothing', () => {
    assert.equal(rollback([50, 50, 1], [0, 50, 0]), 1);
  });

  it('each factor has mean at most 1 when the candidate is not worse', () => {
    for (const share of [0.01, 0.1, 0.5, 0.95]) {
      for (const theta of [share, share / 2, 0]) {
        for (const i of NO_ROLLBACK_EVIDENCE.keys()) {
          const bad = Math.exp(addRollbackInterval(NO_ROLLBACK_EVIDENCE, 1, 0, share)[i] ?? NaN);
          const other = Math.exp(addRollbackInterval(NO_ROLLBACK_EVIDENCE, 0, 1, share)[i] ?? NaN);
          assert.ok(theta * bad + (1 - theta) * other <= 1 + 1e-12);
        }
      }
    }
  });
});

describe('promote side: test vectors', () => {
  for (const [p, share, c, d, badCandidate, badChampion, okCandidate, okChampion] of [
    [0.001, 0.1, '.00091509', '.00591509', '-1.777506', '.088735', '.00493215', '-.00008499'],
    [0.01, 0.1, '.00965732', '.01465732', '-.382355', '.034869', '.00471546', '-.00034609'],
    [0.01, 0.5, '.00808452', '.01308452', '-.268845', '.212634', '.00312054', '-.00193296'],
    [0.05, 0.1, '.04756697', '.07135046', '-.355581', '.049884', '.02273056', '-.00255781'],
  ] as const) {
    it(`base rate ${p} at a share of ${share}`, () => {
      const add = promoteIncrements(p, share, MARGIN);
      digits(add.c, c);
      digits(add.d, d);
      digits(add.badCandidate, badCandidate);
      digits(add.badChampion, badChampion);
      digits(add.okCandidate, okCandidate);
      digits(add.okChampion, okChampion);
    });
  }

  it('the mean of one factor over the null is at most 1', () => {
    for (const share of [0.05, 0.1, 0.25, 0.5, 0.95]) {
      for (const p of [1e-4, 1e-3, 0.01, 0.1, 0.5, 0.9]) {
        const add = promoteIncrements(p, share, MARGIN);
        for (let i = 0; i <= 2000; i += 1) {
          const champion = (i / 2000) ** 3;
          const candidate = worseRate(champion, MARGIN);
          if (candidate > 1) break;
          const mean =
            share * (candidate * Math.exp(add.badCandidate) + (1 - candidate) * Math.exp(add.okCandidate)) +
            (1 - share) * (champion * Math.exp(add.badChampion) + (1 - champion) * Math.exp(add.okChampion));
          assert.ok(mean <= 1 + 1e-12, `share ${share}, p ${p}, champion ${champion}: ${mean}`);
        }
      }
    }
  });

  it('the relative part alone agrees with its closed form', () => {
    const relative = { relativeMargin: 1.5, absoluteMargin: 0 };
    const p = baseRate(40, 4000);
    const interval = { share: 0.1, candidateKeys: 500, candidateBad: 3, championKeys: 4500, championBad: 40 };
    const add = promoteIncrements(p, 0.1, relative);
    const bad = 3 * add.badCandidate + 40 * add.badChampion;
    assert.ok(Math.abs(add.badChampion - add.badCandidate - Math.log(1.5)) < 1e-9);
    // The closed form projects on small rates, where ln(1 - c) is about -c: equal to a few per cent here.
    const closed = -3 * Math.log(1.5) + 43 * Math.log(1.05);
    const exact = promoteEvidence(interval, 40, 4000, relative);
    assert.ok(bad <= closed + 1e-9 || Math.abs(bad - closed) < 0.2);
    assert.ok(Math.abs(exact - closed) < 0.2, `${exact} ${closed}`);
  });

  it('clean on both sides: about 600 candidate keys prove half a point', () => {
    const interval = (n: number): number => {
      const keys = { share: 0.1, candidateKeys: n, candidateBad: 0, championKeys: 9 * n, championBad: 0 };
      return promoteEvidence(keys, 0, 20_000, MARGIN);
    };
    assert.ok(interval(598) < promoteThreshold(0.05));
    assert.ok(interval(606) >= promoteThreshold(0.05));
  });

  it('earns nothing before 100 keys were seen, nor on splits of width 0', () => {
    const keys = { candidateKeys: 500, candidateBad: 1, championKeys: 4500, championBad: 9 };
    assert.equal(promoteEvidence({ share: 0.1, ...keys }, 1, 99, MARGIN), 0);
    assert.notEqual(promoteEvidence({ share: 0.1, ...keys }, 1, 100, MARGIN), 0);
    assert.equal(promoteEvidence({ share: 1, ...keys }, 1, 1000, MARGIN), 0);
    assert.equal(promoteEvidence({ share: 0, ...keys }, 1, 1000, MARGIN), 0);
  });
});

describe('numerics', () => {
  it('ln Gamma agrees with factorials and with the reflection at one half', () => {
    let factorial = 0;
    for (let n = 1; n < 200; n += 1) {
      factorial += Math.log(n);
      assert.ok(Math.abs(lnGamma(n + 1) - factorial) <= 1e-12 * Math.max(1, factorial), `${n}`);
    }
    assert.ok(Math.abs(lnGamma(0.5) - Math.log(Math.PI) / 2) < 1e-14);
    assert.ok(Math.abs(lnGamma(0.01) - 4.599479878042022) < 1e-12);
    assert.ok(Math.abs(lnBeta(2, 3) + Math.log(12)) < 1e-13);
  });

  it('log-sum-exp neither overflows nor underflows', () => {
    assert.equal(logSumExp([1000, 0], [0.5, 0.5]), 1000 + Math.log(0.5));
    assert.equal(logSumExp([-2000, -2000], [0.5, 0.5]), -2000);
  });

  it('divergence is 0 on equals and infinite where excluded', () => {
    assert.equal(bernoulliDivergence(0.3, 0.3), 0);
    assert.equal(bernoulliDivergence(0.3, 0), Infinity);
    assert.equal(bernoulliDivergence(0, 0.5), Math.log(2));
  });
});
