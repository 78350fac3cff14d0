import { createHash } from 'node:crypto';
import type { Db } from 'mongodb';
import type { VersionRef } from '../../src/contracts/model.js';
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

/** Stores a profile as that of a version. @returns its digest */
export async function putProfile(
  db: Db,
  model: string,
  { digest }: VersionRef,
  profile: ReferenceProfile,
): Promise<string> {
  const content = { profile };
  const _id = createHash('sha256')
    .update(JSON.stringify([model, digest, content]))
    .digest('hex');
  await db
    .collection<{ _id: string }>('profiles')
    .insertOne({ _id, model, artifact: digest, madeAt: new Date(), content } as { _id: string });
  return _id;
}
