import type { Db } from 'mongodb';
import type { ArtifactStore } from '../../platform/registry/artifact-store.js';
import type { LabelledRows } from '../../platform/samples/labelled-rows.js';
import type { PlaceSettings } from '../../platform/training/places.js';
import type { TrainingPlatform } from '../../platform/training/index.js';
import type { ValidationDeps } from '../validation/ports.js';

export interface RetrainingDeps {
  readonly db: Db;
  readonly artifacts: ArtifactStore;
  readonly rows: LabelledRows;
  readonly platform: TrainingPlatform;
  readonly places: PlaceSettings;
  readonly openModel: ValidationDeps['openModel'];
  /** Most labelled rows that are taken, the newest ones; a million unless given. */
  readonly mostRows?: number;
}
