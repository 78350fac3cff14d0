import assert from 'node:assert/strict';
import { until } from '../../support/gateway.js';
import { logisticModel } from '../../support/onnx.js';
import { MODELS } from '../../support/release-plan.js';
import { useReleaseStage } from '../../support/release-stage.js';
import { allAnswered, type Traffic } from '../../support/release-traffic.js';

const MODEL = 'edited';
/** The release looks on, and acts only because of what it sees. */
const LONG_STEP = { weight: 0.25, minKeys: 200, minSeconds: 600 };

describe('A route changed by hand in MongoDB', function () {
  this.timeout(90_000);
  const stage = useReleaseStage();
  let users: Traffic;

  before('a model with a first version in production', async function () {
    this.timeout(120_000);
    users = await stage().model(MODEL);
    users.resume();
    const { canary } = (await stage().tenure.model(MODEL)).manifest;
    await stage().apply(MODEL, { canary: { ...canary, steps: [LONG_STEP, ...canary.steps.slice(1)] } });
  });
  after(() => users?.stop());

  const routes = async () => (await stage().session.database()).db.collection<{ _id: string }>('routes');

  const EDITS = {
    'all traffic to the candidate': async () => {
      const change = { $set: { 'candidate.weight': 1, changeId: 'by-hand' }, $inc: { generation: 1 } };
      await (await routes()).updateOne({ _id: MODEL }, change);
    },
    'the table removed': async () => {
      await (await routes()).deleteOne({ _id: MODEL });
    },
  } as const;

  for (const [i, [what, edit]] of Object.entries(EDITS).entries())
    it(`in mid-canary, ${what}: the release is rolled back with the reason, the champion serves everywhere`, async () => {
      const at = stage();
      const release = await at.submit(MODEL, `v-${i}`, logisticModel([0.48 + i / 100], -2.3));
      await at.follow(MODEL, release, ({ canary }) => (canary?.looks ?? 0) > 0);
      const { generation } = await at.table(MODEL);
      await edit();
      const view = await at.ends(MODEL, release, 'rolled-back');
      assert.match(view.reason ?? '', /The routing table of edited .* while release \d+ had it at \d+/);
      const table = await at.table(MODEL);
      assert.deepEqual([table.champion?.version, table.candidate], ['v1', null]);
      assert.ok(table.generation > generation, `generation ${table.generation} after ${generation}`);
      const actions = (await at.record(MODEL)).map(
        ({ event }) => `${event.action} ${Number(event.subject['release'])}`,
      );
      assert.ok(!actions.includes(`release.promoted ${release}`));
      users.reset();
      await until('answers', () => users.seen.sent > 40);
      assert.deepEqual(Object.keys(allAnswered(users).byVersion), ['v1']);
      const { db } = await at.session.database();
      await until('the alert', () =>
        db.collection('alerts').findOne({ title: `Release of v-${i} rolled-back` }),
      );
    });

  it('at rest: no release starts from a table that the model does not know', async () => {
    const at = stage();
    await until('the model to have heard', async () => (await at.tenure.model(MODEL)).inFlight === null);
    await at.apply(MODEL);
    await at.ends(MODEL, await at.submit(MODEL, 'v2', MODELS.v2), 'succeeded');
    await until('the model to have heard', async () => (await at.tenure.model(MODEL)).inFlight === null);
    const [former] = (await at.table(MODEL)).warm;
    const change = { $set: { champion: former, changeId: 'by-hand' }, $inc: { generation: 1 } };
    await (await routes()).updateOne({ _id: MODEL }, change);
    await at.register(MODEL, 'v3', MODELS.v3);
    await assert.rejects(
      () => at.tenure.submitRelease(MODEL, 'v3'),
      /is at generation \d+, by by-hand, and its workflow knows generation \d+: it was changed by hand/,
    );
    allAnswered(users);
  });
});
