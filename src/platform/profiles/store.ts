import type { Collection, Db } from 'mongodb';
import { effect } from '../../fail-points/index.js';
import { checkProfile } from '../../statistics/profile/check.js';
import { type VersionProfile, profileDigest } from './profile.js';

/** `_id` is the digest of `content`. */
export interface ProfileDocument {
  readonly _id: string;
  readonly model: string;
  readonly artifact: string;
  /** When it was last made, by the server's clock: what is newest of a version that was validated more than once. */
  readonly madeAt: Date;
  readonly content: VersionProfile;
}

export interface StoredProfile {
  readonly digest: string;
  /** ISO 8601. */
  readonly madeAt: string;
  readonly content: VersionProfile;
}

/** A gateway asks: it has other things to do than to wait for a database that is away. */
const ANSWER_MS = 5_000;

/** A version whose newest profile cannot be used, and why. */
export interface DamagedProfile {
  readonly model: string;
  readonly artifact: string;
  readonly message: string;
}

/** A stored profile is not what its digest says, or none of this release's. */
export class ProfileError extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'ProfileError';
  }
}

/** Reference profiles in MongoDB's `profiles`: one document a digest, whose content never changes. */
export class ProfileStore {
  readonly #profiles: Collection<ProfileDocument>;

  constructor(db: Db) {
    this.#profiles = db.collection('profiles');
  }

  /**
   * Stores a profile, or finds it, and reads it back.
   * @returns its digest
   * @throws ProfileError when what is read back is not what was given
   */
  async put(content: VersionProfile): Promise<string> {
    const digest = profileDigest(content);
    const { model, artifact } = content;
    await effect('profiles.insert', () =>
      this.#profiles.updateOne(
        { _id: digest },
        { $setOnInsert: { model, artifact, content }, $currentDate: { madeAt: true } },
        { upsert: true },
      ),
    );
    if ((await this.get(digest)) === null)
      throw new ProfileError(`Profile ${digest} is not there after it was stored`);
    return digest;
  }

  /** @throws ProfileError when it is damaged */
  async get(digest: string): Promise<StoredProfile | null> {
    const found = await this.#profiles.findOne({ _id: digest });
    return found === null ? null : checked(found);
  }

  /** The newest profile of a version, by the digest of its artifact. @throws ProfileError when it is damaged */
  async newest(model: string, artifact: string): Promise<StoredProfile | null> {
    const found = await this.#profiles.findOne({ model, artifact }, { sort: { madeAt: -1 } });
    return found === null ? null : checked(found);
  }

  /** Digest of the newest profile of a version, by that of its artifact. */
  async newestDigest(model: string, artifact: string): Promise<string | null> {
    const found = await this.#profiles.findOne(
      { model, artifact },
      { sort: { madeAt: -1 }, projection: { _id: 1 } },
    );
    return found?._id ?? null;
  }

  /**
   * The newest profiles of many versions, by artifact and model; what there is none of is left out, and so is what is damaged.
   * @param damaged told of each of those
   */
  async newestOf(
    versions: readonly { readonly model: string; readonly artifact: string }[],
    damaged: (what: DamagedProfile) => void,
  ): Promise<readonly StoredProfile[]> {
    if (versions.length === 0) return [];
    const found = this.#profiles.aggregate<{ readonly newest: ProfileDocument }>(
      [
        { $match: { $or: versions.map(({ model, artifact }) => ({ model, artifact })) } },
        { $sort: { model: 1, artifact: 1, madeAt: -1 } },
        { $group: { _id: { model: '$model', artifact: '$artifact' }, newest: { $first: '$$ROOT' } } },
      ],
      { timeoutMS: ANSWER_MS },
    );
    const newest: StoredProfile[] = [];
    for await (const { newest: document } of found) {
      try {
        newest.push(checked(document));
      } catch (error) {
        if (!(error instanceof ProfileError)) throw error;
        const { model, artifact } = document;
        damaged({ model, artifact, message: error.message });
      }
    }
    return newest;
  }
}

function checked(document: ProfileDocument): StoredProfile {
  const { _id: digest, madeAt, content } = document;
  if (profileDigest(content) !== digest)
    throw new ProfileError(`Profile ${digest} is damaged: its content has another digest`);
  if (content.format !== 1)
    throw new ProfileError(`Profile ${digest} has format ${String(content.format)}: this release reads 1`);
  try {
    checkProfile(content.profile);
  } catch (error) {
    throw new ProfileError(`Profile ${digest}: ${error instanceof Error ? error.message : String(error)}`, {
      cause: error,
    });
  }
  if (content.sources.length !== content.profile.features.length)
    throw new ProfileError(`Profile ${digest} has not one source for each feature`);
  return { digest, madeAt: madeAt.toISOString(), content };
}
