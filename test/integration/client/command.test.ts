import { strict as assert } from 'node:assert';
import { randomUUID } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { VerifiedLedger } from '../../../src/client/audit.js';
import type { Inventory } from '../../../src/client/reports.js';
import type { ReleaseSight } from '../../../src/client/watch.js';
import type { VersionRecord } from '../../../src/contracts/model.js';
import type { FleetReport } from '../../../src/contracts/report.js';
import type { ModelView } from '../../../src/contracts/views.js';
import { parseManifest } from '../../../src/manifest/index.js';
import { connectMongo, prepareDatabase, type TenureDatabase } from '../../../src/platform/mongo/index.js';
import { FolderArtifactStore } from '../../../src/platform/registry/index.js';
import { MongoRoutingStore } from '../../../src/platform/serving/index.js';
import { type Environment, type Ran, runTenure, startTenure, tenureHere } from '../../support/command.js';
import { logisticModel } from '../../support/onnx.js';
import { ScriptedPlatform } from '../../support/scripted-platform.js';
import { type ScriptedWorker, startScriptedWorker } from '../../support/scripted-worker.js';
import { getTestStack } from '../../support/stack.js';

const MODEL = `command-${randomUUID().slice(0, 8)}`;

const YAML = `apiVersion: tenure/v1
kind: Model
name: ${MODEL}
team: census
owner: olga
purpose: Drives the command.
task: binary
riskTier: low
schema:
  inputs: [{ name: x, datatype: FP32, width: 2 }]
  outputs: [{ name: score, datatype: FP32 }]
prediction: { score: score }
validation: { data: rows.csv, target: y }
approval:
  beforeDeploy: { quorum: 2, approvers: [{ name: bea, roles: [risk] }, { name: carl, roles: [risk] }], expiresAfterSeconds: 3600 }
canary:
  judgement: prove
  steps: [{ weight: 0.1, minKeys: 200, minSeconds: 0 }, { weight: 0.5, minKeys: 200, minSeconds: 0 }]
  guardrails: [{ name: errors, kind: errors, relativeMargin: 1.5, absoluteMargin: 0.005 }]
soak: { seconds: 1, holdback: 0 }
shadow: null
`;

const parsed = ({ stdout }: Ran): unknown => JSON.parse(stdout);

describe('command: against a real Temporal and MongoDB', function () {
  this.timeout(60_000);
  const platform = new ScriptedPlatform();
  let home: string;
  let env: Environment;
  let mongo: TenureDatabase;
  let worker: ScriptedWorker;
  /** As a process. */
  const tenure = (...args: string[]): Promise<Ran> => runTenure(args, env);
  /** Within this process, where the process is not what is tested. */
  const here = (...args: string[]): Promise<Ran> => tenureHere(args, env);

  before(async () => {
    home = await mkdtemp(join(tmpdir(), 'tenure-command-'));
    const stack = await getTestStack();
    const [database, taskQueue] = [`test-${randomUUID().slice(0, 13)}`, `test-${randomUUID()}`];
    mongo = await connectMongo(stack.mongodbUri, database);
    await prepareDatabase(mongo.db);
    env = {
      TENURE_HOME: home,
      TEMPORAL_ADDRESS: stack.temporalAddress,
      TEMPORAL_CONFIG_FILE: join(home, 'none.toml'),
      MONGODB_URI: stack.mongodbUri,
      TENURE_DATABASE: database,
      TENURE_TASK_QUEUE: taskQueue,
      TENURE_USER: 'eve',
    };
    const artifacts = new FolderArtifactStore(join(home, 'artifacts'));
    worker = await startScriptedWorker({
      address: stack.temporalAddress,
      taskQueue,
      db: mongo.db,
      artifacts,
      platform,
    });
    await writeFile(join(home, 'model.yaml'), YAML);
    await writeFile(join(home, 'rows.csv'), 'x,y\n1,0\n');
    await writeFile(join(home, 'v1.onnx'), logisticModel([1, 1]));
    await writeFile(join(home, 'v2.onnx'), logisticModel([1, 2]));
    await writeFile(join(home, 'narrow.onnx'), logisticModel([1]));
    await writeFile(join(home, 'broken.onnx'), 'not a model');
  });

  after(async () => {
    await worker?.stop();
    await mongo?.db.dropDatabase();
    await mongo?.close();
    await rm(home, { recursive: true, force: true });
  });

  it('applies a manifest, and shows it with its defaults', async () => {
    const unknown = await here('model', 'show', MODEL);
    assert.equal(unknown.code, 1);
    assert.match(unknown.stderr, /is not known here: apply its manifest first/);
    const applied = await tenure('model', 'apply', join(home, 'model.yaml'), '--json');
    assert.equal(applied.code, 0, applied.stderr);
    const { revision, dataDigest } = parsed(applied) as { revision: number; dataDigest: string };
    assert.equal(revision, 1);
    assert.equal(
      (parsed(await here('model', 'apply', join(home, 'model.yaml'), '--json')) as { revision: number })
        .revision,
      1,
    );
    const shown = await here('model', 'show', MODEL, '--resolved');
    const resolved = parseManifest(shown.stdout);
    assert.ok(resolved.ok);
    assert.equal(resolved.manifest.validation.dataDigest, dataDigest);
    assert.equal(resolved.manifest.canary.alpha, 0.01);
  });

  it('refuses a manifest whose data are not there, at the line that names them', async () => {
    const file = join(home, 'no-data.yaml');
    await writeFile(file, YAML.replace('rows.csv', 'no.csv'));
    const { code, stderr } = await here('model', 'apply', file);
    assert.equal(code, 2);
    assert.match(stderr, /no-data\.yaml:13:21 {2}validation\.data is "no\.csv": .*cannot be read/);
  });

  it('registers versions, and refuses what is not what it should be', async () => {
    const file = (name: string): string => join(home, name);
    const [first, second] = await Promise.all([
      tenure('version', 'register', MODEL, 'v1', file('v1.onnx'), '--code-revision', '4f1c2ab'),
      tenure('version', 'register', MODEL, 'v2', file('v2.onnx'), '--parent', 'v1', '--json'),
    ]);
    assert.equal(first.code, 0, first.stderr);
    assert.match(first.stdout, /registered\nversion +v1 of/);
    const { digest, lineage } = parsed(second) as VersionRecord;
    assert.deepEqual(lineage, { parentVersion: 'v1' });
    const refused = [
      [['v3', file('v2.onnx'), '--digest', '0'.repeat(64)], /not 0{64}/],
      [['v1', file('v2.onnx')], /v1 of .* is registered with digest/],
      [['v3', file('v2.onnx')], /is registered as version v2/],
      [['v3', file('broken.onnx')], /./],
      [['v3', file('narrow.onnx')], /x/],
    ] as const;
    for (const [args, message] of refused) {
      const { code, stderr } = await here('version', 'register', MODEL, ...args);
      assert.equal(code, 1, args.join(' '));
      assert.match(stderr, message);
    }
    const elsewhere = await here('version', 'register', 'nobody', 'v1', file('v1.onnx'));
    assert.equal(elsewhere.code, 1);
    const list = parsed(await here('version', 'list', MODEL, '--json')) as VersionRecord[];
    assert.deepEqual(new Set(list.map(({ version }) => version)), new Set(['v1', 'v2']));
    const shown = parsed(await here('version', 'show', MODEL, 'v2', '--json'));
    const { digest: same, profile } = shown as VersionRecord & { readonly profile: unknown };
    assert.deepEqual([same, profile], [digest, null]);
    assert.match(
      (await here('version', 'show', MODEL, 'v2')).stdout,
      /No reference profile: one is made when/,
    );
    const missing = await here('version', 'show', MODEL, 'v9');
    assert.equal(missing.code, 1);
    assert.match(missing.stderr, /v9 .* is not known; registered: v/);
  });

  it('releases with --wait: refused decisions, approvals, and an exit code by the outcome', async () => {
    for (const [args, message] of [
      [['start', MODEL, 'v9'], /v9 .* is not registered/],
      [['status', MODEL], /has no release/],
      [['status', MODEL, '7'], /release 7 of .* is not known; it has none/],
    ] as const) {
      const { code, stderr } = await here('release', ...args);
      assert.equal(code, 1);
      assert.match(stderr, message);
    }
    const waiting = startTenure(['release', 'start', MODEL, 'v1', '--wait'], env);
    await until(1, ({ view }) => view?.approval !== null);
    for (const [args, message] of [
      [
        ['approve', MODEL, '1', '--reason', 'mine'],
        /eve submitted the release|eve is not among the approvers/,
      ],
      [['approve', MODEL, '--as', 'zoe', '--reason', 'r'], /zoe is not among the approvers.*: bea, carl/],
      [['promote', MODEL, '--as', 'bea', '--reason', 'r'], /waiting for beforeDeploy, not beforePromote/],
      [['start', MODEL, 'v1'], /v1 is already in release 1/],
    ] as const) {
      const { code, stderr } = await here('release', ...args);
      assert.equal(code, 1, args.join(' '));
      assert.match(stderr, message);
    }
    await until(1, () => waiting.progress().includes('approval before deployment by 2 of bea, carl'));
    const approved = await here('release', 'approve', MODEL, '1', '--as', 'bea', '--reason', 'read');
    await until(1, () => waiting.progress().includes('approved by bea: read'));
    assert.equal(approved.code, 0, approved.stderr);
    const twice = await here('release', 'approve', MODEL, '1', '--as', 'bea', '--reason', 'again');
    assert.equal(twice.code, 1);
    assert.match(twice.stderr, /bea has already approved/);
    const status = await here('release', 'status', MODEL);
    assert.match(status.stdout, /Approval before deployment: 1 of 2/);
    assert.match(status.stdout, /May decide: bea, carl/);
    assert.equal((await here('release', 'approve', MODEL, '--as', 'carl', '--reason', 'fine')).code, 0);
    const { code, stdout, stderr } = await waiting.ended;
    assert.equal(code, 0, stderr);
    assert.match(stdout, /\nsucceeded\n/);
    for (const words of ['release 1 of', 'has started', 'release 1: succeeded'])
      assert.ok(stderr.includes(words), words);
    assert.ok(!`${stdout}${stderr}`.includes('\u001b'));
  });

  it('refuses what comes too late: decisions, aborts, and a version that serves already', async () => {
    for (const args of [
      ['approve', MODEL, '1', '--as', 'bea', '--reason', 'late'],
      ['abort', MODEL, '1', '--reason', 'late'],
      ['retry', MODEL, '1'],
    ]) {
      const { code, stderr } = await here('release', ...args);
      assert.equal(code, 1);
      assert.match(stderr, /release 1 of .* is over: it ended succeeded/);
    }
    const again = await here('release', 'start', MODEL, 'v1');
    assert.equal(again.code, 1);
    assert.match(again.stderr, /v1 is already in production/);
  });

  it('watches a canary until it is aborted; one release queues behind it', async () => {
    // The platform's time is scripted: unless its looks are held, the canary can be over before the watch has started.
    const goOn = platform.holdLooks(() => true);
    assert.equal((await here('release', 'start', MODEL, 'v2')).code, 0);
    await until(2, ({ view }) => view?.approval !== null);
    const watching = startTenure(['release', 'watch', MODEL, '2', '--json'], env);
    for (const name of ['bea', 'carl'])
      assert.equal((await here('release', 'approve', MODEL, '--as', name, '--reason', 'ok')).code, 0);
    await until(
      2,
      () => watching.progress().includes('step 1 of 2, 10 % of the keys'),
      () => `the watch says ${JSON.stringify(watching.progress())}`,
    );
    const promote = await here('release', 'promote', MODEL, '2', '--as', 'bea', '--reason', 'now');
    assert.equal(promote.code, 1);
    assert.match(promote.stderr, /is not waiting for a decision/);
    const approve = await here('release', 'approve', MODEL, '2', '--as', 'bea', '--reason', 'now');
    assert.match(approve.stderr, /is not waiting for a decision: it is canary/);
    const second = await here('release', 'start', MODEL, 'v2');
    assert.equal(second.code, 1);
    assert.match(second.stderr, /v2 is already in release 2/);
    const freeze = await here(
      'model',
      'freeze',
      MODEL,
      '--reason',
      'holiday',
      '--until',
      '2999-01-01T00:00:00Z',
    );
    assert.equal(freeze.code, 0, freeze.stderr);
    assert.match(
      (await here('release', 'status', MODEL)).stdout,
      /Promotion is held back until 2999-01-01 00:00:00Z, rollback is not: holiday/,
    );
    assert.equal((await here('model', 'unfreeze', MODEL, '--reason', 'back')).code, 0);
    assert.equal((await here('release', 'abort', MODEL, '--reason', 'wrong data')).code, 0);
    const { code, stdout } = await watching.ended;
    assert.equal(code, 1);
    const end = JSON.parse(stdout) as ReleaseSight;
    assert.equal(end.stage, 'aborted');
    assert.match(end.view?.reason ?? '', /wrong data/);
    goOn();
  });

  it('shows the model, and lists it', async () => {
    const view = parsed(await here('model', 'show', MODEL, '--json')) as ModelView;
    assert.equal(view.champion?.version, 'v1');
    const { stdout } = await here('model', 'show', MODEL);
    assert.match(stdout, /2 +v2 +aborted +eve/);
    const listed = async (): Promise<string> => (await here('model', 'list')).stdout;
    for (let text = await listed(); !text.includes(MODEL); text = await listed())
      await new Promise((resolve) => setTimeout(resolve, 100));
    const rollBack = await here('model', 'roll-back', MODEL, '--to', 'v9', '--reason', 'r');
    assert.equal(rollBack.code, 1);
  });

  it('refuses a retraining with the reason, and shows what was held back', async () => {
    const { code, stderr } = await here('model', 'retrain', MODEL, '--reason', 'new feed');
    assert.equal(code, 1);
    assert.match(stderr, /the manifest has no retraining section/);
    const { stdout } = await here('model', 'show', MODEL);
    assert.match(stdout, /retraining +none runs\n/);
    assert.match(stdout, /held back +retraining by hand at .*: the manifest has no retraining section/);
  });

  it('tells the history and verifies it against the heads that the workflows carry', async () => {
    const { code, stdout } = await tenure('history', MODEL);
    assert.equal(code, 0);
    for (const words of [
      'eve submitted release 1',
      'bea approved release 1',
      'was aborted by eve: wrong data',
    ])
      assert.ok(stdout.includes(words), words);
    const whole = parsed(await here('history', MODEL, '--from', '3', '--events', '--json')) as {
      events: { sequence: number; event: object }[];
    };
    assert.equal(whole.events[0]?.sequence, 3);
    assert.ok(whole.events[0]?.event);
    const good = await tenure('ledger', 'verify', MODEL, '--json');
    assert.equal(good.code, 0, good.stdout);
    assert.equal((parsed(good) as VerifiedLedger).headsMatched, 1);
    const nobody = await here('history', 'nobody');
    assert.equal(nobody.code, 1);
    assert.match(nobody.stderr, /holds nothing of nobody/);
  });

  it('finds that the newest event was cut off, by the workflow’s head', async () => {
    const { ledger } = mongo.collections;
    const newest = await ledger.findOneAndDelete({ stream: MODEL }, { sort: { sequence: -1 } });
    assert.ok(newest);
    const bad = await here('ledger', 'verify');
    assert.equal(bad.code, 1);
    assert.match(bad.stdout, new RegExp(`${MODEL}, event ${newest.sequence}: cut-off`));
    const blind = await here('ledger', 'verify', MODEL, '--without-heads');
    assert.equal(blind.code, 0);
    await ledger.insertOne(newest);
  });

  it('shows gateways, and retires only those that are gone', async () => {
    const store = new MongoRoutingStore(mongo.db);
    const record = { boot: 'b', startedAt: '2026-01-01T00:00:00.000Z', observed: {} };
    await store.report({ ...record, gateway: 'gw-alive', url: 'http://127.0.0.1:1', status: 'serving' });
    for (const status of ['serving', 'stopped'] as const)
      await store.report({ ...record, gateway: 'gw-gone', url: 'http://127.0.0.1:2', status });
    const { stdout } = await here('gateway', 'status');
    assert.match(stdout, /gw-alive +serving/);
    const alive = await here('gateway', 'retire', 'gw-alive');
    assert.equal(alive.code, 1);
    assert.match(alive.stderr, /is alive \(heard of .* ago\): stop it first/);
    const retire = ['gateway', 'retire', 'gw-gone', '--reason', 'host gone'];
    const retired = await here(...retire);
    assert.equal(retired.code, 0, retired.stderr);
    assert.match((await here('gateway', 'status')).stdout, /gw-gone +retired/);
    // A repeat completes what was interrupted, and records nothing twice, whoever sends it.
    const ledger = mongo.collections.ledger;
    const recorded = () => ledger.find({ stream: 'fleet' }).sort({ sequence: 1 }).toArray();
    await ledger.deleteOne({ stream: 'fleet', action: 'gateway.retired' });
    for (const user of ['ben', 'cleo'])
      assert.equal((await here('gateway', 'retire', 'gw-gone', '--as', user)).code, 0);
    assert.deepEqual(
      (await recorded()).map(({ action, actor, subject }) => [action, actor.id, subject['gateway']]),
      [
        ['gateway.retirement-requested', 'eve', 'gw-gone'],
        ['gateway.retired', 'ben', 'gw-gone'],
      ],
    );
    const told = await here('history', 'fleet');
    assert.match(told.stdout, /ben counted gateway gw-gone out for good, last heard of at 20/);
    const fleet = await here('ledger', 'verify', 'fleet');
    assert.equal(fleet.code, 0);
    assert.match(fleet.stdout, /^ok: 2 event\(s\) in 1 stream\(s\)/);
    assert.match(fleet.stdout, /Head of fleet not compared: no workflow keeps it, as it belongs to no model/);
    const unknown = await here('gateway', 'retire', 'gw-9');
    assert.equal(unknown.code, 1);
    assert.match(unknown.stderr, /gw-9 is not known; registered: gw-alive, gw-gone/);
  });

  it('reports what the releases came to, and lists the model in the inventory', async () => {
    const report = parsed(await here('report', '--since', '1d', '--json')) as FleetReport;
    const { deployments, stopped, leadTime, changeFailRate, availability, retraining } = report;
    assert.equal(deployments.count, 1);
    assert.equal(stopped.aborted, 1);
    assert.deepEqual(
      leadTime.versions.map(({ version }) => version),
      ['v1'],
    );
    const [{ seconds, approvalSeconds } = { seconds: 0, approvalSeconds: 0 }] = leadTime.versions;
    assert.ok(approvalSeconds > 0 && approvalSeconds < seconds, `${approvalSeconds} of ${seconds}`);
    assert.deepEqual([changeFailRate.part, changeFailRate.whole], [0, 1]);
    assert.deepEqual([availability.byTime.value, availability.byRequests.value], [1, null]);
    assert.deepEqual([retraining.enabled.part, retraining.enabled.whole], [0, 1]);
    const inventory = parsed(await here('inventory', '--json')) as Inventory;
    assert.equal(inventory.healthUnknown, null);
    const [row] = inventory.models;
    assert.deepEqual([row?.model, row?.owner, row?.version, row?.health], [MODEL, 'olga', 'v1', 'healthy']);
  });

  it('retires the model, after which nothing can be released', async () => {
    assert.equal((await here('model', 'retire', MODEL, '--reason', 'done')).code, 0);
    const start = await here('release', 'start', MODEL, 'v2');
    assert.equal(start.code, 1);
    assert.match(start.stderr, /is retired/);
  });

  it('says with exit code 3 that no worker answers, and that heads could not be compared', async () => {
    await worker.stop();
    const [show, verify, ...changes] = await Promise.all([
      here('model', 'show', MODEL, '--timeout', '2'),
      here('ledger', 'verify', MODEL, '--timeout', '2'),
      here('model', 'apply', join(home, 'model.yaml'), '--timeout', '2'),
      here('model', 'freeze', MODEL, '--reason', 'r', '--timeout', '2'),
    ]);
    for (const { code, stderr } of [show, ...changes]) {
      assert.equal(code, 3);
      assert.match(stderr, /no worker answered: is `tenure up` \(or the worker\) running\?/);
    }
    assert.equal(verify.code, 3);
    assert.match(verify.stdout, /Head of .* not compared: no worker answered/);
  });

  async function until(
    release: number,
    isSo: (sight: ReleaseSight) => boolean,
    why: () => string = () => '',
  ): Promise<void> {
    let last = '';
    for (let tries = 0; tries < 600; tries += 1) {
      const { code, stdout, stderr } = await here('release', 'status', MODEL, String(release), '--json');
      last = `${stdout}${stderr}`;
      if (code === 0) {
        const sight = JSON.parse(stdout) as ReleaseSight;
        if (sight.view !== null && isSo(sight)) return;
      }
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    assert.fail(`release ${release} did not come so far: ${last} ${why()}`);
  }
});
