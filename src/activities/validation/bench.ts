/** What the gates share, made at most once: files, threads, data set, scores. A part that cannot be made fails the gates that need it. */
import { stat } from 'node:fs/promises';
import type { Manifest } from '../../contracts/manifest.js';
import type { VersionRef } from '../../contracts/model.js';
import { ModelError } from '../../platform/onnx/errors.js';
import type { ModelThread } from '../../platform/onnx/thread.js';
import { ArtifactError } from '../../platform/registry/artifact-store.js';
import type { Scored } from '../../statistics/metrics/scored.js';
import { readDataSet } from './data-set.js';
import type { DataSet } from './data-set.js';
import { GateProblem } from './ports.js';
import type { Progress, ValidationDeps } from './ports.js';
import { compareSignature } from '../signature.js';
import { scoredOf, scoreRows } from './scoring.js';

export interface Bench {
  readonly manifest: Manifest;
  readonly version: VersionRef;
  readonly champion: VersionRef | null;
  readonly progress: Progress;
  candidateFile(): Promise<{ readonly path: string; readonly bytes: number }>;
  candidateModel(): Promise<ModelThread>;
  dataFile(): Promise<string>;
  data(): Promise<DataSet>;
  candidateScores(): Promise<Scored>;
  /** Null: the model has no champion. */
  championScores(): Promise<Scored | null>;
  /** Ends the threads. */
  close(): Promise<void>;
}

type BenchDeps = Pick<ValidationDeps, 'openModel' | 'maxDataValues'> & {
  readonly artifacts: Pick<ValidationDeps['artifacts'], 'pathOf'>;
};

interface Subject {
  readonly manifest: Manifest;
  readonly version: VersionRef;
  readonly champion: VersionRef | null;
}

export function createBench(
  deps: BenchDeps,
  { manifest, version, champion }: Subject,
  progress: Progress,
): Bench {
  const threads: Promise<ModelThread>[] = [];
  const open = async (who: string, { digest }: VersionRef): Promise<ModelThread> => {
    const { path } = await storedFile(deps, `artifact of the ${who}`, digest);
    const opening = deps.openModel({ file: path, sha256: digest });
    threads.push(opening);
    const model = await opening.catch((error: unknown) => {
      if (!(error instanceof ModelError) || error.code === 'unavailable') throw error;
      throw new GateProblem(`The ${who} cannot be loaded: ${error.message}`);
    });
    return model;
  };
  const candidateFile = once(() => storedFile(deps, 'artifact of the candidate', version.digest));
  const candidateModel = once(() => open('candidate', version));
  const dataFile = once(async () => {
    const { dataDigest } = manifest.validation;
    if (dataDigest === null) throw new GateProblem('The manifest names no stored data set; apply it again');
    return (await storedFile(deps, 'data set', dataDigest)).path;
  });
  const data = once(async () => readDataSet(await dataFile(), manifest, progress, deps.maxDataValues));
  const score = async (who: string, model: ModelThread): Promise<Scored> => {
    const differences = compareSignature(manifest.schema, model.metadata);
    if (differences.length > 0) {
      throw new GateProblem(
        `The ${who} cannot be scored, since it differs from the manifest: ${differences.join('; ')}`,
      );
    }
    const rows = await data();
    return scoredOf(manifest, rows, await scoreRows(model, who, rows, manifest, progress));
  };
  return {
    manifest,
    version,
    champion,
    progress,
    candidateFile,
    candidateModel,
    dataFile,
    data,
    candidateScores: once(async () => score('candidate', await candidateModel())),
    championScores: once(async () =>
      champion === null ? null : score('champion', await open('champion', champion)),
    ),
    close: async () => {
      for (const opening of threads) {
        const thread = await opening.catch(() => null);
        await thread?.close();
      }
    },
  };
}

async function storedFile(
  deps: BenchDeps,
  what: string,
  digest: string,
): Promise<{ path: string; bytes: number }> {
  try {
    const path = await deps.artifacts.pathOf(digest);
    return { path, bytes: (await stat(path)).size };
  } catch (error) {
    // Not in the store, or not what it should be: that is the version's affair. Anything else is the store's.
    if (!(error instanceof ArtifactError)) throw error;
    throw new GateProblem(`The ${what} cannot be used: ${error.message}`, { digest, why: error.code });
  }
}

/** The first call makes it; every call gets the same result or the same failure. */
function once<T>(make: () => Promise<T>): () => Promise<T> {
  let made: Promise<T> | undefined;
  return () => (made ??= make());
}
