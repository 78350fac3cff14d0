import { randomUUID } from 'node:crypto';
import { mkdir, mkdtemp, realpath, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Db } from 'mongodb';
import { MongoLedger } from '../../src/ledger/index.js';
import {
  collectionsOf,
  COLLECTIONS,
  connectMongo,
  prepareDatabase,
  type TenureDatabase,
} from '../../src/platform/mongo/index.js';
import { ProfileStore } from '../../src/platform/profiles/index.js';
import { FolderArtifactStore, MongoVersionRegistry } from '../../src/platform/registry/index.js';
import { MongoRoutingStore } from '../../src/platform/serving/index.js';
import { OBSERVATION_COLLECTIONS } from '../../src/platform/observations/collections.js';
import { WINDOW_COLLECTIONS } from '../../src/platform/windows/collections.js';
import { MongoWindowStore } from '../../src/platform/windows/store.js';
import { numericProfile } from '../../src/statistics/profile/build.js';
import type { Environment } from './command.js';
import { desired } from './gateway.js';
import { getTestStack } from './stack.js';
import { canaryTable, FakeCounting } from './windows.js';

/** A home without servers of its own, on the tests' mongod: for what concerns the stores alone. */
export class SeededHome {
  readonly folder: string;
  readonly mongo: TenureDatabase;
  readonly env: Environment;

  private constructor(folder: string, mongo: TenureDatabase, uri: string) {
    this.folder = folder;
    this.mongo = mongo;
    this.env = {
      PATH: process.env['PATH'] ?? '',
      TENURE_HOME: folder,
      MONGODB_URI: uri,
      TENURE_DATABASE: mongo.db.databaseName,
      TENURE_USER: 'ada',
    };
  }

  /** With nothing in it. */
  static async empty(): Promise<SeededHome> {
    const { mongodbUri } = await getTestStack();
    const folder = await realpath(await mkdtemp(join(tmpdir(), 'tenure-seeded-')));
    return new SeededHome(
      folder,
      await connectMongo(mongodbUri, `test-${randomUUID().slice(0, 18)}`),
      mongodbUri,
    );
  }

  /** With something in every store. What stands for Temporal's database are bytes that no server reads. */
  static async seeded(): Promise<SeededHome> {
    const home = await SeededHome.empty();
    await home.#seed();
    return home;
  }

  get db(): Db {
    return this.mongo.db;
  }

  get store(): FolderArtifactStore {
    return new FolderArtifactStore(join(this.folder, 'artifacts'));
  }

  /** Everything in the database but the marks of schema and restore, sorted; to be compared with another. */
  async contents(): Promise<Readonly<Record<string, readonly unknown[]>>> {
    const listed = await this.db.listCollections({}, { nameOnly: true }).toArray();
    const names = listed.map(({ name }) => name).sort();
    const found = await Promise.all(
      names.map(async (name) => {
        const filter = name === 'schema' ? { kind: 'version' } : {};
        return [name, await this.db.collection(name).find(filter).sort({ _id: 1 }).toArray()] as const;
      }),
    );
    return Object.fromEntries(found);
  }

  async remove(): Promise<void> {
    await this.db.dropDatabase();
    await this.mongo.close();
    await rm(this.folder, { recursive: true, force: true });
  }

  async #seed(): Promise<void> {
    const { db } = this.mongo;
    await prepareDatabase(db, [...COLLECTIONS, ...WINDOW_COLLECTIONS, ...OBSERVATION_COLLECTIONS]);
    const at = '2026-11-24T03:10:32.000Z';
    const actor = { kind: 'person', id: 'ada' } as const;
    const ledger = new MongoLedger(collectionsOf(db).ledger);
    const registry = new MongoVersionRegistry(db);
    for (const model of ['churn', 'fraud']) {
      const { digest, sizeBytes } = await this.store.put(Buffer.from(`the artifact of ${model}`));
      await registry.register({
        model,
        version: 'v1',
        digest,
        sizeBytes,
        lineage: {},
        registeredBy: 'ada',
        registeredAt: at,
      });
      await new ProfileStore(db).put({
        format: 1,
        model,
        artifact: digest,
        data: 'd'.repeat(64),
        sources: [{ from: 'input', name: 'x', datatype: 'FP64', element: 0, width: 1 }],
        score: null,
        lacks: [],
        profile: { format: 1, rows: 4, features: [numericProfile('x', [0.1, 2 ** 40, -3, 5])], score: null },
      });
      const subject = { model };
      await ledger.append(
        Array.from({ length: 5 }, (_, i) => ({
          stream: model,
          id: `release:${model}:1/look/${i}`,
          action: 'canary.look',
          actor,
          subject,
          // Numbers of all kinds: they are stored as they come, and must come back so.
          evidence: { keys: { 2: 0.5, 10: 2 ** 40, a: -0.25 }, look: i },
          at,
        })),
      );
      await new MongoRoutingStore(db).compareAndSet({
        model,
        expectedGeneration: 0,
        desired: desired({}),
        changeId: 'c1',
      });
    }
    const alert = { model: 'churn', severity: 'warning', title: 'parked', text: 'it is', at } as const;
    await collectionsOf(db).alerts.insertOne({ _id: 'a1', ...alert, sentAt: null });
    const counting = new FakeCounting('g');
    for (const key of ['a', 'b', 'c']) counting.request(canaryTable(1, 0.5), key);
    await new MongoWindowStore(db).insert(counting.flush(Date.parse(at)));
    await mkdir(join(this.folder, 'gateways', 'g'), { recursive: true });
    await writeFile(join(this.folder, 'temporal.sqlite'), 'bytes of a database');
    await writeFile(join(this.folder, 'temporal.sqlite-journal'), 'and of its journal');
  }
}
