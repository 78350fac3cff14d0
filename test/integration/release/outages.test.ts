import assert from 'node:assert/strict';
import { mkdtemp, realpath, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { killStack, startStack, type Stack } from '../../../src/stack/index.js';
import { mongodArgument } from '../../../src/stack/mongod.js';
import { findByArgument, signal } from '../../../src/stack/process.js';
import { temporalArgument } from '../../../src/stack/temporal.js';
import { until } from '../../support/gateway.js';
import { MODELS } from '../../support/release-plan.js';
import { ReleaseStage } from '../../support/release-stage.js';
import { allAnswered, type Traffic } from '../../support/release-traffic.js';
import { testBinaries } from '../../support/stack-binaries.js';

const MODEL = 'outage';

describe('releases whose servers are killed', function () {
  this.timeout(90_000);
  let dataDir: string;
  let stack: Stack;
  let stage: ReleaseStage;
  let traffic: Traffic | undefined;

  before('a stack of its own', async function () {
    this.timeout(180_000);
    dataDir = await realpath(await mkdtemp(join(tmpdir(), 'tenure-outage-')));
    process.once('exit', () => killStack(dataDir));
    stack = await startStack({ dataDir, binaries: testBinaries() });
    stage = await ReleaseStage.open(['gateway-1'], stack);
    traffic = await stage.model(MODEL, {}, { rate: 300 });
    traffic.resume();
    const { canary } = (await stage.tenure.model(MODEL)).manifest;
    const [first, ...rest] = canary.steps;
    await stage.apply(MODEL, { canary: { ...canary, steps: [{ ...first!, minSeconds: 4 }, ...rest] } });
  });
  after(async () => {
    await traffic?.stop();
    await stage?.close();
    await stack?.stop();
    await rm(dataDir, { recursive: true, force: true, maxRetries: 5 });
  });

  const kill = async (argument: string): Promise<void> => {
    const found = findByArgument(argument);
    assert.equal(found.length, 1);
    for (const identity of found) signal(identity, 'SIGKILL');
    await until('the end of the server', () => findByArgument(argument).length === 0);
  };
  const startAgain = async (): Promise<void> => {
    await startStack({ dataDir, binaries: testBinaries() });
  };

  it('go on after MongoDB was away; the gateway serves on, candidates get nothing once the lease is out', async () => {
    const users = traffic!;
    const release = await stage.submit(MODEL, 'v2', MODELS.v2);
    await stage.follow(MODEL, release, ({ canary }) => (canary?.looks ?? 0) > 0);
    await kill(mongodArgument(dataDir));
    const { leaseSeconds } = (await stage.tenure.model(MODEL)).manifest.serving;
    await sleep((leaseSeconds + 1) * 1_000);
    users.reset();
    await until('answers without MongoDB', () => users.seen.sent > 40);
    assert.deepEqual(Object.keys(users.seen.byVersion), ['v1']);
    await startAgain();
    await stage.ends(MODEL, release, 'succeeded');
    allAnswered(users);
    assert.equal((await stage.table(MODEL)).champion?.version, 'v2');
    await stage.record(MODEL);
  });

  it('go on after Temporal was killed and started again on its data', async () => {
    const users = traffic!;
    const release = await stage.submit(MODEL, 'v3', MODELS.v3);
    await stage.follow(MODEL, release, ({ canary }) => (canary?.looks ?? 0) > 0);
    await kill(temporalArgument(dataDir));
    users.reset();
    await until('answers of both versions without Temporal', () => (users.seen.byVersion['v3'] ?? 0) > 10);
    assert.ok((users.seen.byVersion['v2'] ?? 0) > 10);
    await startAgain();
    await until('Temporal to answer the client', () => stage.tenure.model(MODEL).catch(() => null), 30_000);
    await stage.ends(MODEL, release, 'succeeded');
    allAnswered(users);
    assert.equal((await stage.table(MODEL)).champion?.version, 'v3');
    await stage.record(MODEL);
  });
});
