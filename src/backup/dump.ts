import { BSON, type ClientSession, type Db, type Document, type MongoClient } from 'mongodb';
import { effect } from '../fail-points/index.js';
import { ChainCheck } from '../ledger/index.js';
import { codeOf } from '../platform/mongo/errors.js';
import { SCHEMA, type SchemaDocument } from '../platform/mongo/schema/documents.js';
import { BackupError } from './errors.js';
import { writeDocuments } from './files.js';
import type { BackedUpCollection, BackupContent } from './format.js';
import { isStaging } from './staging.js';

/** A moment of the database: everything that is read by it is of one cluster time. */
export interface Moment {
  readonly session: ClientSession;
  readonly collections: readonly CollectionForm[];
  /** What is in the database and not read, with the reason. */
  readonly left: readonly { readonly what: string; readonly why: string }[];
  readonly readAt: Date;
}

/** Options and indexes, as the server lists them. */
export interface CollectionForm {
  readonly name: string;
  readonly options: Document;
  readonly indexes: readonly Document[];
}

/** The form of a collection changed in this very moment. */
const SNAPSHOT_UNAVAILABLE = 246;
/** The server keeps old moments for five minutes, unless it is told to keep them longer. */
const SNAPSHOT_TOO_OLD = 239;
const TRIES = 5;

/** Fixes a moment, by a first reading. The session is the caller's to end. */
export async function fixMoment(client: MongoClient, db: Db): Promise<Moment> {
  for (let attempt = 1; ; attempt += 1) {
    const session = client.startSession({ snapshot: true });
    try {
      const { collections, left } = await listForms(db);
      // A reading of each: the server refuses one whose form is newer than the moment.
      for (const { name } of collections)
        await db.collection(name).findOne({}, { session, projection: { _id: 1 } });
      const after = await listForms(db);
      const names = (forms: readonly CollectionForm[]): string => forms.map(({ name }) => name).join('\n');
      if (names(after.collections) === names(collections)) {
        const hello = await db.command({ hello: 1 });
        const at: unknown = hello['localTime'];
        return { session, collections, left, readAt: at instanceof Date ? at : new Date() };
      }
    } catch (error) {
      await session.endSession();
      if (codeOf(error) !== SNAPSHOT_UNAVAILABLE || attempt >= TRIES) throw error;
      continue;
    }
    await session.endSession();
    if (attempt >= TRIES)
      throw new BackupError(
        'refused',
        `Collections of ${db.databaseName} are being made and removed at this moment: try again`,
      );
  }
}

async function listForms(db: Db): Promise<Pick<Moment, 'collections' | 'left'>> {
  const listed = await db.listCollections().toArray();
  const collections: CollectionForm[] = [];
  const left: { what: string; why: string }[] = [];
  for (const found of listed.sort((a, b) => (a.name < b.name ? -1 : 1))) {
    const { name } = found;
    const type = 'type' in found ? (found.type ?? 'collection') : 'collection';
    if (name.startsWith('system.') || isStaging(name)) continue;
    if (type !== 'collection') {
      left.push({ what: `${type} ${name} of the database`, why: 'Tenure makes collections only' });
      continue;
    }
    const options = ('options' in found ? found.options : undefined) ?? {};
    const indexes = await db.collection(name).indexes();
    collections.push({ name, options, indexes });
  }
  return { collections, left };
}

export type DumpedDatabase = Pick<BackupContent, 'database' | 'ledger'>;

/**
 * Writes all collections as they were at the moment, in the order of their keys; the ledger in the order of its streams, checked on
 * the way. A bad ledger is written as it is, and told.
 */
export async function dumpDatabase(
  db: Db,
  moment: Moment,
  folder: string,
  onProgress: (text: string) => void,
): Promise<DumpedDatabase> {
  const { session, collections } = moment;
  const ledger = new LedgerTally();
  const schema: Record<string, { version: number; revision: number }> = {};
  const written: BackedUpCollection[] = [];
  for (const { name } of collections) {
    const rows = (async function* read(): AsyncGenerator<Uint8Array> {
      for await (const bytes of rawDocuments(db, name, { session })) {
        if (name === 'ledger') ledger.next(bytes);
        if (name !== SCHEMA) yield bytes;
        else if (takeVersion(bytes, schema)) yield bytes;
      }
    })();
    const path = `mongodb/${encodeURIComponent(name)}.bson.gz`;
    const { documents, ...rest } = await effect('backup.file', () =>
      writeDocuments(folder, path, rows),
    ).catch((error: unknown) => {
      throw explainOld(error);
    });
    onProgress(`${name}: ${documents} document(s)`);
    written.push({ name, documents, ...rest });
  }
  const forms = collections.map((form) => BSON.serialize(form));
  const { file } = await writeDocuments(folder, 'mongodb/forms.bson.gz', forms);
  return {
    database: {
      name: db.databaseName,
      readAt: moment.readAt.toISOString(),
      forms: file,
      collections: written,
      schema,
    },
    ledger: ledger.result(),
  };
}

/** Who migrates or restores is nothing to restore. @returns whether the document is a version */
function takeVersion(
  bytes: Uint8Array,
  schema: Record<string, { version: number; revision: number }>,
): boolean {
  const document = BSON.deserialize(bytes) as unknown as SchemaDocument;
  if (document.kind !== 'version') return false;
  schema[document._id] = { version: document.version, revision: document.revision };
  return true;
}

type Order = Readonly<Record<string, 1>>;

/** The order in which a collection is read and written; both are read by an index. */
export const orderOf = (name: string): Order => (name === 'ledger' ? { stream: 1, sequence: 1 } : { _id: 1 });

/** The stored bytes of each document, which no conversion to JavaScript can alter. */
export async function* rawDocuments(
  db: Db,
  name: string,
  { session, order = orderOf(name) }: { readonly session?: ClientSession; readonly order?: Order } = {},
): AsyncGenerator<Uint8Array> {
  const at = session === undefined ? {} : { session };
  const cursor = db.collection(name).find({}, { raw: true, sort: order, batchSize: 1_000, ...at });
  for await (const document of cursor) yield document as unknown as Uint8Array;
}

/** Follows the chain of each stream, event by event in their order. */
export class LedgerTally {
  #events = 0;
  #check: ChainCheck | null = null;
  #stream: string | null = null;
  readonly #heads: BackupContent['ledger']['heads'] = {};
  readonly #bad: BackupContent['ledger']['bad'] = [];

  next(bytes: Uint8Array): void {
    const event = BSON.deserialize(bytes);
    this.#events += 1;
    const given: unknown = event['stream'];
    const stream = typeof given === 'string' ? given : JSON.stringify(given);
    if (this.#check === null || stream !== this.#stream) {
      this.#close();
      this.#stream = stream;
      this.#check = new ChainCheck(stream, null);
    }
    this.#check.next(event);
  }

  result(): BackupContent['ledger'] {
    this.#close();
    return { events: this.#events, heads: this.#heads, bad: this.#bad };
  }

  #close(): void {
    if (this.#check === null || this.#stream === null) return;
    const bad = this.#check.end();
    if (bad !== null) this.#bad.push({ ...bad });
    const { sequence, hash } = this.#check.head;
    this.#heads[this.#stream] = { sequence, hash };
    this.#check = null;
  }
}

function explainOld(error: unknown): unknown {
  return codeOf(error) === SNAPSHOT_TOO_OLD
    ? new BackupError(
        'refused',
        'Reading the database took longer than MongoDB keeps one moment of it: raise minSnapshotHistoryWindowInSeconds (300 s by default) and try again',
        { cause: error },
      )
    : error;
}
