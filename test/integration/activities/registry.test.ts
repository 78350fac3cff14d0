import assert from 'node:assert/strict';
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { MockActivityEnvironment } from '@temporalio/testing';
import { createRegistryActivities } from '../../../src/activities/registry.js';
import type { RegisterVersionInput } from '../../../src/contracts/activities.js';
import { MongoLedger, verifyLedger } from '../../../src/ledger/index.js';
import { FolderArtifactStore, MongoVersionRegistry } from '../../../src/platform/registry/index.js';
import { MongoRoutingStore } from '../../../src/platform/serving/index.js';
import { activityEnvironment, inActivity } from '../../support/activity.js';
import { openTestDatabase } from '../../support/database.js';
import { manifest } from '../../support/manifests.js';
import { identityModel, logisticModel } from '../../support/onnx.js';

describe('registry activities', () => {
  let database: Awaited<ReturnType<typeof openTestDatabase>>;
  let folder: string;
  let artifacts: FolderArtifactStore;
  let registry: MongoVersionRegistry;
  let ledger: MongoLedger;
  let env: MockActivityEnvironment;

  before(async () => {
    database = await openTestDatabase();
    folder = await mkdtemp(join(tmpdir(), 'tenure-registry-'));
    artifacts = new FolderArtifactStore(folder);
    registry = new MongoVersionRegistry(database.db);
    env = activityEnvironment();
  });
  // A writer takes what it has just written for the newest: one that outlived the clearing below would go on from there.
  beforeEach(() => {
    ledger = new MongoLedger(database.collections.ledger);
  });
  after(async () => {
    await database.drop();
    await rm(folder, { recursive: true });
  });
  afterEach(async () => {
    await Promise.all([
      database.collections.ledger.deleteMany({}),
      database.collections.versions.deleteMany({}),
    ]);
  });

  const activities = () =>
    createRegistryActivities({ registry, artifacts, ledger, routes: new MongoRoutingStore(database.db) });
  const register = (input: RegisterVersionInput) =>
    inActivity(env, () => activities().registerVersion(input));
  const put = async (content: Uint8Array): Promise<string> => (await artifacts.put(content)).digest;
  const input = (digest: string, changes: Partial<RegisterVersionInput> = {}): RegisterVersionInput => ({
    manifest: manifest(),
    version: 'v1',
    digest,
    lineage: { codeRevision: 'abc', metrics: { auc: 0.81 } },
    registeredBy: 'Ada',
    requestId: 'request-1',
    at: '2026-01-31T12:00:00.000Z',
    ...changes,
  });
  const reasonOf = async (given: RegisterVersionInput): Promise<string> => {
    const answer = await register(given);
    assert.equal(answer.accepted, false);
    assert.equal(await registry.find('employment', given.version), null, 'nothing is left half done');
    assert.equal((await ledger.head('employment')).sequence, 0);
    return answer.accepted ? '' : answer.reason;
  };

  it('registers a version that loads and fits, and records it', async () => {
    const digest = await put(logisticModel([1.5]));
    const answer = await register(input(digest));
    assert.ok(answer.accepted);
    assert.deepEqual(answer.record, {
      model: 'employment',
      version: 'v1',
      digest,
      sizeBytes: await artifacts.size(digest),
      lineage: { codeRevision: 'abc', metrics: { auc: 0.81 } },
      registeredBy: 'Ada',
      registeredAt: '2026-01-31T12:00:00.000Z',
    });
    assert.deepEqual(answer.head, await ledger.head('employment'));
    assert.deepEqual(await activities().findVersion({ model: 'employment', version: 'v1' }), {
      ...answer.record,
      table: null,
    });
    assert.equal(await activities().findVersion({ model: 'employment', version: 'v9' }), null);
    const event = await ledger.find('employment', 'version:employment:v1/registered');
    assert.deepEqual([event?.action, event?.actor.id], ['version.registered', 'Ada']);
  });

  it('gives a repeat the same answer, whoever repeats it and whenever', async () => {
    const digest = await put(logisticModel([1.5]));
    const first = await register(input(digest));
    const later = {
      registeredBy: 'Bob',
      requestId: 'request-2',
      at: '2026-02-01T00:00:00.000Z',
      lineage: {},
    };
    assert.deepEqual(await register(input(digest, later)), first);
    const both = await Promise.all([
      register(input(digest, { version: 'v1' })),
      register(input(digest, { version: 'v1', registeredBy: 'Eve' })),
    ]);
    assert.deepEqual(both, [first, first]);
    const result = await verifyLedger(database.collections.ledger);
    assert.deepEqual([result.ok, result.events], [true, 1]);
  });

  it('records what was registered just before a crash', async () => {
    const digest = await put(logisticModel([1.5]));
    await registry.register({
      model: 'employment',
      version: 'v1',
      digest,
      sizeBytes: 1,
      lineage: {},
      registeredBy: 'Ada',
      registeredAt: '2026-01-31T12:00:00.000Z',
    });
    const answer = await register(input(digest));
    assert.ok(answer.accepted);
    assert.equal(answer.head.sequence, 1);
  });

  it('never changes the digest of a name, nor the name of a digest', async () => {
    const [one, two] = [await put(logisticModel([1])), await put(logisticModel([2]))];
    assert.ok((await register(input(one))).accepted);
    const other = await register(input(two));
    assert.match(
      other.accepted ? '' : other.reason,
      /^Version v1 of employment is registered with digest .* choose another/,
    );
    const renamed = await register(input(one, { version: 'v2' }));
    assert.match(renamed.accepted ? '' : renamed.reason, /is registered as version v1 of employment already/);
    const race = await Promise.all([
      register(input(two, { version: 'v3' })),
      register(input(two, { version: 'v4' })),
    ]);
    assert.equal(race.filter(({ accepted }) => accepted).length, 1);
    assert.deepEqual((await registry.list('employment')).length, 2);
  });

  it('refuses what is not there, damaged, or no model, with the reason', async () => {
    assert.match(await reasonOf(input('0'.repeat(64))), /^No artifact with digest 0{64} in the store/);
    assert.match(await reasonOf(input('v1')), /^digest is "v1": 64 lower-case hex digits are needed/);
    assert.match(await reasonOf(input('0'.repeat(64), { version: '../v1' })), /^version is "\.\.\/v1"/);
    const rotten = await put(logisticModel([7]));
    const path = await artifacts.pathOf(rotten);
    await chmod(path, 0o644);
    await writeFile(path, logisticModel([8]));
    assert.match(
      await reasonOf(input(rotten)),
      /^The stored bytes of artifact .* are not those of its digest: put it again/,
    );
    const text = await put(Buffer.from('not a model at all'));
    assert.match(await reasonOf(input(text)), new RegExp(`^artifact ${text} cannot be loaded: `));
  });

  it('refuses a model whose inputs or outputs are not those of the manifest, and names each', async () => {
    const wide = await put(logisticModel([1, 2]));
    assert.match(
      await reasonOf(input(wide)),
      /input x has shape \[-1, 2\] in the model, but width 1 in the manifest/,
    );
    const other = await put(identityModel([{ name: 'y', datatype: 'INT64', shape: ['N', 1] }]));
    const reason = await reasonOf(input(other));
    assert.match(reason, /the model has no input x; it has y/);
    assert.match(reason, /the model needs an input y, which schema.inputs does not have/);
    assert.match(reason, /the model has no output score; it has out_y/);
  });
});
