import type { ModelParts } from '../../contracts/doctor.js';
import type { VersionRef } from '../../contracts/model.js';
import type { RecordedActs } from '../recovery/acts.js';
import type { RecordedModel } from '../recovery/record.js';

/** One model, as its parts have it and as its record has it. */
export interface DoctorFacts {
  readonly parts: ModelParts;
  readonly recorded: RecordedModel;
  readonly acts: RecordedActs;
  /** Versions by their registrations on record. */
  readonly versions: readonly VersionRef[];
}

/** A version in words. */
export const named = (version: VersionRef | null): string =>
  version === null ? 'nothing' : `${version.version} (${version.digest.slice(0, 12)})`;
