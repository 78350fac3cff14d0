/** Since when: the onset of a shift among window scores that are standard normal before it. */
import { refuse, sampleProblems, shareProblems } from './checks.js';
import { chiSquareUpperQuantile } from './gamma.js';

export interface Onset {
  /** Index of the first score after the onset. */
  readonly index: number;
  /** The onset may lie anywhere from `earliest` to `latest`. */
  readonly earliest: number;
  readonly latest: number;
  /** Mean of the scores since `index`. */
  readonly shift: number;
}

/**
 * The likeliest index from which the scores have another mean, kept to the end: the one with the largest S²/(2 k), S the sum of the k
 * scores since then. Its range holds all indices whose log likelihood ratio is within half a chi-square quantile of it, two degrees
 * of freedom (onset and size): how often it holds the truth was simulated (docs/monitoring-statistics.md).
 * @throws RangeError when a score is not finite
 */
export function estimateOnset(scores: readonly number[], confidence = 0.95): Onset {
  refuse('Onset', [...sampleProblems('scores', scores), ...shareProblems('confidence', confidence)]);
  const gains = scores.map(() => 0);
  let sum = 0;
  let index = scores.length - 1;
  let shift = 0;
  for (let i = scores.length - 1; i >= 0; i -= 1) {
    sum += scores[i] ?? 0;
    const since = scores.length - i;
    gains[i] = (sum * sum) / (2 * since);
    if ((gains[i] ?? 0) < (gains[index] ?? 0)) continue;
    index = i;
    shift = sum / since;
  }
  const bound = (gains[index] ?? 0) - chiSquareUpperQuantile(1 - confidence, 2) / 2;
  const likely = gains.map((gain, i) => (gain >= bound ? i : -1)).filter((i) => i >= 0);
  return { index, earliest: likely[0] ?? index, latest: likely.at(-1) ?? index, shift };
}
