import { existsSync } from 'node:fs';
import { mkdir, open, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { BSON, type ClientSession } from 'mongodb';
import { copyArtifacts, listedArtifacts } from '../backup/artifacts.js';
import { dumpDatabase, fixMoment, type Moment } from '../backup/dump.js';
import { BackupError, explainRoom } from '../backup/errors.js';
import { describeFile, readDocuments, snapFile, syncFolder } from '../backup/files.js';
import {
  type BackupContent,
  type BackupManifest,
  FORMAT,
  MANIFEST_FILE,
  sealManifest,
} from '../backup/format.js';
import { readManifest } from '../backup/verify.js';
import { effect } from '../fail-points/index.js';
import { FolderArtifactStore } from '../platform/registry/index.js';
import { guardSchema, type TenureDatabase } from '../platform/mongo/index.js';
import { readRunningStack, withLock, withTemporalAtRest } from '../stack/index.js';
import { explainStorage } from './errors.js';
import type { Session } from './session.js';

export interface BackupOptions {
  /** Leave Temporal's database out, also where it is the embedded stack's. */
  readonly withoutTemporal?: boolean;
  /** An earlier backup: its artifacts are linked instead of copied. */
  readonly linkFrom?: string;
  readonly onProgress?: (text: string) => void;
}

/** Temporal stands still meanwhile. */
const MOMENT_LIMIT_MS = 10_000;

/**
 * Makes a backup of all stores: MongoDB at one cluster time, Temporal's database of the embedded stack as a kill just before would
 * have left it, all artifacts. The folder appears whole, at the end, or not at all.
 * @throws TenureError `unreachable` without MongoDB, `refused` when the folder exists or there is no room
 */
export async function createBackup(
  session: Session,
  folder: string,
  options: BackupOptions = {},
): Promise<BackupManifest> {
  const target = resolve(folder);
  const partial = `${target}.partial`;
  try {
    const database = await session.database();
    // Another restore may have been killed here: half of something is not to be kept.
    await guardSchema(database.db, []);
    const earlier = options.linkFrom === undefined ? null : resolve(options.linkFrom);
    if (earlier !== null) await readManifest(earlier);
    refuseExisting(target);
    await mkdir(dirname(target), { recursive: true });
    return await withLock(`${target}.lock`, 0, async () => {
      // Left by a backup that was killed.
      await rm(partial, { recursive: true, force: true });
      await mkdir(partial, { mode: 0o700 });
      try {
        const manifest = await fill(session, database, partial, earlier, options);
        refuseExisting(target);
        await effect('backup.publish', () => rename(partial, target));
        await syncFolder(dirname(target));
        return manifest;
      } catch (error) {
        await rm(partial, { recursive: true, force: true });
        throw error;
      }
    });
  } catch (error) {
    throw explainStorage(explainRoom(error, target));
  }
}

function refuseExisting(target: string): void {
  if (existsSync(target))
    throw new BackupError(
      'refused',
      `${target} exists already: a backup is never overwritten, choose another folder`,
    );
}

async function fill(
  session: Session,
  { client, db }: TenureDatabase,
  partial: string,
  earlier: string | null,
  options: BackupOptions,
): Promise<BackupManifest> {
  const { onProgress = () => undefined } = options;
  const store = new FolderArtifactStore(session.config.artifacts);
  const fix = (): Promise<Moment> => fixMoment(client, db);
  const { moment, temporal } = await fixAll(session, partial, options, fix);
  try {
    const dumped = await dumpDatabase(db, moment, partial, onProgress);
    const copied = await copyArtifacts(store, partial, earlier, onProgress);
    const content: BackupContent = {
      format: FORMAT,
      createdAt: new Date().toISOString(),
      ...dumped,
      artifacts: copied.artifacts,
      temporal,
      notIncluded: [
        ...moment.left,
        ...(temporal.included ? [] : [{ what: "Temporal's database", why: temporal.why }]),
        ...NEVER,
      ],
      problems: [
        ...dumped.ledger.bad.map(
          ({ stream, sequence, detail }) =>
            `The ledger does not verify: ${stream}, event ${sequence}: ${detail}`,
        ),
        ...copied.damaged.map((digest) => `Artifact ${digest} is damaged in the store and was left out`),
        ...(await missingArtifacts(partial, dumped.database)),
      ],
    };
    const manifest = sealManifest(content);
    await writeDurably(join(partial, MANIFEST_FILE), `${JSON.stringify(manifest, null, 2)}\n`);
    await syncFolders(partial);
    return manifest;
  } finally {
    await moment.session.endSession();
  }
}

const NEVER: BackupContent['notIncluded'] = [
  { what: 'ports and process ids of the embedded stack', why: 'a stack elsewhere chooses its own' },
  {
    what: "the gateways' spools and snapshots",
    why: 'snapshots are copies of the routing tables; spooled counts are not yet part of any evidence',
  },
  {
    what: 'settings, receivers of alerts and their secrets',
    why: 'they are kept where the processes are started',
  },
];

interface Fixed {
  readonly moment: Moment;
  readonly temporal: BackupContent['temporal'];
}

/**
 * Temporal first, and it stands still until the moment of MongoDB is fixed. So the ledger is never behind what the workflows believe, and
 * ahead of it by no more than what activities in flight wrote meanwhile: the same as when Temporal is killed, which every act survives.
 */
async function fixAll(
  session: Session,
  partial: string,
  { withoutTemporal = false, onProgress = () => undefined }: BackupOptions,
  fix: () => Promise<Moment>,
): Promise<Fixed> {
  const { namespace, taskQueue } = session.config;
  const without = async (why: string): Promise<Fixed> => ({
    moment: await fix(),
    temporal: { included: false, namespace, taskQueue, why },
  });
  if (withoutTemporal) return without('it was left out on request');
  const own = await ownTemporal(session);
  if (own !== null)
    return without(`Temporal at ${own} is a server of its own: back it up by its own means, and before this`);
  const { home } = session.config;
  const began = { at: 0 };
  const { moment, paths, pausedMs } = await withTemporalAtRest(home, async ({ files, frozen }) => {
    began.at = performance.now();
    const fixed = await within(MOMENT_LIMIT_MS, fix());
    try {
      const copied = files.map((file) => `temporal/${basename(file)}`);
      for (const [i, path] of copied.entries())
        await effect('backup.moment', () => snapFile(partial, path, files[i] ?? ''));
      return { moment: fixed, paths: copied, pausedMs: frozen ? performance.now() - began.at : null };
    } catch (error) {
      await fixed.session.endSession();
      throw error;
    }
  });
  if (paths.length === 0) {
    const why = `there is no database of an embedded Temporal in ${home}`;
    return { moment, temporal: { included: false, namespace, taskQueue, why } };
  }
  onProgress(
    pausedMs === null
      ? 'Temporal: copied, it does not run'
      : `Temporal: copied, it stood still for ${Math.round(pausedMs)} ms`,
  );
  const files = [];
  for (const path of paths) files.push(await describeFile(partial, path));
  return { moment, temporal: { included: true, namespace, taskQueue, files, pausedMs } };
}

/** The address of a Temporal that is not the embedded one of this home; null when it is. */
async function ownTemporal({ config: { temporal, home } }: Session): Promise<string | null> {
  if (temporal === null) return null;
  const running = await readRunningStack(home);
  return running?.temporalAddress === temporal.address ? null : temporal.address;
}

async function within(limitMs: number, fixing: Promise<Moment>): Promise<Moment> {
  const late = Symbol('late');
  const first = await Promise.race([fixing, sleep(limitMs, late, { ref: false })]);
  if (first !== late) return first;
  const end = ({ session }: { session: ClientSession }): Promise<void> => session.endSession();
  void fixing.then(end, () => undefined);
  throw new BackupError(
    'refused',
    `MongoDB did not answer within ${limitMs / 1000} s: nothing was backed up, try again`,
  );
}

/** Registered versions whose artifact is not in the store that was given: usually the store is another one. */
async function missingArtifacts(
  partial: string,
  { collections }: BackupContent['database'],
): Promise<readonly string[]> {
  const versions = collections.find(({ name }) => name === 'versions');
  if (versions === undefined) return [];
  const there = new Set<string>();
  for await (const { digest } of listedArtifacts(partial)) there.add(digest);
  const problems: string[] = [];
  for await (const bytes of readDocuments(partial, versions.file)) {
    const { model, version, digest } = BSON.deserialize(bytes);
    if (!there.has(String(digest)))
      problems.push(
        `The artifact of ${model} ${version} (${digest}) is not in the store, or damaged: is TENURE_ARTIFACTS right?`,
      );
  }
  return problems;
}

async function writeDurably(path: string, text: string): Promise<void> {
  await writeFile(path, text, { mode: 0o600, flag: 'wx' });
  const file = await open(path, 'r');
  try {
    await file.sync();
  } finally {
    await file.close();
  }
}

async function syncFolders(root: string): Promise<void> {
  for (const entry of await readdir(root, { withFileTypes: true }))
    if (entry.isDirectory()) await syncFolders(join(root, entry.name));
  await syncFolder(root);
}
