/** The example's model files: trained when they are not there. */
import { createHash } from 'node:crypto';
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { dataFile, readTable } from './data.js';
import type { VersionName } from './training/versions.js';

/** Where models are kept unless told otherwise; not under version control. */
export const modelsFolder = fileURLToPath(new URL('models/', import.meta.url));

/** A trained version as it lies in the folder. */
export interface TrainedModel {
  readonly version: VersionName;
  readonly path: string;
  /** SHA-256 of the ONNX file, hex. */
  readonly digest: string;
  readonly bytes: number;
  readonly lineage: {
    /** SHA-256 of the Parquet file of training rows, hex. */
    readonly trainingDataDigest: string;
    readonly parent: VersionName | null;
    /** SHA-256 of the recipe, hex. */
    readonly recipeDigest: string;
    readonly seed: number;
    readonly trainingSeconds: number;
  };
}

type Index = Readonly<Record<string, Omit<TrainedModel, 'version' | 'path'>>>;

const parents: Readonly<Record<VersionName, VersionName | null>> = { v1: null, v2: 'v1', v3: 'v2', v4: 'v2' };

export interface TrainingOptions {
  /** Where the files go; `modelsFolder` unless given. */
  readonly folder?: string;
  /** Takes only so many rows of the training data, for a quick look. */
  readonly rows?: number;
  /** Called as each version is ready. */
  readonly onTrained?: (model: TrainedModel) => void;
}

/** Trains every version (about ten seconds on one core) and writes the ONNX files and `index.json`. */
export async function trainModels(options: TrainingOptions = {}): Promise<readonly TrainedModel[]> {
  const { folder = modelsFolder } = options;
  const [{ train }, { exportOnnx }, { recipes, versionNames }] = await Promise.all([
    import('./training/network.js'),
    import('./training/export.js'),
    import('./training/versions.js'),
  ]);
  await mkdir(folder, { recursive: true });
  const rows = await readTable('train', options.rows);
  // The vocabulary of combinations is drawn from all of 2015.
  const known = [await readTable('train'), await readTable('validation')];
  const trainingDataDigest = sha256(await readFile(dataFile('train')));
  const models: TrainedModel[] = [];
  for (const version of versionNames) {
    const start = performance.now();
    const bytes = exportOnnx(`employment-${version}`, await train(recipes[version], rows, known));
    const trainingSeconds = Math.round((performance.now() - start) / 100) / 10;
    const path = join(folder, `${version}.onnx`);
    await write(path, bytes);
    const model = {
      version,
      path,
      digest: sha256(bytes),
      bytes: bytes.length,
      lineage: {
        trainingDataDigest,
        parent: parents[version],
        recipeDigest: sha256(JSON.stringify(recipes[version])),
        seed: recipes[version].seed,
        trainingSeconds,
      },
    };
    models.push(model);
    options.onTrained?.(model);
  }
  const index = Object.fromEntries(
    models.map(({ version, digest, bytes, lineage }) => [version, { digest, bytes, lineage }]),
  );
  await write(join(folder, 'index.json'), `${JSON.stringify(index, null, 2)}\n`);
  return models;
}

/** The models in the folder, trained first unless all are there, made from the present data and recipes. */
export async function ensureModels(options: TrainingOptions = {}): Promise<readonly TrainedModel[]> {
  return (await storedModels(options.folder ?? modelsFolder)) ?? (await trainModels(options));
}

async function storedModels(folder: string): Promise<readonly TrainedModel[] | undefined> {
  const { recipes, versionNames } = await import('./training/versions.js');
  const trainingDataDigest = sha256(await readFile(dataFile('train')));
  try {
    const index = JSON.parse(await readFile(join(folder, 'index.json'), 'utf8')) as Index;
    const models: TrainedModel[] = [];
    for (const version of versionNames) {
      const entry = index[version];
      const path = join(folder, `${version}.onnx`);
      const intact =
        entry?.lineage.trainingDataDigest === trainingDataDigest &&
        entry.lineage.recipeDigest === sha256(JSON.stringify(recipes[version])) &&
        entry.digest === sha256(await readFile(path));
      if (entry === undefined || !intact) return undefined;
      models.push({ version, path, ...entry });
    }
    return models;
  } catch (error) {
    if (error instanceof SyntaxError || (error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

function sha256(bytes: Uint8Array | string): string {
  return createHash('sha256').update(bytes).digest('hex');
}

/** Puts the whole file in place at once, so that nobody reads half of one. */
async function write(path: string, content: Uint8Array | string): Promise<void> {
  const unfinished = `${path}.${process.pid}.part`;
  await writeFile(unfinished, content);
  await rename(unfinished, path);
}
