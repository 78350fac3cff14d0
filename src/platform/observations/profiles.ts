import type { Collection, Db } from 'mongodb';
import type { ReferenceProfile } from '../../statistics/profile/types.js';

/** A version's reference profile, as far as labels and rows from elsewhere are counted in its bins. */
export interface CountingProfile {
  readonly digest: string;
  readonly content: { readonly profile: ReferenceProfile };
}

export interface ProfileSource {
  /** The newest profile of a version, by the digest of its artifact. */
  newest(model: string, artifact: string): Promise<CountingProfile | null>;
}

interface ProfileDocument {
  readonly _id: string;
  readonly model: string;
  readonly artifact: string;
  readonly madeAt: Date;
  readonly content: CountingProfile['content'];
}

export class MongoProfiles implements ProfileSource {
  readonly #profiles: Collection<ProfileDocument>;

  constructor(db: Db) {
    this.#profiles = db.collection('profiles');
  }

  async newest(model: string, artifact: string): Promise<CountingProfile | null> {
    const found = await this.#profiles.findOne({ model, artifact }, { sort: { madeAt: -1 } });
    return found === null ? null : { digest: found._id, content: found.content };
  }
}
