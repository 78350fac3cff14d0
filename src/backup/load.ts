import { isDeepStrictEqual } from 'node:util';
import { BSON, type Db, type Document, type MongoClient } from 'mongodb';
import { effect } from '../fail-points/index.js';
import { prepareCollection } from '../platform/mongo/prepare.js';
import {
  RESTORE_ID,
  type RestoreMark,
  SCHEMA,
  SCHEMA_VALIDATOR,
  schemaOf,
} from '../platform/mongo/schema/documents.js';
import { withLease } from '../platform/mongo/schema/lease.js';
import { readSchema } from '../platform/mongo/schema/state.js';
import { type CollectionForm, orderOf, rawDocuments } from './dump.js';
import { BackupError } from './errors.js';
import { readDocuments } from './files.js';
import type { BackedUpCollection, BackupManifest } from './format.js';
import { isStaging, stagingOf } from './staging.js';

export interface DatabaseTarget {
  readonly client: MongoClient;
  readonly db: Db;
  /** Names of the collections that are Tenure's: those that the backup does not have are emptied. */
  readonly known: readonly string[];
}

export interface LoadOptions {
  /** Between loading and putting in place: what else belongs to the restore. Harmless when repeated. */
  readonly beforeSwap: () => Promise<void>;
  readonly onProgress: (text: string) => void;
}

/** The lease of a restore that was killed keeps the next one waiting for so long, milliseconds. */
const LEASE_MS = 10_000;
const PATIENCE_MS = 60_000;
/** Documents of one insert: at most so many, and about so many bytes. */
const BATCH_DOCUMENTS = 1_000;
const BATCH_BYTES = 8 * 1024 ** 2;

/** A restore that has begun in this database and not ended. */
export const restoreMark = async (db: Db): Promise<RestoreMark | null> => (await readSchema(db)).restore;

/** Collections of Tenure that hold something, with the number of their documents. */
export async function whatIsThere({ db, known }: DatabaseTarget): Promise<readonly string[]> {
  const counts = await Promise.all(
    known.map(async (name) => [name, await db.collection(name).countDocuments()] as const),
  );
  return counts.flatMap(([name, count]) => (count === 0 ? [] : [`${name} (${count})`]));
}

/**
 * Makes the database what the backup holds. Everything is loaded and read back beside what is there; then each collection takes its
 * place in one step. A mark says that this goes on: no worker starts on the database, and whoever repeats the restore of the same
 * backup completes it. Fails before the first collection takes its place: the database is as it was.
 */
export async function restoreDatabase(
  target: DatabaseTarget,
  folder: string,
  manifest: BackupManifest,
  options: LoadOptions,
): Promise<void> {
  const { db } = target;
  await prepareCollection(db, { name: SCHEMA, validator: SCHEMA_VALIDATOR, indexes: [] });
  const lease = {
    leaseMs: LEASE_MS,
    patienceMs: PATIENCE_MS,
    onWait: (holder: string) =>
      options.onProgress(`Waiting for ${holder}, which works on ${db.databaseName}`),
  };
  await withLease(db, lease, async (held) => {
    const before = await restoreMark(db);
    const goesOn = before?.phase === 'swapping' && before.backup === manifest.digest;
    try {
      if (!goesOn)
        await loadAll(target, folder, manifest, { ...options, held, half: before?.phase === 'swapping' });
      held();
      await mark(db, { backup: manifest.digest, folder, phase: 'swapping' });
    } catch (error) {
      // As it was before: whoever waits for this database need not know. Where even that fails, the mark stays.
      if (!goesOn && before?.phase !== 'swapping') await giveUp(db).catch(() => undefined);
      throw error;
    }
    await options.beforeSwap();
    held();
    await swapAll(target, manifest, held);
    await effect('restore.finish', () => finish(target, folder, manifest));
  });
}

/**
 * Forgets a restore that was interrupted before anything took its place.
 * @throws BackupError `refused` when something has
 */
export async function giveUpRestore(db: Db): Promise<void> {
  const found = await restoreMark(db);
  if (found === null) throw new BackupError('refused', `No restore into ${db.databaseName} has begun`);
  if (found.phase === 'swapping')
    throw new BackupError(
      'refused',
      `Part of ${found.folder} has taken its place in ${db.databaseName} already: repeat the restore, or restore another backup with --replace`,
    );
  await withLease(db, { leaseMs: LEASE_MS, patienceMs: 2 * LEASE_MS, onWait: () => undefined }, () =>
    giveUp(db),
  );
}

async function giveUp(db: Db): Promise<void> {
  await dropStaging(db);
  await schemaOf(db).deleteOne({ _id: RESTORE_ID });
}

async function dropStaging(db: Db): Promise<void> {
  for (const { name } of await db.listCollections({}, { nameOnly: true }).toArray())
    if (isStaging(name)) await db.dropCollection(name);
}

async function mark(
  db: Db,
  { backup, folder, phase }: Pick<RestoreMark, 'backup' | 'folder' | 'phase'>,
): Promise<void> {
  const literal = { _id: RESTORE_ID, kind: 'restore', backup, folder, phase };
  await effect('restore.mark', () =>
    schemaOf(db).updateOne(
      { _id: RESTORE_ID },
      [
        {
          $replaceWith: {
            $mergeObjects: [{ $literal: literal }, { startedAt: { $ifNull: ['$startedAt', '$$NOW'] } }],
          },
        },
      ],
      { upsert: true },
    ),
  );
}

interface Loading extends LoadOptions {
  readonly held: () => void;
  /** Part of another backup has taken its place: that stays noted. */
  readonly half: boolean;
}

async function loadAll(
  { db }: DatabaseTarget,
  folder: string,
  { digest, database }: BackupManifest,
  { held, half, onProgress }: Loading,
): Promise<void> {
  if (!half) await mark(db, { backup: digest, folder, phase: 'loading' });
  await dropStaging(db);
  const forms = new Map<string, CollectionForm>();
  for await (const bytes of readDocuments(folder, database.forms)) {
    const form = BSON.deserialize(bytes) as CollectionForm;
    forms.set(form.name, form);
  }
  for (const collection of database.collections) {
    if (collection.name === SCHEMA) continue;
    held();
    await effect('restore.load', () => load(db, folder, collection, forms.get(collection.name)));
    onProgress(`${collection.name}: ${collection.documents} document(s)`);
  }
}

async function load(
  db: Db,
  folder: string,
  { name, file }: BackedUpCollection,
  form: CollectionForm | undefined,
): Promise<void> {
  const staging = stagingOf(name);
  await db.createCollection(staging, form?.options ?? {});
  const indexes = (form?.indexes ?? []).filter((index) => index['name'] !== '_id_');
  if (indexes.length > 0) await db.command({ createIndexes: staging, indexes });
  let batch: Document[] = [];
  let bytes = 0;
  // What the database took once it takes again, whatever its validator says by now.
  const insert = async (): Promise<void> => {
    if (batch.length > 0) await db.collection(staging).insertMany(batch, { bypassDocumentValidation: true });
    batch = [];
    bytes = 0;
  };
  for await (const document of readDocuments(folder, file)) {
    batch.push(exactly(document));
    bytes += document.length;
    if (batch.length >= BATCH_DOCUMENTS || bytes >= BATCH_BYTES) await insert();
  }
  await insert();
  await readBack(db, folder, file, { name, staging });
}

/** With every number of the type that it was stored as. */
const exactly = (bytes: Uint8Array): Document =>
  BSON.deserialize(bytes, {
    promoteValues: false,
    promoteLongs: false,
    promoteBuffers: false,
    bsonRegExp: true,
  });

async function readBack(
  db: Db,
  folder: string,
  file: BackedUpCollection['file'],
  { name, staging }: { readonly name: string; readonly staging: string },
): Promise<void> {
  const differs = (place: number): BackupError =>
    new BackupError(
      'refused',
      `MongoDB does not give back document ${place} of ${name} as it was written: the restore has stopped`,
    );
  const loaded = rawDocuments(db, staging, { order: orderOf(name) });
  let place = 0;
  for await (const wanted of readDocuments(folder, file)) {
    place += 1;
    const { value } = (await loaded.next()) as { readonly value?: Uint8Array };
    // Fields in another order are the same document.
    const same =
      value !== undefined && (wanted.equals(value) || isDeepStrictEqual(exactly(wanted), exactly(value)));
    if (!same) throw differs(place);
  }
  if ((await loaded.next()).done !== true) throw differs(place + 1);
}

async function swapAll(
  { db, known }: DatabaseTarget,
  { database }: BackupManifest,
  held: () => void,
): Promise<void> {
  const backedUp = database.collections.map(({ name }) => name);
  for (const name of backedUp) {
    if (name === SCHEMA) continue;
    const [loaded] = await db.listCollections({ name: stagingOf(name) }, { nameOnly: true }).toArray();
    // It has taken its place in an attempt before.
    if (loaded === undefined) continue;
    held();
    await effect('restore.swap', () => db.collection(stagingOf(name)).rename(name, { dropTarget: true }));
  }
  for (const name of known) if (!backedUp.includes(name)) await db.dropCollection(name);
}

/** The versions of the backup and the end of the mark are one step: from it on the database may be used. */
async function finish(
  { client, db }: DatabaseTarget,
  folder: string,
  { database }: BackupManifest,
): Promise<void> {
  const versions: Document[] = [];
  const schema = database.collections.find(({ name }) => name === SCHEMA);
  if (schema !== undefined)
    for await (const bytes of readDocuments(folder, schema.file)) versions.push(BSON.deserialize(bytes));
  await client.withSession((session) =>
    session.withTransaction(async () => {
      const marks = db.collection<Document & { readonly _id: string }>(SCHEMA);
      await marks.deleteMany({ $or: [{ kind: 'version' }, { _id: RESTORE_ID }] }, { session });
      if (versions.length > 0)
        await marks.insertMany(versions as (Document & { _id: string })[], { session });
    }),
  );
}
