import { rm } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { restoreArtifacts } from '../backup/artifacts.js';
import { BackupError, explainRoom } from '../backup/errors.js';
import type { BackupManifest } from '../backup/format.js';
import {
  type DatabaseTarget,
  giveUpRestore,
  restoreDatabase,
  restoreMark,
  whatIsThere,
} from '../backup/load.js';
import { verifyBackup } from '../backup/verify.js';
import type { Config } from '../config.js';
import { type CollectionPlan, COLLECTIONS, prepareDatabase } from '../platform/mongo/index.js';
import { refusal } from '../platform/mongo/schema/state.js';
import { FolderArtifactStore } from '../platform/registry/index.js';
import { OBSERVATION_COLLECTIONS } from '../platform/observations/collections.js';
import { WINDOW_COLLECTIONS } from '../platform/windows/collections.js';
import { hasTemporalFiles, replaceTemporalFiles, stackOwner, startStack } from '../stack/index.js';
import { explainStorage, TenureError } from './errors.js';
import { refuseRunning } from './running.js';
import { openSession, type Session } from './session.js';

export interface RestoreOptions {
  /** What is there may be replaced. */
  readonly replace?: boolean;
  /** Asked what is to be replaced, in words, when something is. */
  readonly confirm?: (what: string) => Promise<boolean>;
  /** A ledger that did not verify when it was backed up is taken too. */
  readonly acceptBadLedger?: boolean;
  readonly onProgress?: (text: string) => void;
}

export interface Restored {
  readonly folder: string;
  /** When the backup was made, ISO 8601. */
  readonly createdAt: string;
  readonly documents: number;
  readonly events: number;
  readonly artifacts: { readonly inBackup: number; readonly put: number };
  /** `restored`; `lost`: there is none any more, it starts empty; `kept`: a server of its own, which has what it has. */
  readonly temporal: 'restored' | 'lost' | 'kept';
}

/** All that this program knows of a database. */
const PLANS: readonly CollectionPlan[] = [...COLLECTIONS, ...WINDOW_COLLECTIONS, ...OBSERVATION_COLLECTIONS];

/**
 * Brings a backup into this home and this database. Everything is verified first, and loaded beside what is there, before anything is
 * changed; a restore that was interrupted is completed by repeating it. Of the embedded stack, MongoDB is started for it and stopped.
 * @throws TenureError `refused`, `unreachable`
 */
export async function restoreBackup(
  config: Config,
  folder: string,
  options: RestoreOptions = {},
): Promise<Restored> {
  const { onProgress = () => undefined } = options;
  const from = resolve(folder);
  try {
    onProgress(`Verifying ${from}`);
    const manifest = await verifyBackup(from, onProgress);
    refuseUnfit(config, manifest, options);
    return await withTarget(config, onProgress, async (session, target) => {
      const [running, mark] = [refuseRunning(session, target.db), await restoreMark(target.db)];
      await running;
      const goesOn = mark?.phase === 'swapping' && mark.backup === manifest.digest;
      if (!goesOn) await refuseOverwriting(config, target, options);
      onProgress('Putting the artifacts back');
      const put = await restoreArtifacts(from, new FolderArtifactStore(config.artifacts));
      onProgress('Loading the database');
      const beforeSwap = (): Promise<void> => replaceFiles(config, from, manifest);
      await restoreDatabase(target, from, manifest, { beforeSwap, onProgress });
      await prepareDatabase(target.db, PLANS, { onProgress });
      const { collections } = manifest.database;
      return {
        folder: from,
        createdAt: manifest.createdAt,
        documents: collections.reduce((sum, { documents }) => sum + documents, 0),
        events: manifest.ledger.events,
        artifacts: { inBackup: manifest.artifacts.count, put },
        temporal: config.temporal !== null ? 'kept' : manifest.temporal.included ? 'restored' : 'lost',
      };
    });
  } catch (error) {
    throw explainStorage(explainRoom(error, config.home));
  }
}

/** Forgets a restore that was interrupted before anything was replaced. @throws TenureError `refused` */
export async function giveUp(
  config: Config,
  onProgress: (text: string) => void = () => undefined,
): Promise<void> {
  try {
    await withTarget(config, onProgress, (_session, { db }) => giveUpRestore(db));
  } catch (error) {
    throw explainStorage(error);
  }
}

/** For whom the backup is not. */
function refuseUnfit(
  config: Config,
  manifest: BackupManifest,
  { acceptBadLedger = false }: RestoreOptions,
): void {
  const { database, ledger, temporal } = manifest;
  const versions = new Map(Object.entries(database.schema));
  const reason = refusal({ versions, restore: null }, PLANS, `${database.name} in the backup`);
  if (reason !== null) throw new BackupError('refused', reason);
  const [bad] = ledger.bad;
  if (bad !== undefined && !acceptBadLedger)
    throw new BackupError(
      'refused',
      `The ledger did not verify when the backup was made: ${bad.stream}, event ${bad.sequence}: ${bad.detail}. ` +
        'Use an earlier backup, or --accept-bad-ledger to restore it as it was',
    );
  const elsewhere = temporal.namespace !== config.namespace || temporal.taskQueue !== config.taskQueue;
  if (config.temporal === null && temporal.included && elsewhere)
    throw new BackupError(
      'refused',
      `The workflows of the backup run in namespace ${temporal.namespace} on task queue ${temporal.taskQueue}: ` +
        'set TEMPORAL_NAMESPACE and TENURE_TASK_QUEUE to these',
    );
}

async function refuseOverwriting(
  config: Config,
  target: DatabaseTarget,
  { replace = false, confirm = async () => false }: RestoreOptions,
): Promise<void> {
  const there = [...(await whatIsThere(target))];
  if (config.temporal === null && (await hasTemporalFiles(config.home)))
    there.push(`the database of the embedded Temporal in ${config.home}`);
  if (there.length === 0) return;
  const what = `Database ${target.db.databaseName} is not empty: ${there.join(', ')}`;
  if (!replace)
    throw new BackupError(
      'refused',
      `${what}. Back it up if it may be needed; with --replace the backup takes its place`,
    );
  if (!(await confirm(what))) throw new BackupError('refused', 'Nothing was replaced');
}

/** Temporal's database, and what gateways have kept here of a state that is no more. */
async function replaceFiles(config: Config, from: string, { temporal }: BackupManifest): Promise<void> {
  if (config.temporal === null) {
    const files = temporal.included ? temporal.files.map(({ path }) => join(from, path)) : [];
    await replaceTemporalFiles(config.home, files);
  }
  await rm(join(config.home, 'gateways'), { recursive: true, force: true });
}

async function withTarget<T>(
  config: Config,
  onProgress: (text: string) => void,
  act: (session: Session, target: DatabaseTarget) => Promise<T>,
): Promise<T> {
  const { home, binaries } = config;
  const embedded = config.mongodbUri === null || config.temporal === null;
  const owner = embedded ? await stackOwner(home) : null;
  if (owner !== null)
    throw new TenureError(
      'refused',
      `The stack of ${home} is run by process ${owner}: stop it first (Ctrl-C in \`tenure up\`)`,
    );
  const stack =
    config.mongodbUri === null
      ? await startStack({ dataDir: home, temporalAddress: NOT_STARTED, binaries, onProgress })
      : null;
  try {
    if (stack?.owned === false)
      throw new TenureError(
        'refused',
        `Another process has just started the stack of ${home}: stop it first`,
      );
    const session = openSession({ ...config, mongodbUri: stack?.mongodbUri ?? config.mongodbUri });
    try {
      const { client, db } = await session.database();
      return await act(session, { client, db, known: PLANS.map(({ name }) => name) });
    } finally {
      await session.close();
    }
  } finally {
    await stack?.stop();
  }
}

/** Any address: no Temporal is to start while its database is replaced. */
const NOT_STARTED = 'none';
