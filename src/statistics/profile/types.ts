/**
 * What a version's inputs and scores looked like when it was validated, and how the traffic of a window falls into the same bins.
 * All of it is plain JSON.
 */
import type { BinnedCalibration } from '../estimation/binned.js';
import type { BinaryEstimator } from '../estimation/cbpe.js';

export interface ReferenceProfile {
  /** Of this shape. */
  readonly format: 1;
  readonly rows: number;
  /** In the order in which rows are given to a window; names differ. */
  readonly features: readonly FeatureProfile[];
  /** Of binary models. Other models' predictions can be a feature of their own, under a name of the caller's. */
  readonly score: ScoreProfile | null;
}

export type FeatureProfile = NumericProfile | CategoricalProfile;

interface Feature {
  readonly name: string;
  /** Rows without a value: null, undefined, NaN. */
  readonly missing: number;
  /** Rows with a value of another type. */
  readonly wrongType: number;
}

/** The rows of a numeric feature: `counts`, `missing` and `wrongType` together. */
export interface NumericProfile extends Feature {
  readonly kind: 'numeric';
  /** Rising. Bin i holds cuts[i - 1] <= value < cuts[i]; the first begins at `least`, the last ends with `most`. */
  readonly cuts: readonly number[];
  /** One more than cuts. */
  readonly counts: readonly number[];
  /** Range of the values; null where there is none. */
  readonly range: { readonly least: number; readonly most: number } | null;
  readonly moments: Moments | null;
}

/** Of all values: the deviation over their number; skewness and excess kurtosis are null for a constant. */
export interface Moments {
  readonly mean: number;
  readonly deviation: number;
  readonly skewness: number | null;
  readonly kurtosis: number | null;
}

/** Types whose values are told apart by their text. */
export type CategoryType = 'string' | 'number' | 'boolean';

/** The rows of a categorical feature: `counts`, `other.rows`, `missing` and `wrongType` together. */
export interface CategoricalProfile extends Feature {
  readonly kind: 'categorical';
  readonly of: CategoryType;
  /** Texts of the most frequent values, the most frequent first. */
  readonly values: readonly string[];
  readonly counts: readonly number[];
  /** The values that are not listed: their rows, and how many there are. */
  readonly other: { readonly rows: number; readonly values: number };
}

/** The rows with a label. */
export interface ScoreProfile {
  /** One more than `calibration.cuts`: rows, and their labels. */
  readonly counts: readonly number[];
  readonly positives: readonly number[];
  readonly negatives: readonly number[];
  readonly calibration: BinnedCalibration;
  /** What estimates from rows need; the metrics of each chunk are in it. */
  readonly estimator: BinaryEstimator;
}

/** How many rows fell where. Of bounded size, whatever the traffic. */
export interface WindowCounts {
  /** Digest of the profile whose bins these are. */
  readonly profile: string;
  readonly rows: number;
  /** In the profile's order. */
  readonly features: readonly FeatureCounts[];
  /** Null when the profile has no score. */
  readonly score: ScoreCounts | null;
}

export type FeatureCounts = NumericCounts | CategoricalCounts;

/** Each row is in one place. */
export interface NumericCounts {
  readonly kind: 'numeric';
  readonly counts: readonly number[];
  /** Outside of the reference's range; infinities too. */
  readonly below: number;
  readonly above: number;
  readonly missing: number;
  readonly wrongType: number;
}

/** Each row is in one place. */
export interface CategoricalCounts {
  readonly kind: 'categorical';
  /** Of the profile's values. */
  readonly counts: readonly number[];
  readonly unlisted: NameCounts;
  readonly missing: number;
  readonly wrongType: number;
}

/**
 * Values that the profile does not list. With `other.values` 0 in the profile, the reference never had them; else they may be among
 * its rare ones.
 */
export interface NameCounts {
  /** Name and rows, by name. Up to a bound these are all names; beyond it a choice of them, and each that is here has all of its rows. */
  readonly names: readonly (readonly [name: string, rows: number])[];
  /** Rows of the names that are not here. */
  readonly rest: number;
}

export interface ScoreCounts {
  readonly counts: readonly number[];
  /** Labels that came, by the bin of their row's score; they may come into another window than the score. */
  readonly positives: readonly number[];
  readonly negatives: readonly number[];
  /** Rows whose score was missing, no number, or outside of 0..1. */
  readonly invalid: number;
}
