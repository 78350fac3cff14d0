/** Wasserstein-1 (earth mover's) distance: the area between two distribution functions, in the feature's unit. */
import {
  ascendingProblems,
  pairProblems,
  refuse,
  sampleProblems,
  SIDES,
  total,
  type Pair,
} from './checks.js';
import { tied } from './ties.js';

/** @throws RangeError when a sample is empty or has a value that is not finite */
export function wassersteinFromSamples(samples: Pair<ArrayLike<number>>): number {
  refuse(
    'Samples',
    SIDES.flatMap((side) => sampleProblems(side, samples[side])),
  );
  const { values, reference, window } = tied(samples);
  let below = 0;
  let windowBelow = 0;
  let area = 0;
  for (let i = 0; i + 1 < values.length; i += 1) {
    below += reference[i] ?? 0;
    windowBelow += window[i] ?? 0;
    const gap = Math.abs(below / samples.reference.length - windowBelow / samples.window.length);
    area += gap * ((values[i + 1] ?? 0) - (values[i] ?? 0));
  }
  return area;
}

/** What counts say of the distance of the rows: it lies from `least` to `most`; `estimate` takes rows as even within a bin. */
export interface BinnedWasserstein {
  readonly least: number;
  readonly estimate: number;
  readonly most: number;
}

/**
 * @param borders of the bins, one more than bins, the outer ones finite: no value of either side lies beyond them
 * @throws RangeError when counts and borders do not fit each other
 */
export function wassersteinFromCounts(
  counts: Pair<readonly number[]>,
  borders: readonly number[],
): BinnedWasserstein {
  const problems = [...pairProblems(counts), ...ascendingProblems('borders', borders)];
  if (problems.length === 0 && borders.length !== counts.reference.length + 1) {
    problems.push(
      `borders has ${borders.length} values for ${counts.reference.length} bins: one more than bins is needed`,
    );
  }
  refuse('Counts', problems);
  const n = total(counts.reference);
  const m = total(counts.window);
  let first = 0;
  let second = 0;
  let least = 0;
  let estimate = 0;
  let most = 0;
  counts.reference.forEach((count, bin) => {
    const width = (borders[bin + 1] ?? 0) - (borders[bin] ?? 0);
    const firstEnd = first + count / n;
    const secondEnd = second + (counts.window[bin] ?? 0) / m;
    const left = first - second;
    const right = firstEnd - secondEnd;
    // Within the bin each function rises somewhere from its left to its right end.
    least += width * Math.max(0, first - secondEnd, second - firstEnd);
    most += width * Math.max(firstEnd - second, secondEnd - first);
    estimate += width * meanAbsolute(left, right);
    first = firstEnd;
    second = secondEnd;
  });
  return { least, estimate, most };
}

/** Mean of |x| as x goes straight from `left` to `right`. */
function meanAbsolute(left: number, right: number): number {
  if (left * right >= 0) return Math.abs(left + right) / 2;
  return (left * left + right * right) / (2 * Math.abs(left - right));
}
