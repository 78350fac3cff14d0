/**
 * What a version's inputs and scores looked like when it was validated, and how the traffic of a window falls into the same bins.
 * All of it is plain JSON.
 */
import type { BinnedCalibration } from '../estimation/binned.js';
import type { BinaryEstimator } from '../estimation/cbpe.js';

export type {
  CategoricalCounts,
  FeatureCounts,
  NameCounts,
  ScoreCounts,
  WindowCounts,
} from '../../contracts/window-counts.js';

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
  /** Of persons: the profile singles nobody out, and windows keep no value by name (personal.ts). */
  readonly personal?: true;
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
