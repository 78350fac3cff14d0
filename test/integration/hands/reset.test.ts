import assert from 'node:assert/strict';
import { modelWorkflowId, releaseWorkflowId } from '../../../src/contracts/ids.js';
import { until } from '../../support/gateway.js';
import { logisticModel } from '../../support/onnx.js';
import { MODELS } from '../../support/release-plan.js';
import { useReleaseStage } from '../../support/release-stage.js';
import { allAnswered, type Traffic } from '../../support/release-traffic.js';
import { newestRun, reset, tasksOf } from '../../support/temporal-hands.js';

const MODEL = 'reset';

describe('Reset in Temporal', function () {
  this.timeout(90_000);
  const stage = useReleaseStage();
  let users: Traffic;

  before('a model with three releases: two succeeded, one aborted', async function () {
    this.timeout(120_000);
    const at = stage();
    users = await at.model(MODEL);
    users.resume();
    await at.ends(MODEL, await at.submit(MODEL, 'v2', MODELS.v2), 'succeeded');
    const third = await at.submit(MODEL, 'v3', MODELS.v3);
    await at.follow(MODEL, third, ({ canary }) => (canary?.looks ?? 0) > 0);
    await at.tenure.abort(MODEL, third, { reason: 'second thoughts' });
    await at.ends(MODEL, third, 'aborted');
  });
  after(() => users?.stop());

  const idle = () =>
    until('the model to have heard', async () => (await stage().tenure.model(MODEL)).inFlight === null);
  const ids = async () => (await stage().record(MODEL)).map(({ event }) => event.id);

  for (const [release, outcome] of [
    [1, 'succeeded'],
    [2, 'succeeded'],
    [3, 'aborted'],
  ] as const)
    it(`of release ${release}, which has ${outcome}, changes no traffic and records nothing`, async () => {
      const at = stage();
      await idle();
      const id = releaseWorkflowId(MODEL, release);
      const before = { table: await at.table(MODEL), ids: await ids(), model: await at.tenure.model(MODEL) };
      const first = await newestRun(at.temporal, id);
      const tasks = await tasksOf(at.temporal, id);
      const places = [tasks[0]!, tasks[Math.floor(tasks.length / 2)]!, tasks.at(-2)!];
      for (const task of places) {
        const run = await reset(at.temporal, id, task, first);
        assert.equal(await at.temporal.workflow.getHandle(id, run).result(), outcome, `reset to ${task}`);
      }
      assert.deepEqual(await at.table(MODEL), before.table);
      assert.deepEqual(await ids(), before.ids);
      const { champion, releases, inFlight } = await at.tenure.model(MODEL);
      assert.deepEqual([champion, releases, inFlight], [before.model.champion, before.model.releases, null]);
      allAnswered(users);
    });

  for (const where of ['first', 'middle'] as const)
    it(`of a release in mid-canary to the ${where} task: it goes on, each act once`, async () => {
      const at = stage();
      await idle();
      const release = await at.submit(
        MODEL,
        `again-${where}`,
        logisticModel([where === 'first' ? 0.49 : 0.51], -2.2),
      );
      const id = releaseWorkflowId(MODEL, release);
      await at.follow(MODEL, release, ({ canary }) => canary?.step === 1 && canary.looks > 1);
      const tasks = await tasksOf(at.temporal, id);
      const run = await reset(
        at.temporal,
        id,
        where === 'first' ? tasks[0]! : tasks[Math.floor(tasks.length / 2)]!,
      );
      assert.equal(await at.temporal.workflow.getHandle(id, run).result(), 'succeeded');
      const record = await at.record(MODEL);
      const own = record
        .filter(({ event }) => event.subject['release'] === release)
        .map(({ event }) => event);
      assert.deepEqual(
        own.filter(({ id: own }) => own.includes('/again/')),
        [],
      );
      for (const action of ['release.validated', 'release.deployed', 'release.promoted', 'release.succeeded'])
        assert.equal(own.filter((event) => event.action === action).length, 1, action);
      await idle();
      assert.equal((await at.tenure.model(MODEL)).releases[0]?.stage, 'succeeded');
      assert.equal((await at.table(MODEL)).champion?.version, `again-${where}`);
      allAnswered(users);
    });

  it('of the model to a late task leaves it as it was', async () => {
    const at = stage();
    await idle();
    const id = modelWorkflowId(MODEL);
    const before = { table: await at.table(MODEL), ids: await ids(), model: await at.tenure.model(MODEL) };
    await reset(at.temporal, id, (await tasksOf(at.temporal, id)).at(-2)!);
    const { champion, releases, inFlight, generation } = await at.tenure.model(MODEL);
    assert.deepEqual(
      [champion, releases, inFlight, generation],
      [before.model.champion, before.model.releases, null, before.model.generation],
    );
    assert.deepEqual([await at.table(MODEL), await ids()], [before.table, before.ids]);
  });

  it('of the model to its first task loses what it knew, and no release starts from that', async () => {
    const at = stage();
    const id = modelWorkflowId(MODEL);
    const before = { table: await at.table(MODEL), ids: await ids() };
    await reset(at.temporal, id, (await tasksOf(at.temporal, id))[0]!);
    await at.register(MODEL, 'after', logisticModel([0.53], -2.2));
    await assert.rejects(
      () => at.tenure.submitRelease(MODEL, 'after'),
      /is at generation \d+, by release:reset:\d+\/settle\/1, and its workflow knows none: .* See `tenure doctor`/,
    );
    assert.deepEqual(await at.table(MODEL), before.table);
    const added = (await at.history(MODEL)).filter(({ event }) => !before.ids.includes(event.id));
    assert.deepEqual(
      added.map(({ event }) => event.action),
      ['version.registered', 'request.refused'],
    );
    users.reset();
    await until('answers', () => users.seen.sent > 40);
    assert.deepEqual(Object.keys(allAnswered(users).byVersion), ['again-middle']);
  });
});
