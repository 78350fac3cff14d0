import assert from 'node:assert/strict';
import type { Context } from 'mocha';
import { post, row, until } from '../../support/gateway.js';
import { MODELS } from '../../support/release-plan.js';
import { useReleaseStage } from '../../support/release-stage.js';
import { allAnswered, type Traffic } from '../../support/release-traffic.js';

/** Stated bounds, a third above what is seen: a release that grows beyond them costs more than it says. */
const MOST = { first: 110, canary: 200, model: 60 };

describe('whole releases', function () {
  this.timeout(60_000);
  const stage = useReleaseStage();
  let whole: Traffic;
  let broken: Traffic;
  let held: Traffic;

  before('three models with a first version in production', async function () {
    this.timeout(90_000);
    // Codes above 9, one in ten, are what only live requests have.
    const code = (n: number): number => n % 11;
    [whole, broken, held] = await Promise.all([
      stage().model('whole'),
      stage().model('broken', {}, { code }),
      stage().model('held'),
    ]);
  });
  after(() => Promise.all([whole, broken, held].map((traffic) => traffic?.stop())));

  /** Users of one model, as long as a test lasts. */
  const withUsers = (name: string, model: () => Traffic, act: (this: Context) => Promise<void>): void => {
    it(name, async function () {
      model().resume();
      await act.call(this);
      model().pause();
    });
  };

  withUsers(
    `takes at most ${MOST.first} history events for a first release, ${MOST.canary} for a canary, ${MOST.model} of its model`,
    () => whole,
    async function () {
      const at = stage();
      const { canary } = (await at.tenure.model('whole')).manifest;
      await at.apply('whole', { canary: { ...canary, rollbackDrill: true } });
      const before = await at.historyLengths('whole', 1);
      const release = await at.submit('whole', 'v2', MODELS.v2);
      const view = await at.ends('whole', release, 'succeeded');
      const after = await at.historyLengths('whole', release);
      const events = { first: before.release, canary: after.release, model: after.model - before.model };
      assert.ok(
        events.first <= MOST.first && events.canary <= MOST.canary && events.model <= MOST.model,
        JSON.stringify(events),
      );
      const { test } = this;
      if (test !== undefined) test.title += `: ${events.first}, ${events.canary}, ${events.model}`;
      assert.equal(view.canary?.verdict?.proven, true);
      allAnswered(whole);

      whole.reset();
      await until('answers of both gateways', () => whole.seen.sent > 40);
      const { byVersion } = whole.seen;
      assert.deepEqual(Object.keys(byVersion), ['v2']);
      const { champion } = await at.table('whole');
      assert.equal(champion?.version, 'v2');

      const record = await at.record('whole');
      const story = record
        .map(({ event }) => event.action)
        .filter((action) => /^(release|canary)\./.test(action));
      for (const action of [
        'release.validated',
        'release.conformed',
        'canary.rollback-rehearsed',
        'release.promoted',
        'release.succeeded',
      ])
        assert.ok(story.includes(action), `${action} is not in ${story.join(', ')}`);
      const promoted = record.findLast(({ event }) => event.action === 'release.promoted');
      assert.deepEqual(promoted?.event.evidence['confirmed'], ['gateway-1', 'gateway-2']);
    },
  );

  withUsers(
    'rolls back a candidate that fails on live inputs, told as errors, with every request answered',
    () => broken,
    async () => {
      const at = stage();
      const release = await at.submit('broken', 'narrow', MODELS.narrow);
      const view = await at.ends('broken', release, 'rolled-back');
      assert.equal(view.validation?.passed, true);
      assert.match(view.reason ?? '', /errors/);
      assert.doesNotMatch(view.reason ?? '', /slow/);
      const { champion, candidate } = await at.table('broken');
      assert.deepEqual([champion?.version, candidate], ['v1', null]);
      const { fallbacks } = allAnswered(broken);
      assert.ok(fallbacks > 0, 'the candidate failed on live requests');
      broken.reset();
      await until('answers of both gateways', () => broken.seen.sent > 40);
      assert.deepEqual([Object.keys(broken.seen.byVersion), broken.seen.fallbacks], [['v1'], 0]);
      await at.record('broken');
    },
  );

  withUsers(
    'holds promotion back during a freeze; unfrozen, the release goes on',
    () => held,
    async () => {
      const at = stage();
      await at.tenure.freeze('held', { reason: 'end of the quarter' });
      const release = await at.submit('held', 'v2', MODELS.v2);
      const waiting = await at.follow('held', release, ({ waitingFor }) =>
        /end of the freeze/.test(waitingFor),
      );
      assert.deepEqual([waiting.stage, waiting.frozen], ['canary', true]);
      const looks = waiting.canary?.looks ?? 0;
      // It is judged on as long as it gets traffic, and is not promoted.
      const later = await at.follow('held', release, ({ canary }) => (canary?.looks ?? 0) > looks);
      assert.deepEqual([later.stage, (await at.table('held')).champion?.version], ['canary', 'v1']);
      await at.tenure.unfreeze('held', { reason: 'the quarter is over' });
      await at.ends('held', release, 'succeeded');
      assert.equal((await at.table('held')).champion?.version, 'v2');
      allAnswered(held);
    },
  );

  withUsers(
    'aborts in mid-canary: from then on the champion alone serves',
    () => held,
    async () => {
      const at = stage();
      const release = await at.submit('held', 'v3', MODELS.v3);
      await at.follow('held', release, ({ canary }) => (canary?.weight ?? 0) >= 0.25);
      held.reset();
      await until('the candidate to serve', () => (held.seen.byVersion['v3'] ?? 0) > 0);
      await at.tenure.abort('held', release, { reason: 'second thoughts' });
      const view = await at.ends('held', release, 'aborted');
      assert.equal(view.reason, 'second thoughts');
      allAnswered(held);
      held.reset();
      await until('answers of both gateways', () => held.seen.sent > 40);
      assert.deepEqual(Object.keys(held.seen.byVersion), ['v2']);
      const { event } = (await at.record('held')).findLast(
        (entry) => entry.event.action === 'release.aborted',
      )!;
      assert.deepEqual(event.actor, { kind: 'person', id: 'ada' });
    },
  );

  withUsers(
    'rolls back to the former champion by command while it serves, and redeploys one that is unloaded',
    () => whole,
    async () => {
      const at = stage();
      // From now on a former champion is unloaded at once.
      await at.apply('whole', { rollbackWindowSeconds: 1 });
      whole.reset();
      const { to } = await at.tenure.rollBack('whole', { reason: 'complaints' });
      assert.equal(to, 'v1');
      await until(
        'v1 to be champion',
        async () => (await at.tenure.model('whole')).champion?.version === 'v1',
      );
      assert.equal((await at.table('whole')).champion?.version, 'v1');
      const url = at.gateways[0]?.url ?? '';
      await until(
        'v2 to be unloaded',
        async () => (await post(url, 'whole/versions/v2', row(1))).status === 404,
      );

      await at.tenure.rollBack('whole', { to: 'v2', reason: 'the complaints were about something else' });
      await until(
        'v2 to be champion',
        async () => (await at.tenure.model('whole')).champion?.version === 'v2',
      );
      const { seen } = whole;
      allAnswered(whole);
      assert.ok((seen.byVersion['v1'] ?? 0) > 0, 'v1 has served in between');
      whole.reset();
      await until('answers of both gateways', () => whole.seen.sent > 40);
      assert.deepEqual(Object.keys(whole.seen.byVersion), ['v2']);
      const actions = (await at.record('whole')).map(({ event }) => event.action);
      assert.equal(actions.filter((action) => action === 'model.rolled-back').length, 2);
    },
  );

  it('retires a model: 503 with the reason, its versions unloaded, its history there', async () => {
    const at = stage();
    await whole.stop();
    await at.tenure.retire('whole', { reason: 'nobody asks any more' });
    await until('the retirement', async () => (await at.tenure.model('whole')).health === 'retired');
    for (const { url } of at.gateways) {
      const answer = await post(url, 'whole', row(1));
      assert.deepEqual(
        [answer.status, answer.body.error],
        [503, 'whole is not available: model whole is retired: nobody asks any more'],
      );
      for (const version of ['v1', 'v2']) {
        const named = await post(url, `whole/versions/${version}`, row(1));
        assert.deepEqual(
          [named.status, named.body.error?.endsWith('it has none')],
          [404, true],
          named.body.error,
        );
      }
    }
    await assert.rejects(() => at.tenure.submitRelease('whole', 'v1'), /model whole is retired/);
    const record = await at.record('whole');
    assert.deepEqual(
      [record[0]?.event.action, record.some(({ event }) => event.action === 'model.retired')],
      ['manifest.applied', true],
    );
  });
});
