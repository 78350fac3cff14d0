import { strict as assert } from 'node:assert';
import { randomUUID } from 'node:crypto';
import {
  abortQueued,
  decideApproval,
  freezeModel,
  submitRelease,
  unfreezeModel,
} from '../../src/contracts/messages.js';
import { approvalBy } from '../support/manifests.js';
import { useModel } from '../support/workflow-env.js';

describe('queue of releases', function () {
  this.timeout(60_000);
  const start = useModel();

  it('has one in flight at a time, in the order of submission', async () => {
    const { model, platform } = await start({}, { champion: 'v1' });
    const goOn = platform.holdLooks(() => true);
    const second = await model.submit('v2');
    await model.untilStage(second, 'canary');
    const third = await model.submit('v3');
    const fourth = await model.submit('v4');
    const view = await model.view();
    assert.deepEqual([view.inFlight, view.queue], [second, [third, fourth]]);
    goOn();
    for (const number of [second, third, fourth]) assert.equal(await model.ended(number), 'succeeded');
    const ends = platform.recorded('release.succeeded').map(({ subject }) => subject['release']);
    assert.deepEqual(ends, [second, third, fourth]);
    assert.equal(platform.serving, 'v4');
  });

  it('lets a newer one supersede what is queued and what has not started its canary', async () => {
    const approval = { beforeDeploy: approvalBy(1, 'ann'), beforePromote: null };
    const { model, platform } = await start({ approval }, { champion: 'v1' });
    const second = await model.submit('v2');
    await model.until(async () => (await model.asked(second)) !== null);
    const third = await model.submit('v3');
    const fourth = await model.submit('v4', { supersede: true });
    assert.equal(await model.ended(second), 'aborted');
    assert.match(
      String(platform.recorded('release.aborted')[0]?.evidence['reason']),
      /superseded by release 4/,
    );
    await model.until(async () => (await model.view()).inFlight === fourth);
    const stages = (await model.view()).releases.map(({ release, stage }) => [release, stage]);
    assert.deepEqual(stages.slice(1), [
      [third, 'superseded'],
      [second, 'aborted'],
      [1, 'succeeded'],
    ]);
  });

  it('is left by a release that is aborted, once recorded; one in flight is told', async () => {
    const { model, platform } = await start({}, { champion: 'v1' });
    platform.holdLooks(() => true);
    const second = await model.submit('v2');
    await model.untilStage(second, 'canary');
    const third = await model.submit('v3');
    const requestId = randomUUID();
    const abort = () => model.ask(abortQueued, { release: third, reason: 'not needed', requestId });
    assert.deepEqual([await abort(), await abort()], [{ accepted: true }, { accepted: true }]);
    const view = await model.view();
    assert.deepEqual(
      [view.queue, view.releases[0]?.stage, view.releases[0]?.reason],
      [[], 'aborted', 'not needed'],
    );
    const [entry] = platform.recorded('release.aborted');
    assert.deepEqual(
      [entry?.subject['release'], entry?.actor.id, entry?.evidence['queued']],
      [third, 'otto', true],
    );
    const late = await model.ask(abortQueued, { release: third, reason: 'again' });
    assert.match(late.accepted ? '' : late.reason, /is over: it ended aborted/);
    const unknown = await model.ask(abortQueued, { release: 99, reason: 'x' });
    assert.match(unknown.accepted ? '' : unknown.reason, /release 99 of m-.* is not known/);
    await assert.rejects(model.ask(abortQueued, { release: 0.5, reason: 'x' }));
    await model.ask(abortQueued, { release: second, reason: 'both' });
    assert.equal(await model.ended(second), 'aborted');
    await model.idle();
    assert.equal(platform.recorded('release.aborted').length, 2);
  });

  it('does not supersede one whose canary has started, even while it waits for people', async () => {
    const approval = { beforeDeploy: null, beforePromote: approvalBy(1, 'ann') };
    const { model, platform } = await start({ approval }, { champion: 'v1' });
    const goOn = platform.holdLooks(() => platform.recorded('release.approval-requested').length > 0);
    const second = await model.submit('v2');
    await model.until(async () => (await model.asked(second)) !== null);
    await model.untilStage(second, 'awaiting-approval');
    await model.until(async () => (await model.view()).releases[0]?.stage === 'awaiting-approval');
    const third = await model.submit('v3', { supersede: true });
    assert.equal((await model.view()).inFlight, second);
    await model.release(second).executeUpdate(decideApproval, { args: [await model.decision(second)] });
    await model.untilStage(second, 'soaking');
    goOn();
    assert.equal(await model.ended(second), 'succeeded');
    await model.until(async () => (await model.view()).inFlight === third);
  });

  it('refuses what cannot be released, and says why', async () => {
    const { model, platform } = await start({}, { champion: 'v1' });
    platform.holdLooks(() => true);
    await model.submit('v2');
    platform.register(model.name, 'v3');
    const [again, twice] = await Promise.all(
      ['v3', 'v3'].map((version) => model.ask(submitRelease, { version, supersede: false })),
    );
    assert.equal([again, twice].filter((answer) => answer?.accepted === true).length, 1);
    const refusals: [string, RegExp][] = [
      ['v9', /version v9 of m-.* is not registered/],
      ['v1', /v1 is already in production/],
      ['v2', /v2 is already in release 2/],
      ['v3', /v3 is already in release 3/],
    ];
    for (const [version, why] of refusals) {
      const answer = await model.ask(submitRelease, { version, supersede: false });
      assert.match(answer.accepted ? '' : answer.reason, why);
    }
    assert.equal(platform.recorded('request.refused').length, 5);
    // The same request at the same time and later: one release, one record.
    const requestId = randomUUID();
    platform.register(model.name, 'v5');
    const submit = () => model.ask(submitRelease, { version: 'v5', supersede: false, requestId });
    const answers = [...(await Promise.all([submit(), submit()])), await submit()];
    assert.equal(new Set(answers.map((answer) => JSON.stringify(answer))).size, 1);
    assert.equal((await model.view()).queue.length, 2);
    await assert.rejects(model.ask(freezeModel, { reason: 'x', requestId }), (error: Error) =>
      /was used for submitRelease/.test(String(error.cause)),
    );
  });
});

describe('freeze', function () {
  this.timeout(60_000);
  const start = useModel();

  it('holds promotion until it is lifted, while the canary is looked at', async () => {
    const { model, platform } = await start({}, { champion: 'v1' });
    await model.ask(freezeModel, { reason: 'holidays' });
    const goOn = platform.holdLooks(() => platform.count('awaitLook') > 18);
    const number = await model.submit('v2');
    await model.until(
      async () => (await model.releaseView(number).catch(() => null))?.waitingFor === 'the end of the freeze',
    );
    assert.equal((await model.view()).health, 'frozen');
    assert.equal(platform.serving, 'v1');
    await model.until(() => platform.count('awaitLook') > 18);
    await model.ask(unfreezeModel, { reason: 'over' });
    await model.untilStage(number, 'soaking');
    goOn();
    assert.equal(await model.ended(number), 'succeeded');
    assert.deepEqual(
      platform.actions.filter((action) => /frozen/.test(action)),
      ['model.frozen', 'model.unfrozen'],
    );
  });

  it('does not hold back a rollback', async () => {
    const { model, platform } = await start({}, { champion: 'v1' });
    await model.ask(freezeModel, { reason: 'holidays' });
    const goOn = platform.holdLooks(() => platform.count('awaitLook') > 18);
    const number = await model.submit('v2');
    await model.until(() => platform.count('awaitLook') > 18);
    assert.equal((await model.releaseView(number)).waitingFor, 'the end of the freeze');
    platform.traffic = { keysPerSecond: 1000, candidateBad: 0.7, championBad: 0 };
    goOn();
    assert.equal(await model.ended(number), 'rolled-back');
    assert.equal(platform.serving, 'v1');
  });

  it('ends by itself, also when a former champion waits to be unloaded', async () => {
    const { model, platform } = await start({ rollbackWindowSeconds: 60 });
    await model.succeed('v1');
    await model.succeed('v2');
    const hour = 3600_000;
    const until = new Date((await model.env.currentTimeMs()) + 2 * hour).toISOString();
    await model.ask(freezeModel, { reason: 'holidays', until });
    const goOn = platform.holdLooks(() => platform.count('awaitLook') > 20);
    const third = await model.submit('v3');
    await model.untilStage(third, 'canary');
    platform.fail('awaitLook', () => new Error('the metrics are away'), 95);
    goOn();
    assert.equal(await model.ended(third), 'succeeded');
    const [thawed] = platform.recorded('model.unfrozen');
    const [promoted] = platform.ledger.filter(
      ({ action, subject }) => action === 'release.promoted' && subject['release'] === third,
    );
    assert.ok(Date.parse(thawed?.at ?? '') >= Date.parse(until));
    assert.ok(Date.parse(promoted?.at ?? '') >= Date.parse(until));
  });

  it('refuses a time that is over, and takes one that no timer holds', async () => {
    const { model } = await start({}, { champion: 'v1' });
    const past = await model.ask(freezeModel, { reason: 'x', until: '2020-01-01T00:00:00Z' });
    assert.match(past.accepted ? '' : past.reason, /a time in the future is needed/);
    await assert.rejects(model.ask(freezeModel, { reason: 'x', until: 'tomorrow' }));
    const never = await model.ask(unfreezeModel, { reason: 'x' });
    assert.match(never.accepted ? '' : never.reason, /is not frozen/);
    assert.equal(
      (await model.ask(freezeModel, { reason: 'x', until: '9999-01-01T00:00:00Z' })).accepted,
      true,
    );
    assert.equal((await model.view()).health, 'frozen');
  });
});
