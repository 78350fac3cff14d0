/** The example's model files: trained when they are not there. */
import { readFile } from 'node:fs/promises';
import { dataFile, readTable } from './data.js';
import {
  keepModel,
  modelsFolder,
  sha256,
  storedModel,
  type Recipe,
  type StoredModel,
} from './model-files.js';
import type { VersionName } from './training/versions.js';

interface Lineage extends Recipe {
  readonly parent: VersionName | null;
  readonly seed: number;
  readonly trainingSeconds: number;
}

/** A trained version as it lies in the folder. */
export interface TrainedModel extends StoredModel<Lineage> {
  readonly version: VersionName;
}

const parents: Readonly<Record<VersionName, VersionName | null>> = { v1: null, v2: 'v1', v3: 'v2', v4: 'v2' };

export interface TrainingOptions {
  /** Where the files go; `modelsFolder` unless given. */
  readonly folder?: string;
  /** Which ones; all unless given. */
  readonly versions?: readonly VersionName[];
  /** Takes only so many rows of the training data, for a quick look. */
  readonly rows?: number;
  /** Called as each version is ready. */
  readonly onTrained?: (model: TrainedModel) => void;
}

/** Trains versions (all four take about ten seconds of one core) and writes their files. */
export async function trainModels(options: TrainingOptions = {}): Promise<readonly TrainedModel[]> {
  const { folder = modelsFolder } = options;
  const [{ train }, { exportOnnx }, { recipes, versionNames }] = await Promise.all([
    import('./training/network.js'),
    import('./training/export.js'),
    import('./training/versions.js'),
  ]);
  const rows = await readTable('train', options.rows);
  // The vocabulary of combinations is drawn from all of 2015.
  const known = [await readTable('train'), await readTable('validation')];
  const trainingDataDigest = sha256(await readFile(dataFile('train')));
  const models: TrainedModel[] = [];
  for (const version of options.versions ?? versionNames) {
    const start = performance.now();
    const bytes = exportOnnx(`employment-${version}`, await train(recipes[version], rows, known));
    const trainingSeconds = Math.round((performance.now() - start) / 100) / 10;
    const kept = await keepModel(folder, version, bytes, {
      trainingDataDigest,
      parent: parents[version],
      recipeDigest: sha256(JSON.stringify(recipes[version])),
      seed: recipes[version].seed,
      trainingSeconds,
    });
    const model = { version, ...kept };
    models.push(model);
    options.onTrained?.(model);
  }
  return models;
}

/** The models in the folder; those that are not there, or not made from the present data and recipes, are trained first. */
export async function ensureModels(options: TrainingOptions = {}): Promise<readonly TrainedModel[]> {
  const { folder = modelsFolder } = options;
  const { recipes, versionNames } = await import('./training/versions.js');
  const trainingDataDigest = sha256(await readFile(dataFile('train')));
  const versions = options.versions ?? versionNames;
  const models = new Map<VersionName, TrainedModel>();
  for (const version of versions) {
    const recipeDigest = sha256(JSON.stringify(recipes[version]));
    const kept = await storedModel<Lineage>(folder, version, { trainingDataDigest, recipeDigest });
    if (kept !== null) models.set(version, { version, ...kept });
  }
  const missing = versions.filter((version) => !models.has(version));
  if (missing.length > 0)
    for (const model of await trainModels({ ...options, versions: missing }))
      models.set(model.version, model);
  return versions.flatMap((version) => models.get(version) ?? []);
}
