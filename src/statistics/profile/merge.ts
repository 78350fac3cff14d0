/** Windows of one profile, added. Counts are whole numbers, so any order and any grouping give the same window. */
import { item } from '../metrics/scored.js';
import { Names } from './names.js';
import type { FeatureCounts, NameCounts, ScoreCounts, WindowCounts } from './types.js';

/**
 * @throws RangeError for windows of different profiles, or of one name and different bins
 */
export function mergeWindows(first: WindowCounts, second: WindowCounts): WindowCounts {
  if (first.profile !== second.profile)
    throw new RangeError(
      `A window of profile ${second.profile} cannot be added to one of profile ${first.profile}: their bins differ`,
    );
  if (first.features.length !== second.features.length || (first.score === null) !== (second.score === null))
    throw unequal(first, 'features or scores');
  return {
    profile: first.profile,
    rows: first.rows + second.rows,
    features: first.features.map((feature, i) => {
      const sum = mergeFeature(feature, second.features[i]);
      if (sum === null) throw unequal(first, `bins of feature ${i}`);
      return sum;
    }),
    score: mergeScore(first, second),
  };
}

function mergeFeature(a: FeatureCounts, b: FeatureCounts | undefined): FeatureCounts | null {
  if (b === undefined) return null;
  const counts = sums(a.counts, b.counts);
  const missing = a.missing + b.missing;
  const wrongType = a.wrongType + b.wrongType;
  if (counts === null) return null;
  if (a.kind === 'numeric' && b.kind === 'numeric') {
    const [below, above] = [a.below + b.below, a.above + b.above];
    return { kind: 'numeric', counts, below, above, missing, wrongType };
  }
  if (a.kind === 'categorical' && b.kind === 'categorical')
    return { kind: 'categorical', counts, unlisted: mergeNames(a.unlisted, b.unlisted), missing, wrongType };
  return null;
}

function mergeNames(a: NameCounts, b: NameCounts): NameCounts {
  const names = new Names();
  names.addAll(a);
  names.addAll(b);
  return names.counts();
}

function mergeScore(first: WindowCounts, second: WindowCounts): ScoreCounts | null {
  const [a, b] = [first.score, second.score];
  if (a === null || b === null) return null;
  const counts = sums(a.counts, b.counts);
  const positives = sums(a.positives, b.positives);
  const negatives = sums(a.negatives, b.negatives);
  if (counts === null || positives === null || negatives === null) throw unequal(first, 'bins of the score');
  return { counts, positives, negatives, invalid: a.invalid + b.invalid };
}

/** Null for lists of different length. */
function sums(a: readonly number[], b: readonly number[]): number[] | null {
  return a.length === b.length ? a.map((count, i) => count + item(b, i)) : null;
}

const unequal = (window: WindowCounts, what: string): RangeError =>
  new RangeError(`Two windows of profile ${window.profile} differ in their ${what}: one of them is damaged`);
