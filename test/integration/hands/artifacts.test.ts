import assert from 'node:assert/strict';
import { chmod, rm } from 'node:fs/promises';
import { gatewayStatus } from '../../../src/client/gateways.js';
import { MongoRoutingStore } from '../../../src/platform/serving/index.js';
import { until } from '../../support/gateway.js';
import { digestOf, logisticModel } from '../../support/onnx.js';
import { MODELS } from '../../support/release-plan.js';
import { useReleaseStage } from '../../support/release-stage.js';
import { allAnswered, type Traffic } from '../../support/release-traffic.js';

const MODEL = 'lost';

describe('An artifact removed from the store', function () {
  this.timeout(90_000);
  const stage = useReleaseStage();
  let users: Traffic;

  before('a model with two versions in production, one after the other', async function () {
    this.timeout(120_000);
    const at = stage();
    users = await at.model(MODEL);
    users.resume();
    await at.ends(MODEL, await at.submit(MODEL, 'v2', MODELS.v2), 'succeeded');
  });
  after(() => users?.stop());
  afterEach('every request was answered', () => allAnswered(users));

  /** As somebody tidies up. @returns how to put it back */
  async function remove(content: Uint8Array): Promise<() => Promise<unknown>> {
    const artifacts = stage().session.artifacts();
    const { digest } = await artifacts.put(content);
    const path = await artifacts.pathOf(digest);
    await chmod(path, 0o600);
    await rm(path);
    return () => artifacts.put(content);
  }
  const idle = () =>
    until('the model to have heard', async () => (await stage().tenure.model(MODEL)).inFlight === null);

  it('before a release: its gates say so, and it is rejected', async () => {
    const at = stage();
    await idle();
    const content = logisticModel([0.55], -2.25);
    await at.register(MODEL, 'v3', content);
    await remove(content);
    const { release } = await at.tenure.submitRelease(MODEL, 'v3');
    const view = await at.ends(MODEL, release, 'rejected');
    assert.match(JSON.stringify(view.validation?.gates), /artifact/);
  });

  it('in mid-canary: the candidate gets no more traffic than it has, and is taken back', async () => {
    const at = stage();
    await idle();
    const content = logisticModel([0.56], -2.25);
    const release = await at.submit(MODEL, 'v4', content);
    await at.follow(MODEL, release, ({ canary }) => (canary?.weight ?? 0) > 0);
    await remove(content);
    const view = await at.ends(MODEL, release, 'rolled-back');
    assert.match(view.reason ?? '', /The artifact of v4 of lost is not in the store any more/);
    assert.equal((await at.table(MODEL)).champion?.version, 'v2');
  });

  it('before a rollback: a version that is still loaded serves at once; one that is not is told, and the champion stays', async () => {
    const at = stage();
    await idle();
    const putBack = await remove(MODELS.v1);
    const serves = (version: string) =>
      until(
        `${version} to serve`,
        async () => (await at.tenure.model(MODEL)).champion?.version === version,
        30_000,
      );
    await at.tenure.rollBack(MODEL, { reason: 'complaints' });
    await serves('v1');
    await at.tenure.rollBack(MODEL, { to: 'v2', reason: 'the complaints were about something else' });
    await serves('v2');
    await at.apply(MODEL, { rollbackWindowSeconds: 1 });
    const { db } = await at.session.database();
    const store = new MongoRoutingStore(db);
    const digest = digestOf(MODELS.v1);
    const loaded = async (): Promise<boolean> =>
      (await store.gateways()).gateways.some(({ observed }) => observed[MODEL]?.ready.includes(digest));
    await at.tenure.rollBack(MODEL, { reason: 'again' });
    await serves('v1');
    await at.tenure.rollBack(MODEL, { to: 'v2', reason: 'again' });
    await until('v1 to be unloaded', async () => !(await loaded()), 30_000);
    await at.tenure.rollBack(MODEL, { reason: 'complaints' });
    await until(
      'the record',
      async () => (await at.history(MODEL)).some(({ event }) => event.action === 'model.rollback-failed'),
      30_000,
    );
    await until('v2 to serve alone', async () => (await at.table(MODEL)).champion?.version === 'v2');
    assert.equal((await at.tenure.model(MODEL)).champion?.version, 'v2');
    await putBack();
  });

  it('of what serves: gateways go on from memory; one that is restarted says what it misses, and serves when it is back', async () => {
    const at = stage();
    const putBack = await remove(MODELS.v2);
    const [first] = at.gateways;
    users.reset();
    await until('answers', () => users.seen.sent > 40);
    await users.stop();
    await at.kill(first!.process);
    const again = await at.startGateway(first!.id);
    const failed = await until('the gateway to say so', async () => {
      const sight = JSON.stringify(await gatewayStatus(at.session));
      return /not in the store/.test(sight) && sight;
    });
    assert.match(failed, /not in the store/);
    await putBack();
    await until(
      'answers of the new one',
      async () => {
        const answer = await fetch(`${again.url}/v2/models/${MODEL}/ready`);
        return answer.status === 200;
      },
      30_000,
    );
  });
});
