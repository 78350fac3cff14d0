import { strict as assert } from 'node:assert';
import {
  applyManifest,
  freezeModel,
  registerVersion,
  retireModel,
  rollBackModel,
  submitRelease,
} from '../../src/contracts/messages.js';
import { digestOf } from '../support/scripted-platform.js';
import { monitoring } from '../support/manifests.js';
import { useModel } from '../support/workflow-env.js';

describe('modelLifecycle', function () {
  this.timeout(60_000);
  const start = useModel();

  it('rolls back to the newest former champion, then to the one before it, and by name to any', async () => {
    const { model, platform } = await start({}, { champion: 'v1' });
    await model.succeed('v2');
    await model.succeed('v3');
    const back = async (to?: string) =>
      model.ask(rollBackModel, { reason: 'complaints', ...(to === undefined ? {} : { to }) });
    const serves = (version: string) =>
      model.until(async () => (await model.view()).champion?.version === version);

    assert.deepEqual(await back(), { accepted: true, to: 'v2' });
    await serves('v2');
    assert.equal(platform.serving, 'v2');
    const kept = (await model.view()).warm.map(({ version }) => version);
    assert.deepEqual(kept, ['v3', 'v1']);
    assert.deepEqual(
      platform.route?.desired.warm.map(({ version }) => version),
      kept,
    );
    assert.deepEqual(await back(), { accepted: true, to: 'v1' });
    await serves('v1');
    assert.deepEqual(await back('v3'), { accepted: true, to: 'v3' });
    await serves('v3');
    const refusals: [string | undefined, RegExp][] = [
      ['v3', /already serves/],
      ['v9', /v9 has not been champion; former champions: /],
    ];
    for (const [to, why] of refusals) {
      const answer = await back(to);
      assert.match(answer.accepted ? '' : answer.reason, why);
    }
    assert.equal(platform.recorded('model.rolled-back').length, 3);
    assert.equal(platform.recorded('request.refused').length, 2);
    assert.equal((await model.view()).head.sequence, platform.ledger.length);
  });

  it('says that there is nothing to go back to', async () => {
    const { model } = await start({}, { champion: 'v1' });
    const answer = await model.ask(rollBackModel, { reason: 'x' });
    assert.match(answer.accepted ? '' : answer.reason, /no former champion/);
  });

  it('ends the release in flight before it rolls back', async () => {
    const { model, platform } = await start({}, { champion: 'v1' });
    await model.succeed('v2');
    const looks = platform.count('awaitLook');
    platform.holdLooks(() => true);
    const third = await model.submit('v3');
    await model.until(() => platform.count('awaitLook') > looks);
    assert.equal((await model.ask(rollBackModel, { reason: 'complaints' })).accepted, true);
    assert.equal(await model.ended(third), 'aborted');
    await model.until(async () => (await model.view()).champion?.version === 'v1');
    assert.equal(platform.serving, 'v1');
  });

  it('ends a release that is just being started', async () => {
    const { model, platform } = await start({}, { champion: 'v1' });
    await model.succeed('v2');
    let goOn: () => void = () => undefined;
    const held = new Promise<void>((resolve) => (goOn = resolve));
    platform.before = (activity) => (activity === 'validateVersion' ? held : undefined);
    await model.submit('v3');
    assert.equal((await model.ask(rollBackModel, { reason: 'complaints' })).accepted, true);
    goOn();
    await model.until(async () => (await model.view()).champion?.version === 'v1');
    await model.until(async () => (await model.view()).releases[0]?.endedAt !== null);
    assert.equal((await model.view()).champion?.version, 'v1');
    assert.equal(platform.serving, 'v1');
  });

  it('lets what serves go on when the version to go back to cannot be loaded', async () => {
    const { model, platform } = await start({}, { champion: 'v1' });
    await model.succeed('v2');
    platform.refuse('v1');
    await model.ask(rollBackModel, { reason: 'complaints' });
    await model.until(() => platform.recorded('model.rollback-failed').length === 1);
    await model.until(async () => !/rolling back/.test((await model.view()).waitingFor));
    assert.equal(platform.serving, 'v2');
    assert.equal((await model.view()).champion?.version, 'v2');
    await model.until(() => platform.alerts.length > 0);
    const [alert] = platform.alerts;
    assert.equal(alert?.title, 'Rollback to v1 failed: the version cannot be loaded');
    assert.match(alert.text, /^v2 goes on serving.*complaints$/);
    assert.equal(alert.severity, 'critical');
  });

  it('tells of a rollback that failed by an incident where there are monitors, until another version serves', async () => {
    const { model, platform } = await start({ monitoring: monitoring() }, { champion: 'v1' });
    await model.succeed('v2');
    platform.refuse('v1');
    await model.ask(rollBackModel, { reason: 'complaints' });
    const open = async () =>
      ((await model.view()).incidents ?? []).filter(
        ({ standing, cause }) => standing === 'open' && cause === 'failed-action/roll back',
      );
    await model.until(async () => (await open()).length === 1);
    assert.equal((await open())[0]?.severity, 'critical');
    await model.succeed('v3');
    await model.until(async () => (await open()).length === 0);
  });

  it('overtakes a rollback that cannot be verified by a newer one', async () => {
    const { model, platform } = await start({}, { champion: 'v1' });
    await model.succeed('v2');
    await model.succeed('v3');
    platform.before = (activity, input) => {
      if (activity === 'changeTraffic' && JSON.stringify(input).includes('model.rolled-back/intent'))
        if ((input as { desired: { champion: { version: string } } }).desired.champion.version === 'v2')
          throw new Error('gateway g1 is silent');
    };
    await model.ask(rollBackModel, { reason: 'complaints' });
    await model.until(async () => (await model.view()).health === 'alarm');
    await model.ask(rollBackModel, { reason: 'v2 does not come up', to: 'v1' });
    await model.until(async () => (await model.view()).champion?.version === 'v1');
    assert.equal(platform.serving, 'v1');
    assert.equal(platform.recorded('model.act-overtaken').length, 1);
    assert.equal((await model.view()).health, 'healthy');
  });

  it('retires: the queue is cleared, the route taken away, nothing more accepted', async () => {
    const { model, platform } = await start({}, { champion: 'v1' });
    platform.holdLooks(() => true);
    const second = await model.submit('v2');
    await model.untilStage(second, 'canary');
    const third = await model.submit('v3');
    assert.equal((await model.ask(retireModel, { reason: 'replaced' })).accepted, true);
    const late = await model.ask(rollBackModel, { reason: 'x', to: 'v1' });
    assert.match(late.accepted ? '' : late.reason, /is retired/);
    assert.equal(await model.ended(second), 'aborted');
    await model.until(async () => (await model.view()).health === 'retired');
    const view = await model.view();
    assert.deepEqual([view.champion, view.warm, view.queue], [null, [], []]);
    assert.equal(view.releases.find(({ release }) => release === third)?.stage, 'superseded');
    assert.equal(platform.route?.desired.phase, 'retired');
    assert.match(platform.route.desired.unavailableReason ?? '', /retired: replaced/);
    assert.equal(platform.serving, null);
    platform.register(model.name, 'v4');
    const answers = [
      await model.ask(submitRelease, { version: 'v4', supersede: false }),
      await model.ask(retireModel, { reason: 'again' }),
      await model.ask(applyManifest, { manifest: { ...model.manifest, purpose: 'another' } }),
      await model.ask(registerVersion, { version: 'v5', digest: digestOf('v5'), lineage: {} }),
    ];
    for (const answer of answers) assert.match(answer.accepted ? '' : answer.reason, /retired/);
    assert.equal(platform.recorded('model.retired').length, 1);
  });

  it('unloads a former champion when its rollback window is over; a failure postpones it', async () => {
    const { model, platform } = await start({ rollbackWindowSeconds: 3600 }, { champion: 'v1' });
    await model.succeed('v2');
    assert.deepEqual(
      platform.route?.desired.warm.map(({ version }) => version),
      ['v1'],
    );
    platform.fail('changeTraffic', () => new Error('no'), 5);
    for (let tries = 0; tries < 50 && (await model.view()).warm.length > 0; tries += 1)
      await model.skip(600_000);
    assert.deepEqual((await model.view()).warm, []);
    assert.deepEqual(platform.route?.desired.warm, []);
    assert.deepEqual(platform.recorded('model.rollback-window-ended')[0]?.subject, { unloaded: ['v1'] });
    assert.equal(platform.serving, 'v2');
  });

  for (const stage of ['canary', 'soaking'] as const)
    it(`puts the champion back when a release is terminated while ${stage}`, async () => {
      const { model, platform } = await start({}, { champion: 'v1' });
      platform.holdLooks(() => stage === 'canary' || platform.recorded('release.promoted').length > 0);
      const number = await model.submit('v2');
      await model.untilStage(number, stage);
      await model.until(async () => (await model.view()).releases[0]?.stage === stage);
      await model.untilStill(model.release(number), ['awaitLook']);
      await model.release(number).terminate('by hand');
      // This server does not tell a parent of it, as the real one does; the next message to the release finds out.
      await model.ask(freezeModel, { reason: 'look into it' });
      await model.until(async () => (await model.view()).releases[0]?.stage === 'aborted');
      const view = await model.view();
      assert.deepEqual([view.champion?.version, view.inFlight], ['v1', null]);
      assert.equal(view.health, 'frozen');
      assert.equal(platform.serving, 'v1');
      const { candidate, holdback } = platform.route?.desired ?? {};
      assert.deepEqual([candidate, holdback], [null, null]);
      assert.equal(platform.recorded('release.aborted').length, 1);
    });

  it('keeps the manifest, counts its revisions, and takes the same one as no change', async () => {
    const { model, platform } = await start();
    const same = await model.ask(applyManifest, { manifest: model.manifest });
    assert.deepEqual(same, { accepted: true, revision: 1 });
    const changed = { ...model.manifest, purpose: 'another' };
    assert.deepEqual(await model.ask(applyManifest, { manifest: changed }), { accepted: true, revision: 2 });
    assert.equal((await model.view()).manifest.purpose, 'another');
    assert.equal(platform.recorded('manifest.applied').length, 2);
  });
});
