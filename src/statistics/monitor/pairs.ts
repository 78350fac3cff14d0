/** Both sides of each feature, as the tests take them. */
import type { FeatureCounts } from '../drift/judge-feature.js';
import type {
  FeatureCounts as Counted,
  FeatureProfile,
  ScoreProfile,
  WindowCounts,
} from '../profile/types.js';
import type { MonitoredProfile } from './types.js';

/** The score among the predictions. */
export const SCORE = 'score';
/** Values that the profile does not list. */
export const OTHERS = '\0others';

export interface FeaturePair {
  readonly name: string;
  readonly counts: FeatureCounts;
}

/** Inputs that are tested. Missing values and wrong types are not in here: they are a matter of quality. */
export function inputPairs(
  { profile, predictions }: MonitoredProfile,
  window: WindowCounts,
  ignore: readonly string[],
): readonly FeaturePair[] {
  return profile.features.flatMap((feature, i) => {
    const counted = window.features[i];
    if (counted === undefined || predictions.includes(feature.name) || ignore.includes(feature.name))
      return [];
    return [pairOf(feature, counted)];
  });
}

export function predictionPairs(
  { profile, predictions }: MonitoredProfile,
  window: WindowCounts,
): readonly FeaturePair[] {
  const features = profile.features.flatMap((feature, i) => {
    const counted = window.features[i];
    return counted !== undefined && predictions.includes(feature.name) ? [pairOf(feature, counted)] : [];
  });
  const score = scorePair(profile.score, window);
  return score === null ? features : [...features, score];
}

function scorePair(score: ScoreProfile | null, window: WindowCounts): FeaturePair | null {
  if (score === null || window.score === null) return null;
  const counts = { kind: 'numeric', reference: score.counts, window: window.score.counts } as const;
  return { name: SCORE, counts };
}

function pairOf(feature: FeatureProfile, counted: Counted): FeaturePair {
  const { name } = feature;
  if (feature.kind === 'numeric' && counted.kind === 'numeric') {
    const reference = [0, ...feature.counts, 0];
    const window = [counted.below, ...counted.counts, counted.above];
    return { name, counts: { kind: 'numeric', reference, window } };
  }
  if (feature.kind === 'categorical' && counted.kind === 'categorical') {
    const named = (counts: readonly number[], others: number): Record<string, number> => ({
      ...Object.fromEntries(feature.values.map((value, i) => [value, counts[i] ?? 0])),
      [OTHERS]: others,
    });
    const unlisted = counted.unlisted.names.reduce((sum, [, rows]) => sum + rows, counted.unlisted.rest);
    const reference = named(feature.counts, feature.other.rows);
    return {
      name,
      counts: { kind: 'categorical', reference, window: named(counted.counts, unlisted) },
    };
  }
  throw new RangeError(`Feature ${name} is counted as ${counted.kind}: the profile says ${feature.kind}`);
}
