import assert from 'node:assert/strict';
import type { CanaryPlan, CanaryVerdict } from '../../../../src/contracts/canary.js';
import { initialJudge, judge } from '../../../../src/statistics/canary/index.js';
import { createRandom, type Random } from '../../../support/random.js';
import { scale } from '../../../support/scale.js';
import { guardrail, moment, PLAN } from './made.js';
import {
  atMost,
  geometricLooks,
  promote,
  PROVEN_AT,
  rollback,
  ROLLBACK_AT,
  type Formula,
  type Interval,
} from './simulate.js';

/**
 * Requests of one key are alike: each key has a bad rate of its own (Beta with intraclass correlation `icc`) and a fixed arm.
 * Every run is judged twice: by keys, as the judge counts, and naively by requests.
 */
interface Keys {
  readonly name: string;
  /** The key of each request. */
  readonly requests: (random: Random, horizon: number) => Int32Array;
  readonly icc: number;
}

const HORIZON = 100_000;
const SHARE = 0.1;
const BASE = 0.01;

const repeated = (each: number, icc: number): Keys => ({
  name: `${each} requests a key, ICC ${icc}`,
  icc,
  requests: (random, horizon) => {
    const order = Int32Array.from({ length: horizon }, (_, i) => Math.floor(i / each));
    if (each > 1) random.shuffle(order);
    return order;
  },
});

/** Frequencies fall as 1 / rank^1.1 over 20,000 keys: the first has about an eighth of all requests. */
const ZIPF_KEYS = 20_000;
const zipfUntil = new Float64Array(ZIPF_KEYS);
for (let i = 0, sum = 0; i < ZIPF_KEYS; i += 1) zipfUntil[i] = sum += (i + 1) ** -1.1;
const zipf = (icc: number): Keys => ({
  name: `Zipf keys, ICC ${icc}`,
  icc,
  requests: (random, horizon) =>
    Int32Array.from({ length: horizon }, () => {
      const target = random.uniform() * (zipfUntil[ZIPF_KEYS - 1] ?? 0);
      let [low, high] = [0, ZIPF_KEYS - 1];
      while (low < high) {
        const middle = (low + high) >> 1;
        if ((zipfUntil[middle] ?? 0) < target) low = middle + 1;
        else high = middle;
      }
      return low;
    }),
});

interface Run {
  readonly keyRolledBack: boolean;
  readonly naiveRolledBack: boolean;
  readonly keyProven: boolean;
  readonly naiveProven: boolean;
}

function run(seed: number, keys: Keys, candidateRate: number): Run {
  const random = createRandom(seed);
  const order = keys.requests(random, HORIZON);
  const count = order.reduce((most, key) => Math.max(most, key), 0) + 1;
  const spread = keys.icc === 0 ? 0 : (1 - keys.icc) / keys.icc;
  const onCandidate = new Uint8Array(count);
  const rate = new Float64Array(count);
  for (let key = 0; key < count; key += 1) {
    onCandidate[key] = random.uniform() < SHARE ? 1 : 0;
    const mean = onCandidate[key] === 1 ? candidateRate : BASE;
    rate[key] = spread === 0 ? mean : random.beta(mean * spread, (1 - mean) * spread);
  }
  const seen = new Uint8Array(count);
  const turnedBad = new Uint8Array(count);
  const back = { key: rollback(), naive: rollback() };
  const forth = { key: promote()(), naive: promote()() };
  const done = { keyRolledBack: false, naiveRolledBack: false, keyProven: false, naiveProven: false };
  let at = 0;
  for (const look of geometricLooks(SHARE, HORIZON)) {
    const requests = [0, 0];
    const bad = [0, 0];
    const fresh = [0, 0];
    const firstBad = [0, 0];
    const newBad = [0, 0];
    const bump = (counts: number[], arm: number): void => void (counts[arm] = (counts[arm] ?? 0) + 1);
    for (; at < look; at += 1) {
      const key = order[at] ?? 0;
      const arm = onCandidate[key] === 1 ? 0 : 1;
      const isBad = random.uniform() < (rate[key] ?? 0);
      bump(requests, arm);
      if (seen[key] === 0) bump(fresh, arm);
      if (isBad) {
        bump(bad, arm);
        if (seen[key] === 0) bump(firstBad, arm);
        if (turnedBad[key] === 0) bump(newBad, arm);
        turnedBad[key] = 1;
      }
      seen[key] = 1;
    }
    const interval = (all: number[], part: number[]): Interval => ({
      share: SHARE,
      n: all[0] ?? 0,
      m: all[1] ?? 0,
      x: part[0] ?? 0,
      y: part[1] ?? 0,
    });
    const feed = (formula: Formula, i: Interval, enough: number): boolean => {
      formula.add(i);
      return formula.lnE() >= enough;
    };
    done.keyRolledBack = feed(back.key, interval(fresh, newBad), ROLLBACK_AT) || done.keyRolledBack;
    done.naiveRolledBack = feed(back.naive, interval(requests, bad), ROLLBACK_AT) || done.naiveRolledBack;
    done.keyProven = feed(forth.key, interval(fresh, firstBad), PROVEN_AT) || done.keyProven;
    done.naiveProven = feed(forth.naive, interval(requests, bad), PROVEN_AT) || done.naiveProven;
  }
  return done;
}

function rates(keys: Keys, candidateRate: number, runs: number, seed: number): Record<keyof Run, number> {
  const all = Array.from({ length: runs }, (_, i) => run(seed + i, keys, candidateRate));
  const share = (what: keyof Run): number => all.filter((r) => r[what]).length / runs;
  return {
    keyRolledBack: share('keyRolledBack'),
    naiveRolledBack: share('naiveRolledBack'),
    keyProven: share('keyProven'),
    naiveProven: share('naiveProven'),
  };
}

const RAMP_PLAN: CanaryPlan = {
  ...PLAN,
  guardrails: [guardrail('errors')],
  steps: [{ weight: 0.1, minKeys: 1, minSeconds: 0 }],
};

/**
 * Canaries of 8000 keys with about six requests each over 50,000 requests; the split grows from 10 to 25 and 50 % on the same
 * hash, so keys move over to the candidate with what they did before; the shared base rate trebles on the way.
 */
function ramps(seed: number, runs: number, worse: number): CanaryVerdict[] {
  return Array.from({ length: runs }, (_, i) => ramp(seed + i, worse));
}

function ramp(seed: number, worse: number): CanaryVerdict {
  const random = createRandom(seed);
  const keys = 8000;
  const hash = Float64Array.from({ length: keys }, () => random.uniform());
  const icc = 0.3;
  const draw = (mean: number): number =>
    random.beta((mean * (1 - icc)) / icc, ((1 - mean) * (1 - icc)) / icc);
  // At the null a key fares the same on both arms; else the candidate's rates are drawn afresh about the worse mean.
  const own = [0.01, 0.03].map((mean) => Float64Array.from({ length: keys }, () => draw(mean)));
  const worseOwn = [0.01, 0.03].map((mean) => Float64Array.from({ length: keys }, () => draw(mean * worse)));
  const seen = new Uint8Array(keys);
  const turned = new Uint8Array(keys);
  const generations = [0.1, 0.25, 0.5].map((share, i) => ({
    generation: i + 1,
    candidateShare: share,
    arms: [0, 1].map(() => ({ requests: 0, keys: 0, firstBad: 0, newBad: 0, bad: 0 })),
  }));
  let state = initialJudge(RAMP_PLAN);
  let at = 0;
  for (const look of geometricLooks(SHARE, 50_000)) {
    for (; at < look; at += 1) {
      const now = at < 10_000 ? 0 : at < 20_000 ? 1 : 2;
      const key = random.below(keys);
      const g = generations[now];
      const onCandidate = (hash[key] ?? 1) < (g?.candidateShare ?? 0);
      const rates = (onCandidate && worse !== 1 ? worseOwn : own)[now === 2 ? 1 : 0];
      const isBad = random.uniform() < (rates?.[key] ?? 0);
      const arm = g?.arms[onCandidate ? 0 : 1];
      if (arm === undefined) continue;
      arm.requests += 1;
      arm.keys += seen[key] === 0 ? 1 : 0;
      arm.bad += isBad ? 1 : 0;
      arm.firstBad += isBad && seen[key] === 0 ? 1 : 0;
      arm.newBad += isBad && turned[key] === 0 ? 1 : 0;
      seen[key] = 1;
      if (isBad) turned[key] = 1;
    }
    const tables = generations.map(({ generation, candidateShare, arms }) => {
      const [candidate, champion] = arms.map((a) => ({
        ...a,
        firstBad: { errors: a.firstBad },
        newBad: { errors: a.newBad },
        bad: { errors: a.bad },
      }));
      assert.ok(candidate !== undefined && champion !== undefined);
      return { generation, candidateShare, candidate, champion };
    });
    const next = judge(state, RAMP_PLAN, { generations: tables, sampleRate: 1 }, moment());
    state = next.state;
    assert.notEqual(next.look.state, 'inconsistent');
    if (next.look.verdict === 'roll-back' || next.look.verdict === 'promote') return next.look.verdict;
  }
  return 'continue';
}

describe('canary simulations: requests of one key are not independent', function () {
  this.timeout(scale(60_000, 1_800_000));
  const runs = scale(24, 2000);
  const scenarios = [
    repeated(1, 0),
    repeated(10, 0),
    repeated(10, 0.05),
    repeated(10, 0.3),
    repeated(50, 0),
    repeated(50, 0.05),
    repeated(50, 0.3),
    zipf(0.05),
    zipf(0.3),
  ];
  for (const keys of scenarios) {
    it(`${keys.name}: counting keys keeps both bounds`, function () {
      const equal = rates(keys, BASE, runs, 100_000);
      const worse = rates(keys, BASE * 1.5, runs, 200_000);
      if (scale(0, 1) === 1 && this.test !== undefined) {
        const percent = (value: number): string => `${(100 * value).toFixed(2)} %`;
        this.test.title +=
          ` (rolled back ${percent(equal.keyRolledBack)}, naive ${percent(equal.naiveRolledBack)};` +
          ` proven at the margin ${percent(worse.keyProven)}, naive ${percent(worse.naiveProven)})`;
      }
      assert.ok(equal.keyRolledBack <= atMost(0.0025, runs), `rolled back ${equal.keyRolledBack}`);
      assert.ok(worse.keyProven <= atMost(0.05, runs), `proven ${worse.keyProven}`);
    });
  }

  it('counting requests breaks both: 50 requests a key, ICC 0.3, and Zipf keys', () => {
    for (const keys of [repeated(50, 0.3), zipf(0.3)]) {
      const equal = rates(keys, BASE, runs, 300_000);
      const worse = rates(keys, BASE * 1.5, runs, 400_000);
      assert.ok(equal.naiveRolledBack > atMost(0.0025, runs), `${keys.name}: ${equal.naiveRolledBack}`);
      assert.ok(worse.naiveProven > atMost(0.05, runs), `${keys.name}: ${worse.naiveProven}`);
    }
  });

  it('the same keys over a ramp of the same hash, through the judge: both bounds hold', function () {
    const many = scale(40, 2000);
    const back = ramps(600_000, many, 1).filter((v) => v === 'roll-back').length / many;
    const forth = ramps(700_000, many, 1.5).filter((v) => v === 'promote').length / many;
    if (scale(0, 1) === 1 && this.test !== undefined)
      this.test.title += ` (rolled back ${back}, promoted ${forth})`;
    assert.ok(back <= atMost(0.01, many), `${back}`);
    assert.ok(forth <= atMost(0.05, many), `${forth}`);
  });

  it('counting keys still finds a worse candidate', () => {
    const { keyRolledBack } = rates(repeated(10, 0.05), 0.05, scale(30, 500), 500_000);
    assert.ok(keyRolledBack >= 0.95, `${keyRolledBack}`);
  });
});
