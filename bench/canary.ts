/** How soon a bad candidate is rolled back, and how seldom a good one is: simulated with fixed seeds, so the figures are the same on every machine. */
import type { Bench, BenchContext } from './bench.js';
import { CRITICAL, MINUTES, passesKayenta, plannedSize, plannedTest, POINTS } from './canary/fixed.js';
import { type Estimate, inKeys, inPercent, quantileOf, shareOf } from './canary/monte-carlo.js';
import { BASE, inBursts, type Population, steady } from './canary/population.js';
import { HORIZON, watch, type Watched } from './canary/sequential.js';
import { type Figure, figure } from './figure.js';

const RUNS = 2_000;
const SHARES = [0.1, 0.5] as const;
const HARMS = [0.02, 0.03, 0.05] as const;
const [BASE_RATE = 0] = BASE;

const named = (share: number, rate?: number): string =>
  rate === undefined ? String(100 * share) : `${100 * share}-${Math.round(100 * rate)}`;

/** Runs of a scenario; each has a seed of its own, made of the scenario's name (FNV-1a). */
async function simulate<T>(
  scenario: string,
  context: BenchContext,
  run: (seed: number) => T,
): Promise<readonly T[]> {
  let first = 0x811c9dc5;
  for (const letter of Buffer.from(scenario)) first = Math.imul(first ^ letter, 0x01000193);
  const results: T[] = [];
  for (let i = 0; i < (context.runs ?? RUNS); i += 1) {
    results.push(run(first + i));
    // So that Ctrl-C is heard.
    if (i % 50 === 0) await new Promise(setImmediate);
  }
  return results;
}

const rolledBack = (times: readonly number[], by: number): Estimate =>
  shareOf(times.filter((at) => at <= by).length, times.length);

/** The same canaries for every figure that asks for them. */
const watched = new Map<string, Promise<readonly Watched[]>>();
function canaries(context: BenchContext, share: number, rate: number): Promise<readonly Watched[]> {
  const key = named(share, rate);
  const known = watched.get(key);
  if (known !== undefined) return known;
  const found = simulate(key, context, (seed) => watch(seed, steady(share, rate), CRITICAL));
  watched.set(key, found);
  return found;
}

/** Requests until a roll-back, beside a test that was told the effect beforehand and looks once. */
const rollback = (share: number): Bench => ({
  name: `canary-rollback-${named(share)}`,
  what: `keys to roll back for 1 % -> 2, 3, 5 % bad at ${100 * share} % weight, beside a fixed-sample test that knows the effect`,
  figures: HARMS.flatMap((rate) =>
    ['median', 'p95'].map((which) => `canary-rollback-${named(share, rate)}-${which}`),
  ),
  run: async (context) => {
    const figures: Figure[] = [];
    for (const rate of HARMS) {
      const times = (await canaries(context, share, rate)).map(({ ours }) => ours);
      const theirs = plannedSize(share, rate);
      const found = rolledBack(times, HORIZON);
      for (const [which, q, bound] of [
        ['median', 0.5, 0.75],
        ['p95', 0.95, 1.75],
      ] as const) {
        const keys = quantileOf(times, q);
        const name = `canary-rollback-${named(share, rate)}-${which}`;
        const note = `${inKeys(keys)} by ${times.length} runs (95 % limits; looks are a tenth apart); rolled back by ${HORIZON.toLocaleString('en')} keys: ${inPercent(found)}`;
        const aim = { of: 'ratio', at: 'most', bound } as const;
        figures.push(figure({ name, unit: 'keys', ours: keys.value, theirs, aim, note }));
      }
    }
    return figures;
  },
});

/** A healthy candidate, four guardrails: how often each of them rolls it back, at the same looks. */
const falseAlarms = (share: number): Bench => ({
  name: `canary-false-${named(share)}`,
  what: `healthy candidates rolled back within 100,000 keys at ${100 * share} % weight, beside a z-test of the same error repeated at the same looks`,
  figures: [`canary-false-${named(share)}`],
  run: async (context) => {
    const all = await canaries(context, share, BASE_RATE);
    const ours = rolledBack(
      all.map((run) => run.ours),
      HORIZON,
    );
    const naive = rolledBack(
      all.map((run) => run.naive),
      HORIZON,
    );
    const size = plannedSize(share, HARMS[0]);
    const once = await simulate(`planned ${named(share)}`, context, (seed) =>
      plannedTest(seed, steady(share, BASE_RATE), size),
    );
    const planned = shareOf(once.filter(Boolean).length, once.length);
    const harmed = await canaries(context, share, HARMS[0]);
    const soon = quantileOf(
      harmed.map((run) => run.naive),
      0.5,
    );
    return [
      figure({
        name: `canary-false-${named(share)}`,
        unit: '% of canaries',
        ours: 100 * ours.value,
        theirs: 100 * naive.value,
        aim: { of: 'ours', at: 'most', bound: 1 },
        note: `ours ${inPercent(ours)}, the repeated z-test ${inPercent(naive)}, the z-test looked at once ${inPercent(planned)} (95 % limits, ${all.length} runs); each was set to 1 % over four guardrails. The repeated one rolls back 1 % -> 2 % after ${inKeys(soon)} (median)`,
      }),
    ];
  },
});

interface Beside {
  readonly ours: Estimate;
  readonly theirs: Estimate;
  /** Values a metric at which Kayenta's judge did best. */
  readonly points: number;
}

/**
 * Shares of wrong verdicts after the requests that the fixed-sample test would ask for. Kayenta's judge gets them as values by time
 * step, in the number of steps that suits it best.
 * @param wrong whether to pass is wrong
 */
async function besideKayenta(
  context: BenchContext,
  scenario: string,
  population: Population,
  size: number,
  wrong: 'pass' | 'fail',
): Promise<Beside> {
  const count = (passed: readonly boolean[]): Estimate =>
    shareOf(passed.filter((pass) => pass === (wrong === 'pass')).length, passed.length);
  const ours = await simulate(
    scenario,
    context,
    (seed) => watch(seed, population, CRITICAL, size).ours > size,
  );
  let best: Omit<Beside, 'ours'> | null = null;
  for (const points of POINTS) {
    const theirs = count(
      await simulate(scenario, context, (seed) => passesKayenta(seed, population, size, points)),
    );
    if (best === null || theirs.value < best.theirs.value) best = { theirs, points };
  }
  if (best === null) throw new Error('POINTS is empty: one number of time steps is needed at least');
  return { ours: count(ours), ...best };
}

const kayenta = (share: number): Bench => {
  const misses = HARMS.map((rate) => ({
    name: `canary-kayenta-misses-${named(share, rate)}`,
    population: steady(share, rate),
    size: plannedSize(share, rate),
    wrong: 'pass' as const,
  }));
  const minute = Math.ceil(plannedSize(share, 0.03) / MINUTES);
  const bursts = {
    name: `canary-kayenta-misses-${named(share)}-bursts`,
    population: inBursts(share, 0.03, minute),
    size: MINUTES * minute,
    wrong: 'pass' as const,
  };
  const healthy = {
    name: `canary-kayenta-false-${named(share)}`,
    population: steady(share, BASE_RATE),
    size: plannedSize(share, HARMS[0]),
    wrong: 'fail' as const,
  };
  const scenarios = [...misses, bursts, healthy];
  return {
    name: `canary-kayenta-${named(share)}`,
    what: `bad candidates missed, and healthy ones failed, at ${100 * share} % weight, beside Kayenta's judge on the same number of requests`,
    figures: scenarios.map(({ name }) => name),
    run: async (context) => {
      const figures: Figure[] = [];
      for (const { name, population, size, wrong } of scenarios) {
        const { ours, theirs, points } = await besideKayenta(context, name, population, size, wrong);
        const what = wrong === 'pass' ? 'missed' : 'failed';
        const note = `after ${size.toLocaleString('en')} requests: ours ${what} ${inPercent(ours)}, Kayenta's judge ${inPercent(theirs)} (95 % limits) with ${points} values a metric, the kindest of ${POINTS.join(', ')}`;
        figures.push(
          figure({ name, unit: `% ${what}`, ours: 100 * ours.value, theirs: 100 * theirs.value, note }),
        );
      }
      return figures;
    },
  };
};

export const benches: readonly Bench[] = [
  ...SHARES.map(rollback),
  ...SHARES.map(falseAlarms),
  ...SHARES.map(kayenta),
];
