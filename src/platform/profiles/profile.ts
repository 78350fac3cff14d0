import { createHash } from 'node:crypto';
import canonicalize from 'canonicalize';
import type { Datatype } from '../../contracts/manifest.js';
import type { ReferenceProfile } from '../../statistics/profile/types.js';

/** Where the values of a feature come from, in the tensors of a request and its answer. */
export type FeatureSource =
  | {
      readonly from: 'input';
      readonly name: string;
      readonly datatype: Datatype;
      /** Which of `width` values a row. */
      readonly element: number;
      readonly width: number;
    }
  /** A predicted value. */
  | { readonly from: 'output'; readonly name: string; readonly as: 'value' }
  /** The class with the highest probability, by name. */
  | {
      readonly from: 'output';
      readonly name: string;
      readonly as: 'class';
      readonly classes: readonly (string | number)[];
    };

/** What the data and a version's own scores looked like when it was validated. Plain JSON, never changed. */
export interface VersionProfile {
  readonly format: 1;
  readonly model: string;
  /** Digest of the version's artifact. */
  readonly artifact: string;
  /** Digest of the data set. */
  readonly data: string;
  /** As long as, and in the order of, the profile's features. */
  readonly sources: readonly FeatureSource[];
  /** Output that holds the score; null when the profile has none. */
  readonly score: string | null;
  /** What is not in it, and why. */
  readonly lacks: readonly string[];
  readonly profile: ReferenceProfile;
}

/** SHA-256 of the canonical JSON (RFC 8785): 64 hex digits. @throws Error for what JSON does not have */
export function profileDigest(profile: VersionProfile): string {
  const canonical = canonicalize(profile);
  if (canonical === undefined) throw new Error('The profile cannot be written as canonical JSON');
  return createHash('sha256').update(canonical, 'utf8').digest('hex');
}
