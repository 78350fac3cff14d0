import type { VersionRecord } from '../../contracts/model.js';

/** Versions by name and by digest. A name never changes its digest, a digest has one name in a model. */
export interface VersionRegistry {
  find(model: string, version: string): Promise<VersionRecord | null>;
  findByDigest(model: string, digest: string): Promise<VersionRecord | null>;
  /** Oldest first. */
  list(model: string): Promise<readonly VersionRecord[]>;
  /**
   * Registers, or finds what is there under the same name and digest.
   * @returns the record in the registry: of the first registration
   * @throws VersionConflictError when the name has another digest, or the digest another name
   */
  register(
    record: VersionRecord,
  ): Promise<{ readonly outcome: 'registered' | 'already'; readonly record: VersionRecord }>;
}

export class VersionConflictError extends Error {
  readonly existing: VersionRecord;

  constructor(wanted: VersionRecord, existing: VersionRecord) {
    super(
      existing.version === wanted.version
        ? `Version ${wanted.version} of ${wanted.model} is registered with digest ${existing.digest}, not ${wanted.digest}: ` +
            'choose another version name'
        : `The artifact ${wanted.digest} is registered as version ${existing.version} of ${wanted.model} already: release that version`,
    );
    this.name = 'VersionConflictError';
    this.existing = existing;
  }
}
