/** What the models of the fleet are fed with: nothing drifts. */
import { type Random } from '../../test/support/random.js';

export const FEATURES = 16;

export const featureNames: readonly string[] = Array.from({ length: FEATURES }, (_, i) => `x${i}`);

export interface Row {
  readonly values: readonly number[];
  readonly score: number;
}

/** Each feature normal, the score a logistic function of their sum. */
export function drawRow(random: Random): Row {
  const values = featureNames.map(() => Math.round(random.normal() * 1_000) / 1_000);
  const sum = values.reduce((total, value) => total + value, 0);
  return { values, score: 1 / (1 + Math.exp(-sum / 4)) };
}
