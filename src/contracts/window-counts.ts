/** How many rows fell where. Of bounded size, whatever the traffic. Plain JSON. */
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
