import type { Db } from 'mongodb';
import type { VersionRecord } from '../../contracts/model.js';
import { effect } from '../../fail-points/index.js';
import { collectionsOf, type Collections } from '../mongo/connect.js';
import type { VersionDocument } from '../mongo/documents.js';
import { isDuplicateKey } from '../mongo/errors.js';
import { VersionConflictError, type VersionRegistry } from './version-registry.js';

/** The registry in MongoDB's `versions`. The database must be prepared. */
export class MongoVersionRegistry implements VersionRegistry {
  readonly #versions: Collections['versions'];

  constructor(db: Db) {
    this.#versions = collectionsOf(db).versions;
  }

  async find(model: string, version: string): Promise<VersionRecord | null> {
    return recordOf(await this.#versions.findOne({ model, version }));
  }

  async findByDigest(model: string, digest: string): Promise<VersionRecord | null> {
    return recordOf(await this.#versions.findOne({ model, digest }));
  }

  async list(model: string): Promise<readonly VersionRecord[]> {
    const found = await this.#versions.find({ model }, { sort: { registeredAt: 1, version: 1 } }).toArray();
    return found.flatMap((document) => recordOf(document) ?? []);
  }

  async register(record: VersionRecord) {
    try {
      await effect('registry.insert', () =>
        this.#versions.insertOne({ _id: `${record.model}/${record.version}`, ...record }),
      );
      return { outcome: 'registered', record } as const;
    } catch (error) {
      if (!isDuplicateKey(error)) throw error;
    }
    const { model, version, digest } = record;
    const existing = (await this.find(model, version)) ?? (await this.findByDigest(model, digest));
    // Only for a moment: a racing writer has it, a majority does not yet.
    if (existing === null)
      throw new Error(`Version ${version} of ${model} is being registered by somebody else`);
    if (existing.version !== version || existing.digest !== digest)
      throw new VersionConflictError(record, existing);
    return { outcome: 'already', record: existing } as const;
  }
}

function recordOf(document: VersionDocument | null): VersionRecord | null {
  if (document === null) return null;
  const { _id, ...record } = document;
  return record;
}
