/** What is counted of a feature that no bin takes, on both sides. */
import type { CategoricalCounts, NumericCounts, WindowCounts } from '../../contracts/window-counts.js';
import type { CategoricalProfile, FeatureProfile, NumericProfile } from '../profile/types.js';
import { total } from '../drift/checks.js';
import type { Share } from './exact.js';
import { SCORE } from './pairs.js';
import type { MonitoredProfile } from './types.js';
import { figure } from './words.js';

export interface QualityCheck {
  readonly feature: string;
  /** In words, e.g. `unseen value 99`. */
  readonly what: string;
  readonly window: Share;
  readonly reference: Share;
}

/** Missing more, missing less, wrong type, below and above the range (or unseen): no feature has more. */
export const CHECKS_OF_A_FEATURE = 5;
/** A value's own name in a sentence. */
const VALUE_MOST = 40;

/** All of them, of every feature that is not ignored; predictions too. */
export function qualityChecks(
  { profile }: MonitoredProfile,
  counts: WindowCounts,
  ignore: readonly string[],
): readonly QualityCheck[] {
  const checks = profile.features.flatMap((feature, i) => {
    const counted = counts.features[i];
    if (counted === undefined || ignore.includes(feature.name)) return [];
    const common = commonChecks(feature, profile.rows, counted, counts.rows);
    if (feature.kind === 'numeric' && counted.kind === 'numeric')
      return [...common, ...rangeChecks(feature, counted)];
    if (feature.kind === 'categorical' && counted.kind === 'categorical')
      return [...common, unseenCheck(feature, counted)];
    return common;
  });
  if (profile.score === null || counts.score === null) return checks;
  const scored = { hits: counts.score.invalid, rows: counts.rows };
  const known = { hits: 0, rows: total(profile.score.counts) };
  return [...checks, { feature: SCORE, what: 'scores that are none', window: scored, reference: known }];
}

function commonChecks(
  { name: feature, missing, wrongType }: FeatureProfile,
  rows: number,
  counted: NumericCounts | CategoricalCounts,
  windowRows: number,
): QualityCheck[] {
  const side = (inWindow: number, inReference: number): Pick<QualityCheck, 'window' | 'reference'> => ({
    window: { hits: inWindow, rows: windowRows },
    reference: { hits: inReference, rows },
  });
  return [
    { feature, what: 'missing', ...side(counted.missing, missing) },
    { feature, what: 'no longer missing', ...side(windowRows - counted.missing, rows - missing) },
    { feature, what: 'wrong type', ...side(counted.wrongType, wrongType) },
  ];
}

/**
 * The reference's own smallest and largest row would be outside of the range of the others, so that one row counts there: where the
 * ends come from the rows, k new rows beyond an end are as likely as the k largest of all rows being new ones.
 */
function rangeChecks(
  { name: feature, range, counts: known }: NumericProfile,
  counted: NumericCounts,
): QualityCheck[] {
  const reference = { hits: 1, rows: total(known) };
  const rows = total(counted.counts) + counted.below + counted.above;
  if (reference.rows === 0) {
    const window = { hits: rows, rows };
    return [
      { feature, what: 'values, where the reference has none', window, reference: { hits: 0, rows: 1 } },
    ];
  }
  const ends = [
    { side: 'below', end: range?.least ?? 0, hits: counted.below },
    { side: 'above', end: range?.most ?? 0, hits: counted.above },
  ];
  // Where nothing was counted there is nothing to ask, and nothing to put into words.
  return ends.flatMap(({ side, end, hits }) =>
    hits === 0 ? [] : [{ feature, what: `${side} ${figure(end)}`, window: { hits, rows }, reference }],
  );
}

/** A value that the reference has once would be unseen to the rest of it: so many of its rows count there. */
function unseenCheck(
  { name: feature, counts: known, other }: CategoricalProfile,
  counted: CategoricalCounts,
): QualityCheck {
  const { names, rest } = counted.unlisted;
  const unlisted = total(names.map(([, rows]) => rows)) + rest;
  const once = known.filter((count) => count === 1).length;
  const [most] = [...names].sort(([, a], [, b]) => b - a);
  const isRare = other.values > 0;
  const named = most === undefined ? 's' : ` ${most[0].slice(0, VALUE_MOST)}`;
  return {
    feature,
    what: `${isRare ? 'unlisted' : 'unseen'} value${named}${names.length > 1 ? ` and ${names.length - 1} more` : ''}`,
    window: { hits: unlisted, rows: total(counted.counts) + unlisted },
    reference: { hits: other.rows + Math.max(1, once), rows: total(known) + other.rows },
  };
}
