import { setTimeout as sleep } from 'node:timers/promises';
import { type Collection, type Db, MongoClient, MongoParseError, MongoServerSelectionError } from 'mongodb';
import type {
  AlertDocument,
  GatewayDocument,
  LedgerDocument,
  ReportDocument,
  RouteDocument,
  VersionDocument,
} from './documents.js';
import { MongoUnusableError } from './errors.js';

export interface Collections {
  readonly ledger: Collection<LedgerDocument>;
  readonly versions: Collection<VersionDocument>;
  readonly routes: Collection<RouteDocument>;
  readonly gateways: Collection<GatewayDocument>;
  readonly alerts: Collection<AlertDocument>;
  readonly reports: Collection<ReportDocument>;
}

/** A connection to one database; closed by whoever opened it. */
export interface TenureDatabase {
  readonly client: MongoClient;
  readonly db: Db;
  readonly collections: Collections;
  close(): Promise<void>;
}

export interface MongoSettings {
  /** How long a server is looked for, milliseconds (default 5,000). */
  readonly serverSelectionTimeoutMs?: number;
}

/**
 * Connects and asks the server who it is. Writes wait for a majority and its journal; reads see what a majority has.
 * @param uri MongoDB connection string of a replica set
 * @throws MongoUnusableError when it is malformed, not reachable, or not a replica set
 */
export async function connectMongo(
  uri: string,
  database: string,
  settings: MongoSettings = {},
): Promise<TenureDatabase> {
  const client = openClient(uri, settings.serverSelectionTimeoutMs ?? 5_000);
  try {
    await client.connect();
    const db = client.db(database);
    const hello = await db.command({ hello: 1 });
    if (hello['setName'] === undefined && hello['msg'] !== 'isdbgrid') {
      throw new MongoUnusableError(
        'MongoDB is a single server without replica set, so writes cannot wait for a majority. ' +
          'Start it with --replSet and run rs.initiate() once, or leave out MONGODB_URI to use the embedded one',
      );
    }
    return { client, db, collections: collectionsOf(db), close: () => client.close() };
  } catch (error) {
    await client.close();
    throw explained(error, client);
  }
}

/**
 * The same without waiting, for processes that have to start while MongoDB is away: operations fail until it can be reached.
 * The driver reconnects by itself only once it was connected, so it is asked to until then.
 * @throws MongoUnusableError when the string is malformed
 */
export function openMongo(uri: string, database: string, settings: MongoSettings = {}): TenureDatabase {
  const client = openClient(uri, settings.serverSelectionTimeoutMs ?? 5_000);
  const db = client.db(database);
  const closing = new AbortController();
  const connecting = connectPatiently(client, closing.signal);
  return {
    client,
    db,
    collections: collectionsOf(db),
    close: async () => {
      closing.abort();
      await client.close();
      await connecting;
      await client.close();
    },
  };
}

async function connectPatiently(client: MongoClient, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    try {
      await client.connect();
      return;
    } catch {
      await sleep(500, undefined, { signal, ref: false }).catch(() => {});
    }
  }
}

/** The collections by name, typed; for a `Db` that was opened elsewhere. */
export const collectionsOf = (db: Db): Collections => ({
  ledger: db.collection('ledger'),
  versions: db.collection('versions'),
  routes: db.collection('routes'),
  gateways: db.collection('gateways'),
  alerts: db.collection('alerts'),
  reports: db.collection('reports'),
});

function openClient(uri: string, serverSelectionTimeoutMS: number): MongoClient {
  try {
    return new MongoClient(uri, {
      appName: 'tenure',
      serverSelectionTimeoutMS,
      connectTimeoutMS: serverSelectionTimeoutMS,
      // A server that hangs is as bad as one that is away; a cursor's sockets are busy all the time.
      socketTimeoutMS: 20_000,
      writeConcern: { w: 'majority', journal: true, wtimeoutMS: 10_000 },
      readConcern: { level: 'majority' },
      readPreference: 'primary',
      ignoreUndefined: true,
    });
  } catch (error) {
    // The parser's own messages never quote the string, which may hold a password.
    const reason = error instanceof Error ? error.message : 'unknown reason';
    throw new MongoUnusableError(`MONGODB_URI is not a MongoDB connection string: ${reason}`, {
      cause: error,
    });
  }
}

function explained(error: unknown, client: MongoClient): unknown {
  if (error instanceof MongoServerSelectionError || error instanceof MongoParseError) {
    const hosts = client.options.hosts.map((host) => host.toString()).join(', ');
    return new MongoUnusableError(
      `MongoDB is not reachable at ${hosts}: ${error.message}. ` +
        'Check that it runs and that MONGODB_URI names it, or leave out MONGODB_URI to use the embedded one',
      { cause: error },
    );
  }
  return error;
}
