import type { Db } from 'mongodb';
import type { VersionRef } from '../../src/contracts/model.js';
import { ProfileStore, type VersionProfile } from '../../src/platform/profiles/index.js';
import { categoricalProfile, numericProfile, scoreProfile } from '../../src/statistics/profile/build.js';
import type { ReferenceProfile } from '../../src/statistics/profile/types.js';
import { createRandom } from './random.js';

/** A profile of numeric features, and one of a category where it is named, with scores and labels that fit each other. */
export function smallProfile(numeric: readonly string[], category: string | null = null): ReferenceProfile {
  const drawn = createRandom(5);
  const random = (): number => drawn.uniform();
  const rows = 2_000;
  const scores = Array.from({ length: rows }, () => Math.fround(random()));
  const labels = scores.map((score) => (random() < score ? 1 : 0));
  const features = numeric.map((name) =>
    numericProfile(
      name,
      Array.from({ length: rows }, () => 4 * random() - 2),
    ),
  );
  const categories =
    category === null
      ? []
      : [
          categoricalProfile(
            category,
            Array.from({ length: rows }, () => (random() < 0.3 ? 'a' : 'b')),
            'string',
          ),
        ];
  return {
    format: 1,
    rows,
    features: [...features, ...categories],
    score: scoreProfile(scores, labels, 0.5, 500),
  };
}

export const versionProfile = (
  model: string,
  artifact: string,
  profile: ReferenceProfile,
): VersionProfile => ({
  format: 1,
  model,
  artifact,
  data: 'd'.repeat(64),
  sources: profile.features.map(({ name, kind }) => ({
    from: 'input',
    name,
    datatype: kind === 'numeric' ? 'FP64' : 'BYTES',
    element: 0,
    width: 1,
  })),
  score: 'score',
  lacks: [],
  profile,
});

/** Stores a profile as that of a version. @returns its digest */
export const putProfile = (
  db: Db,
  model: string,
  { digest }: VersionRef,
  profile: ReferenceProfile,
): Promise<string> => new ProfileStore(db).put(versionProfile(model, digest, profile));
