import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Db, Document } from 'mongodb';
import { MongoLedger, verifyLedger } from '../../../../src/ledger/index.js';
import { type Alert, MongoAlertDesk } from '../../../../src/platform/alerts/index.js';
import {
  collectionsOf,
  COLLECTIONS,
  connectMongo,
  prepareDatabase,
  SchemaError,
  type TenureDatabase,
} from '../../../../src/platform/mongo/index.js';
import { prepareCollection } from '../../../../src/platform/mongo/prepare.js';
import { schemaOf } from '../../../../src/platform/mongo/schema/documents.js';
import { MongoVersionRegistry } from '../../../../src/platform/registry/index.js';
import { ChangedTables, MongoRoutingStore } from '../../../../src/platform/serving/index.js';
import { OBSERVATION_COLLECTIONS } from '../../../../src/platform/observations/collections.js';
import { WINDOW_COLLECTIONS } from '../../../../src/platform/windows/collections.js';
import { compactWindows } from '../../../../src/platform/windows/compaction.js';
import { MongoWindowStore } from '../../../../src/platform/windows/store.js';
import { desired } from '../../../support/gateway.js';
import { NEW_PEOPLE, OLD_PEOPLE, PEOPLE } from '../../../support/schema-plans.js';
import { freshDatabase, type TestDatabase } from '../../../support/stack.js';
import { canaryTable, FakeCounting } from '../../../support/windows.js';

const ALL = [...COLLECTIONS, ...WINDOW_COLLECTIONS, ...OBSERVATION_COLLECTIONS];

describe('schema versions in MongoDB', () => {
  let fresh: TestDatabase;
  let mongo: TenureDatabase;
  let db: Db;
  beforeEach(async () => {
    fresh = await freshDatabase();
    mongo = await connectMongo(fresh.uri, fresh.name);
    ({ db } = mongo);
  });
  afterEach(async () => {
    await mongo.close();
    await fresh.close();
  });

  const versions = async (): Promise<Readonly<Record<string, readonly number[]>>> => {
    const found = await schemaOf(db).find({ kind: 'version' }).toArray();
    return Object.fromEntries(
      found.map((mark) => [mark._id, mark.kind === 'version' ? [mark.version, mark.revision] : []]),
    );
  };
  const old = () => db.collection<{ _id: number; name: string }>('people').insertMany(OLD_PEOPLE);
  const people = () => db.collection('people').find({}).sort({ _id: 1 }).toArray();
  const contents = async (): Promise<Readonly<Record<string, readonly Document[]>>> => {
    const sorted = ALL.map(async ({ name }) => [
      name,
      await db.collection(name).find({}).sort({ _id: 1 }).toArray(),
    ]);
    return Object.fromEntries(await Promise.all(sorted)) as Record<string, Document[]>;
  };

  it('are recorded for a new database, once, with nothing left of the lease', async () => {
    const said: string[] = [];
    await Promise.all(
      Array.from({ length: 4 }, () => prepareDatabase(db, ALL, { onProgress: (text) => said.push(text) })),
    );
    assert.deepEqual(
      await versions(),
      Object.fromEntries(ALL.map(({ name, migrations, revision }) => [name, [migrations.length, revision]])),
    );
    assert.equal(await schemaOf(db).countDocuments({ kind: { $ne: 'version' } }), 0);
    // There is nothing to migrate.
    assert.deepEqual(
      said.filter((text) => text.startsWith('Migrating')),
      [],
    );
  });

  it('are recorded for a database of before they were, of which nothing else is changed', async () => {
    // As the first release left it (commit 85787b7): the same collections and validators, alerts without `told` and `state`.
    for (const plan of ALL) await prepareCollection(db, plan);
    const at = '2026-11-24T03:10:32.000Z';
    const actor = { kind: 'person', id: 'ada' } as const;
    const ledger = new MongoLedger(collectionsOf(db).ledger);
    await ledger.append([
      {
        stream: 'churn',
        id: 'model:churn/apply/1',
        action: 'model.applied',
        actor,
        subject: { model: 'churn' },
        evidence: {},
        at,
      },
      {
        stream: 'churn',
        id: 'release:churn:1/end',
        action: 'release.succeeded',
        actor,
        subject: { model: 'churn' },
        evidence: { keys: { 2: 0.5 } },
        at,
      },
    ]);
    const digest = 'a'.repeat(64);
    await new MongoVersionRegistry(db).register({
      model: 'churn',
      version: 'v1',
      digest,
      sizeBytes: 7,
      lineage: { codeRevision: '4f1c2ab' },
      registeredBy: 'ada',
      registeredAt: at,
    });
    const routes = new MongoRoutingStore(db);
    await routes.compareAndSet({
      model: 'churn',
      expectedGeneration: 0,
      desired: desired({}),
      changeId: 'c1',
    });
    await routes.report({
      gateway: 'gateway-1',
      boot: 'b',
      url: 'http://127.0.0.1:9',
      startedAt: at,
      status: 'serving',
      observed: {},
    });
    const hourAgo = new Date(Date.now() - 3_600_000).toISOString();
    const words = { title: 'parked', text: 'it is', at: hourAgo };
    const alert = { model: 'churn', severity: 'warning', ...words } as const;
    await collectionsOf(db).alerts.insertMany([
      { _id: 'a1', ...alert, sentAt: null },
      { _id: 'a2', ...alert, sentAt: new Date(at) },
    ]);
    const counting = new FakeCounting('g');
    counting.request(canaryTable(1, 0.5), 'k');
    const [batch] = counting.flush(Date.parse(at));
    assert.ok(batch !== undefined);
    await db
      .collection<Document & { _id: string }>('windows')
      .insertOne({ _id: 'g/b/1', batches: ['g/b/1'], insertedAt: new Date(at), ...batch });
    const before = await contents();

    const said: string[] = [];
    await prepareDatabase(db, ALL, { onProgress: (text) => said.push(text) });
    assert.deepEqual(
      await versions(),
      Object.fromEntries(ALL.map(({ name, migrations, revision }) => [name, [migrations.length, revision]])),
    );
    const steps = ALL.reduce((sum, { migrations }) => sum + migrations.length, 0);
    assert.equal(said.length, steps);
    assert.match(
      said[0] ?? '',
      /^Migrating ledger of test-\S+ to version 1: the form that is there is recorded/,
    );
    assert.deepEqual(await contents(), before);
    const verified = await verifyLedger(collectionsOf(db).ledger);
    assert.deepEqual([verified.ok, verified.events], [true, 2]);
    // What that release had not told is told now.
    const told: Alert[] = [];
    const desk = new MongoAlertDesk(db, [{ name: 'test', send: async (sent) => void told.push(sent) }]);
    await desk.retryPending(10);
    assert.deepEqual(
      told.map(({ key }) => key),
      ['a1'],
    );
    // And again, nothing is to be done.
    await prepareDatabase(db, ALL, { onProgress: (text) => said.push(text) });
    assert.equal(said.length, steps);
  });

  it('lead an old collection forward, version by version; validator and indexes come last', async () => {
    await old();
    const said: string[] = [];
    await prepareDatabase(db, [PEOPLE], { onProgress: (text) => said.push(text) });
    assert.deepEqual(
      said.map((text) => text.replace(/ of \S+ to/, ' to')),
      [
        'Migrating people to version 1: the form that is there is recorded as version 1',
        'Migrating people to version 2: first and last name are fields of their own',
        'Migrating people to version 3: initials',
      ],
    );
    assert.deepEqual(await people(), NEW_PEOPLE);
    assert.deepEqual(await versions(), { people: [3, 1] });
    await assert.rejects(db.collection('people').insertOne({ first: 'x' }), /failed validation/);
    assert.ok((await db.collection('people').indexes()).some(({ name }) => name === 'last'));
  });

  it('let one process at a time migrate; a process that died in it holds nobody up for longer than its lease', async () => {
    await old();
    let running = 0;
    let most = 0;
    let runs = 0;
    const watched = {
      ...PEOPLE,
      migrations: PEOPLE.migrations.map(({ what, run }) => ({
        what,
        run: async (on: Db) => {
          most = Math.max(most, (running += 1));
          runs += 1;
          await run(on);
          running -= 1;
        },
      })),
    };
    const dead = { $literal: 'somewhere, process 1' };
    await schemaOf(db).updateOne(
      { _id: '(migration)' },
      [
        {
          $replaceWith: {
            _id: '(migration)',
            kind: 'lease',
            holder: dead,
            until: { $add: ['$$NOW', 1_000] },
          },
        },
      ],
      { upsert: true },
    );
    const said: string[] = [];
    const onProgress = (text: string): void => void said.push(text);
    await Promise.all(Array.from({ length: 3 }, () => prepareDatabase(db, [watched], { onProgress })));
    assert.deepEqual([most, runs], [1, 3]);
    assert.deepEqual(await people(), NEW_PEOPLE);
    assert.ok(
      said.some((text) => /^Waiting for the migration of test-\S+ by somewhere, process 1/.test(text)),
    );
  });

  it('refuse to wait for ever for somebody who lives', async () => {
    await old();
    const until = new Date(Date.now() + 3600_000);
    await schemaOf(db).insertOne({ _id: '(migration)', kind: 'lease', holder: 'h', until });
    await assert.rejects(
      prepareDatabase(db, [PEOPLE], { lease: { patienceMs: 50 } }),
      /has been migrated or restored by h for longer than 0\.05 s/,
    );
  });

  for (const [point, left] of [
    ['schema.migrate.after:2', 1],
    ['schema.record.before', 2],
    ['schema.record.after', 3],
  ] as const)
    it(`are completed by the next start after a kill at ${point}`, async () => {
      await old();
      const folder = await mkdtemp(join(tmpdir(), 'tenure-schema-'));
      try {
        const entry = fileURLToPath(new URL('preparing.ts', import.meta.url));
        const child = spawn(process.execPath, ['--import', import.meta.resolve('tsx'), entry], {
          stdio: ['ignore', 'ignore', 'inherit'],
          env: {
            PATH: process.env['PATH'],
            MONGODB_URI: fresh.uri,
            TENURE_DATABASE: fresh.name,
            TENURE_FAIL_POINT: point,
            TENURE_FAIL_FOLDER: folder,
            TENURE_FAIL_POINTS_ALLOWED: 'this is a test',
          },
        });
        const signal = await new Promise((resolve) => child.once('exit', (_code, name) => resolve(name)));
        assert.equal(signal, 'SIGKILL');
        assert.equal((await readdir(folder)).length, 1);
        assert.deepEqual(await versions(), { people: [left, 1] });
        await prepareDatabase(db, [PEOPLE], { lease: { leaseMs: 1_500 } });
        assert.deepEqual(await people(), NEW_PEOPLE);
        assert.deepEqual(await versions(), { people: [3, 1] });
      } finally {
        await rm(folder, { recursive: true });
      }
    });

  it('of a newer program are refused, and nothing is touched: by a worker, by a gateway, by its compactor', async () => {
    await prepareDatabase(db, ALL);
    const routes = new ChangedTables(db);
    assert.deepEqual(await routes.readAll(), []);
    await schemaOf(db).updateMany({ _id: { $in: ['routes', 'windows'] } }, { $set: { version: 2 } });
    await db.command({ collMod: 'ledger', validationLevel: 'off' });
    const refused =
      /^SchemaError: Database test-\S+ was written by a newer program.* (routes|windows) \(2, known are 1 to 1\)/;
    await assert.rejects(prepareDatabase(db), refused);
    const [{ options } = { options: {} }] = (await db.listCollections({ name: 'ledger' }).toArray()) as {
      options?: Document;
    }[];
    assert.equal(options?.['validationLevel'], 'off');
    await assert.rejects(routes.readAll(), refused);
    await assert.rejects(compactWindows({ client: mongo.client, name: fresh.name }, Date.now()), refused);
    const counting = new FakeCounting('g');
    counting.request(canaryTable(1, 0.5), 'k');
    await assert.rejects(new MongoWindowStore(db).insert(counting.flush(Date.now())), refused);
  });

  it('of a newer revision are worked with, and keep the validator of the newer program', async () => {
    await prepareDatabase(db, ALL);
    await schemaOf(db).updateOne({ _id: 'alerts' }, { $set: { revision: 9 } });
    await db.command({ collMod: 'alerts', validator: { _id: { $type: 'string' } } });
    await prepareDatabase(db, ALL);
    const [found] = (await db.listCollections({ name: 'alerts' }).toArray()) as { options?: Document }[];
    assert.deepEqual(found?.options?.['validator'], { _id: { $type: 'string' } });
    assert.deepEqual((await versions())['alerts'], [1, 9]);
  });

  it('are refused while a restore is half done', async () => {
    await prepareDatabase(db, ALL);
    await schemaOf(db).insertOne({
      _id: '(restore)',
      kind: 'restore',
      backup: 'b',
      folder: '/backups/monday',
      startedAt: new Date(),
      phase: 'swapping',
    });
    const half = (error: unknown): boolean =>
      error instanceof SchemaError && /repeat `tenure restore \/backups\/monday`/.test(error.message);
    await assert.rejects(prepareDatabase(db, ALL), half);
    await assert.rejects(new ChangedTables(db).readAll(), half);
  });
});
