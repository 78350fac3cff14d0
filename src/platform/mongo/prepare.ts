import { isDeepStrictEqual } from 'node:util';
import type { Db, Document } from 'mongodb';
import { effect } from '../../fail-points/index.js';
import { COLLECTIONS } from './collections.js';
import { type CollectionPlan, versionOf } from './plan.js';
import { codeOf } from './errors.js';
import { SCHEMA, SCHEMA_VALIDATOR, schemaOf } from './schema/documents.js';
import { type LeaseSettings, withLease } from './schema/lease.js';
import { isOurs, outdated, readSchema, refuseUnusable } from './schema/state.js';

const NAMESPACE_EXISTS = 48;
/** Another process changes the same collection at this moment. */
const IN_PROGRESS = [117, 112, 12_586, 12_587];

export interface PrepareOptions {
  /** Told of each migration and of waiting for another process that migrates, in words. */
  readonly onProgress?: (text: string) => void;
  readonly lease?: Partial<Pick<LeaseSettings, 'leaseMs' | 'patienceMs'>>;
}

/**
 * Brings the database to the schema of this program: migrates what is older, one process at a time, and creates what is missing of
 * collections, validators and indexes. Harmless when repeated, and when several processes do it at once; a process that dies in
 * it leaves what the next one completes. Needs no more than read rights where all is in place.
 * @throws SchemaError when the database is newer than this program, or half restored
 */
export async function prepareDatabase(
  db: Db,
  plans: readonly CollectionPlan[] = COLLECTIONS,
  { onProgress = () => undefined, lease = {} }: PrepareOptions = {},
): Promise<void> {
  const state = await readSchema(db);
  refuseUnusable(state, plans, db.databaseName);
  if (outdated(state, plans).length === 0) {
    for (const plan of plans.filter((known) => isOurs(state, known))) await prepareCollection(db, plan);
    return;
  }
  await prepareCollection(db, { name: SCHEMA, validator: SCHEMA_VALIDATOR, indexes: [] });
  const settings: LeaseSettings = {
    leaseMs: lease.leaseMs ?? 30_000,
    patienceMs: lease.patienceMs ?? 10 * 60_000,
    onWait: (holder) => onProgress(`Waiting for the migration of ${db.databaseName} by ${holder}`),
  };
  await withLease(db, settings, (held) => migrate(db, plans, held, onProgress));
}

async function migrate(
  db: Db,
  plans: readonly CollectionPlan[],
  held: () => void,
  onProgress: (text: string) => void,
): Promise<void> {
  // Read again: whoever held the lease before may have done it all.
  const state = await readSchema(db);
  refuseUnusable(state, plans, db.databaseName);
  const existing = new Set(
    (await db.listCollections({}, { nameOnly: true }).toArray()).map(({ name }) => name),
  );
  for (const plan of plans) {
    const { name, migrations } = plan;
    const newest = versionOf(plan);
    const found = state.versions.get(name)?.version ?? (existing.has(name) ? 0 : newest);
    for (let version = found; version < newest; version += 1) {
      held();
      const migration = migrations[version];
      onProgress(`Migrating ${name} of ${db.databaseName} to version ${version + 1}: ${migration?.what}`);
      await effect('schema.migrate', async () => migration?.run(db));
      // The last one is recorded with validator and indexes, below.
      if (version + 1 < newest) await record(db, name, version + 1, 1);
    }
    if (isOurs(state, plan)) {
      held();
      await prepareCollection(db, plan);
      await effect('schema.record', () => record(db, name, newest, plan.revision));
    }
  }
}

/** Never back: a stopped process that is continued may come late. */
async function record(db: Db, name: string, version: number, revision: number): Promise<void> {
  const literal = { _id: name, kind: 'version', version, revision };
  const isOlder = {
    $or: [
      { $lt: [{ $ifNull: ['$version', 0] }, version] },
      { $and: [{ $eq: ['$version', version] }, { $lt: ['$revision', revision] }] },
    ],
  };
  const next = { $mergeObjects: [{ $literal: literal }, { changedAt: '$$NOW' }] };
  await schemaOf(db).updateOne({ _id: name }, [{ $replaceWith: { $cond: [isOlder, next, '$$ROOT'] } }], {
    upsert: true,
  });
}

type Form = Pick<CollectionPlan, 'name' | 'validator' | 'indexes'>;

/** Creates a collection, or gives it the validator and the indexes that it lacks. */
export async function prepareCollection(db: Db, plan: Form): Promise<void> {
  await patiently(() => prepareOnce(db, plan));
}

async function prepareOnce(db: Db, { name, validator, indexes }: Form): Promise<void> {
  const wanted = { validator, validationLevel: 'strict', validationAction: 'error' } as const;
  const [found] = await db.listCollections({ name }).toArray();
  if (found === undefined) {
    try {
      await db.createCollection(name, wanted);
    } catch (error) {
      if (codeOf(error) !== NAMESPACE_EXISTS) throw error;
      return prepareOnce(db, { name, validator, indexes });
    }
  } else if (!isAsWanted('options' in found ? found.options : undefined, wanted)) {
    await db.command({ collMod: name, ...wanted });
  }
  const existing = new Set((await db.collection(name).indexes()).map((index) => String(index.name)));
  const missing = indexes.filter((index) => !existing.has(index.name));
  if (missing.length > 0) await db.collection(name).createIndexes([...missing]);
}

const isAsWanted = (options: Document | undefined, wanted: Document): boolean =>
  Object.entries(wanted).every(([option, value]) => isDeepStrictEqual(options?.[option], value));

async function patiently(act: () => Promise<void>): Promise<void> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await act();
    } catch (error) {
      const code = codeOf(error);
      if (attempt >= 20 || code === undefined || !IN_PROGRESS.includes(code)) throw error;
      await new Promise((resolve) => setTimeout(resolve, 25 * attempt));
    }
  }
}
