import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import type { Request } from '../contracts/messages.js';
import type { Lineage, VersionRecord } from '../contracts/model.js';
import { loadManifest, type ManifestSource, type Path } from '../manifest/index.js';
import { ProfileStore, type StoredProfile } from '../platform/profiles/index.js';
import { isDigest, MongoVersionRegistry, type StoredArtifact } from '../platform/registry/index.js';
import { explainStorage, ManifestError, TenureError } from './errors.js';
import { requireOnRecord } from './on-record.js';
import type { Session } from './session.js';

export interface AppliedModel {
  readonly model: string;
  readonly revision: number;
  /** SHA-256 of the validation data, which is in the artifact store now. */
  readonly dataDigest: string;
}

/**
 * Applies a model.yaml: its validation data go into the artifact store, and the manifest, bound to their digest, to the model.
 * @throws ManifestError with the place of every problem; TenureError
 */
export async function applyModelFile(
  session: Session,
  file: string,
  request: Partial<Request> = {},
): Promise<AppliedModel> {
  const parsed = await loadManifest(file);
  if (!parsed.ok) throw new ManifestError(file, parsed.problems);
  const { manifest, source } = parsed;
  // Before anything is stored: whether there is somebody to apply it to.
  const tenure = await session.tenure();
  const { digest } = await storeData(session, file, 'validation', manifest.validation, source);
  const { retraining } = manifest;
  const bound = {
    ...manifest,
    validation: { ...manifest.validation, dataDigest: digest },
    retraining:
      retraining?.data === undefined
        ? retraining
        : {
            ...retraining,
            dataDigest: (await storeData(session, file, 'retraining', retraining, source)).digest,
          },
  };
  const { revision } = await tenure.applyManifest(bound, request);
  return { model: manifest.name, revision, dataDigest: digest };
}

async function storeData(
  session: Session,
  file: string,
  section: 'validation' | 'retraining',
  { data: named = '', dataDigest }: { readonly data?: string; readonly dataDigest?: string | null },
  source: ManifestSource,
): Promise<StoredArtifact> {
  const refuse = (path: Path, message: string): ManifestError =>
    new ManifestError(file, [{ path: path.join('.'), ...source.place(path), message }]);
  const data = resolve(dirname(file), named);
  const problem = await unreadable(data);
  if (problem !== null)
    throw refuse([section, 'data'], `${section}.data is ${JSON.stringify(named)}: ${problem}`);
  const stored = await put(session, data);
  if (dataDigest != null && dataDigest !== stored.digest)
    throw refuse(
      [section, 'dataDigest'],
      `${section}.dataDigest is ${dataDigest}, but ${named} has ${stored.digest}: the data are not those that were meant`,
    );
  return stored;
}

export interface RegisterFileOptions extends Partial<Request> {
  readonly lineage?: Lineage;
  /** SHA-256 that the file must have. */
  readonly digest?: string;
}

/**
 * Puts a model's file into the artifact store and registers it as a version.
 * @throws TenureError `refused` when the file has another digest than stated, or the version cannot be registered
 */
export async function registerFile(
  session: Session,
  model: string,
  version: string,
  file: string,
  options: RegisterFileOptions = {},
): Promise<VersionRecord> {
  const { lineage = {}, digest, ...request } = options;
  const problem = await unreadable(file);
  if (problem !== null) throw new TenureError('invalid', `Nothing was registered: ${problem}`);
  if (digest !== undefined) await checkDigest(file, digest);
  const tenure = await session.tenure();
  // A model that is not there is said before anything is stored.
  await tenure.model(model);
  const stored = await put(session, file);
  return tenure.registerVersion(model, { version, digest: stored.digest, lineage }, request);
}

async function checkDigest(file: string, digest: string): Promise<void> {
  if (!isDigest(digest))
    throw new TenureError(
      'invalid',
      `Digest is ${JSON.stringify(digest)}; allowed: 64 lower-case hex digits`,
    );
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(file)) hash.update(chunk as Buffer);
  const found = hash.digest('hex');
  if (found !== digest)
    throw new TenureError(
      'refused',
      `${file} has digest ${found}, not ${digest}: it is not the file that was meant, and was not registered`,
    );
}

/**
 * A model's registered versions, oldest first.
 * @throws TenureError `not-found` for a model that is not on record
 */
export async function listVersions(session: Session, model: string): Promise<readonly VersionRecord[]> {
  const { db } = await session.database();
  const versions = await stored(() => new MongoVersionRegistry(db).list(model));
  if (versions.length === 0) await requireOnRecord(session, model);
  return versions;
}

/** @throws TenureError `not-found` */
export async function findVersion(session: Session, model: string, version: string): Promise<VersionRecord> {
  const { db } = await session.database();
  const registry = new MongoVersionRegistry(db);
  const found = await stored(() => registry.find(model, version));
  if (found !== null) return found;
  const names = (await stored(() => registry.list(model))).map((record) => record.version);
  const known = names.length === 0 ? 'none is registered' : `registered: ${names.slice(-20).join(', ')}`;
  throw new TenureError('not-found', `Version ${version} of ${model} is not known; ${known}`);
}

/**
 * The newest reference profile of a version; null when it was never validated, or nothing could be profiled.
 * @param artifact digest of the version's artifact
 * @throws ProfileError when what is stored is damaged
 */
export async function findProfile(
  session: Session,
  model: string,
  artifact: string,
): Promise<StoredProfile | null> {
  const { db } = await session.database();
  return stored(() => new ProfileStore(db).newest(model, artifact));
}

async function unreadable(file: string): Promise<string | null> {
  try {
    return (await stat(file)).isFile() ? null : `${file} is not a file`;
  } catch (error) {
    const isAbsent = (error as NodeJS.ErrnoException).code === 'ENOENT';
    const why = isAbsent ? 'there is no such file' : error instanceof Error ? error.message : String(error);
    return `${file} cannot be read: ${why}`;
  }
}

const put = (session: Session, file: string): Promise<StoredArtifact> =>
  stored(() => session.artifacts().put({ file }));

async function stored<T>(act: () => Promise<T>): Promise<T> {
  try {
    return await act();
  } catch (error) {
    throw explainStorage(error);
  }
}
