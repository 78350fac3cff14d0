/** What others do with the same requests: a test of a planned size, and Kayenta's judge on values a time step. */
import { normalQuantile } from '../../src/statistics/metrics/distributions.js';
import { createRandom } from '../../test/support/random.js';
import { METRIC_DEFAULTS } from '../peers/kayenta/classify.js';
import { judgeLikeKayenta, type JudgeConfig, type Series } from '../peers/kayenta/judge.js';
import { fixedSampleSize } from '../peers/two-proportions.js';
import { BASE, Draw, type Population, type Tally } from './population.js';
import { ALPHA, GUARDRAILS, worstZ } from './sequential.js';

/** One-sided z at which one of the guardrails rolls back, so that all together keep the same bound as Tenure does. */
export const CRITICAL = normalQuantile(1 - ALPHA / GUARDRAILS.length);
export const POWER = 0.95;

/** Requests of both arms of a test that knows the effect beforehand. */
export const plannedSize = (share: number, candidate: number): number =>
  fixedSampleSize({
    champion: BASE[0] ?? 0,
    candidate,
    share,
    alpha: ALPHA / GUARDRAILS.length,
    power: POWER,
  });

/** Whether a test that looks once, after so many requests, rolls back. */
export function plannedTest(seed: number, population: Population, size: number): boolean {
  const { candidate, champion } = new Draw(seed, population).to(size);
  return worstZ(candidate, champion) >= CRITICAL;
}

/** Time steps of an hour, a value each: the more there are, the fewer requests are in one. */
export const POINTS = [5, 10, 20, 60] as const;
export const MINUTES = 60;

/** With the thresholds that Kayenta's own examples have. */
const CONFIG: JudgeConfig = {
  metrics: GUARDRAILS.map((name) => ({ ...METRIC_DEFAULTS, name, group: 'errors', direction: 'increase' })),
  weights: {},
  pass: 95,
  marginal: 75,
};

/** Whether Kayenta's judge passes a canary after so many requests, spread evenly over the time steps. */
export function passesKayenta(seed: number, population: Population, size: number, steps: number): boolean {
  const draw = new Draw(seed, population);
  const points = Array.from({ length: steps }, (_, i) => draw.to(Math.round((size * (i + 1)) / steps)));
  // A share of no requests is no number.
  const value = ({ bad, requests }: Tally, guardrail: number): number => (bad[guardrail] ?? 0) / requests;
  const series: Record<string, Series> = Object.fromEntries(
    GUARDRAILS.map((name, i) => [
      name,
      {
        canary: points.map(({ candidate }) => value(candidate, i)),
        baseline: points.map(({ champion }) => value(champion, i)),
      },
    ]),
  );
  const noise = createRandom(seed);
  return judgeLikeKayenta(series, CONFIG, () => noise.normal()).verdict === 'Pass';
}
