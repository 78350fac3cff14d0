import { strict as assert } from 'node:assert';
import type { WorkflowHandle } from '@temporalio/client';
import { incidentWorkflowId } from '../../src/contracts/ids.js';
import type { IncidentView } from '../../src/contracts/incidents.js';
import type { Manifest } from '../../src/contracts/manifest.js';
import {
  abortRelease,
  actOnIncident,
  applyManifest,
  freezeModel,
  incidentState,
  monitorReported,
  rollBackModel,
} from '../../src/contracts/messages.js';
import type { ReleaseStage } from '../../src/contracts/model.js';
import type { FindingNotice, MonitoringSettings, MonitorReport } from '../../src/contracts/monitoring.js';
import { findingNotice, monitoring } from '../support/manifests.js';
import { type ModelUnderTest, useModel } from '../support/workflow-env.js';

const DAY = 24 * 3600_000;
const policy = (policies: Partial<MonitoringSettings['policy']>): MonitoringSettings['policy'] => ({
  ...monitoring().policy,
  ...policies,
});

describe('findings and what is done about them', function () {
  this.timeout(60_000);
  const start = useModel();

  const report = async (
    model: ModelUnderTest,
    findings: readonly FindingNotice[],
    cleared: MonitorReport['cleared'] = [],
  ): Promise<void> => {
    await model.handle.signal(monitorReported, { findings, cleared });
  };
  const notice = async (model: ModelUnderTest, id: string, fields: Partial<FindingNotice> = {}) =>
    findingNotice(id, await model.env.currentTimeMs(), fields);
  const gone = async (model: ModelUnderTest, cause: string): Promise<void> =>
    report(model, [], [{ cause, windows: 3, at: new Date(await model.env.currentTimeMs()).toISOString() }]);
  const handleOf = (model: ModelUnderTest, number = 1): WorkflowHandle =>
    model.env.client.workflow.getHandle(incidentWorkflowId(model.name, number));
  const incident = (model: ModelUnderTest, number = 1): Promise<IncidentView | null> =>
    handleOf(model, number)
      .query(incidentState)
      .catch(() => null);
  const untilIncident = (
    model: ModelUnderTest,
    number: number,
    isSo: (view: IncidentView) => boolean = () => true,
  ): Promise<void> =>
    model.until(async () => {
      const view = await incident(model, number);
      return view !== null && isSo(view);
    });
  const resolve = (model: ModelUnderTest, number: number, reason = 'seen to') =>
    handleOf(model, number).executeUpdate(actOnIncident, {
      args: [{ requestId: `resolve-${number}`, actor: 'ben', act: 'resolve', reason }],
    });

  it('opens one incident a cause, attaches what is found again, and ends it when the cause is gone', async () => {
    const settings = monitoring({ policy: policy({ quality: ['notify'] }) });
    const { model, platform } = await start({ monitoring: settings }, { champion: 'v1' });
    const first = await notice(model, 'f1');
    await report(model, [first]);
    await untilIncident(model, 1);
    // The same again, as after a monitor died between telling and noting it.
    await report(model, [first, first]);
    await report(model, [await notice(model, 'f2')]);
    await untilIncident(model, 1, ({ repeats }) => repeats === 1);
    const { incidents, hold } = await model.view();
    assert.deepEqual(
      incidents?.map(({ incident: number, cause, standing }) => [number, cause, standing]),
      [[1, 'data-quality/SCHL', 'open']],
    );
    assert.equal(hold, null);
    assert.deepEqual((await incident(model))?.findings, ['f1', 'f2']);
    await gone(model, 'data-quality/SCHL');
    await gone(model, 'never heard of');
    // Not by waiting for its result: with nothing else to come, this server's time would go on to the end of the model's workflow.
    await model.skip(2 * 3_600_000);
    await model.until(async () => (await handleOf(model).describe()).status.name === 'COMPLETED');
    assert.equal((await incident(model))?.resolved?.windows, 3);
    await model.until(async () => (await model.view()).incidents?.length === 0);
    assert.equal(platform.recorded('incident.opened').length, 1);
    // What returns later is another incident.
    await report(model, [await notice(model, 'f3')]);
    await untilIncident(model, 2);
  });

  it('lets go of what is no report, and of everything where monitoring is off', async () => {
    const { model } = await start({}, { champion: 'v1' });
    await report(model, [await notice(model, 'f1')]);
    const at = new Date().toISOString();
    for (const junk of [
      null,
      7,
      {},
      { findings: {}, cleared: [] },
      { findings: [{ ...(await notice(model, 'x')), kind: 'gossip' }], cleared: [] },
      { findings: Array.from({ length: 21 }, (_, n) => findingNotice(`${n}`, 0)), cleared: [] },
      { findings: [], cleared: [{ cause: 'c', windows: -1, at }] },
    ])
      await model.handle.signal('monitorReported', junk);
    for (const junk of [null, { incident: 1 }, { over: 'yes' }]) {
      await model.handle.signal('incidentReported', junk);
      await model.handle.signal('troubleReported', junk);
    }
    assert.deepEqual((await model.view()).incidents, []);
  });

  it('holds promotions back while the incident is open, never a rollback, and goes on when it is resolved', async () => {
    const settings = monitoring({ policy: policy({ quality: ['hold'] }) });
    const { model, platform } = await start({ monitoring: settings }, { champion: 'v1' });
    await report(model, [await notice(model, 'f1')]);
    await untilIncident(model, 1);
    const number = await model.submit('v2');
    await model.until(
      async () => (await model.releaseView(number).catch(() => null))?.hold?.reason !== undefined,
    );
    const held = await model.releaseView(number);
    assert.match(held.hold?.reason ?? '', /^incident 1 is open: SCHL has unseen values/);
    assert.match((await model.view()).hold?.reason ?? '', /^incident 1 is open/);
    assert.equal(platform.recorded('release.promoted').length, 0);
    await resolve(model, 1);
    assert.equal(await model.ended(number), 'succeeded');
    // It returns in time: held again.
    await report(model, [await notice(model, 'f2')]);
    await untilIncident(model, 1, ({ reopened }) => reopened === 1);
    assert.match((await model.view()).hold?.reason ?? '', /^incident 1 is open/);
  });

  it('rolls back once for a change soon after the promotion; that wins over a retraining, with the reason on record', async () => {
    const settings = monitoring({
      policy: policy({ quality: ['roll-back', 'retrain'], drift: ['retrain'] }),
    });
    const { model, platform } = await start({ monitoring: settings });
    await model.succeed('v1');
    await model.succeed('v2');
    const { champion } = await model.view();
    const old = new Date((await model.env.currentTimeMs()) - 30 * DAY).toISOString();
    const drift = await notice(model, 'd1', {
      kind: 'data-drift',
      cause: 'data-drift',
      version: champion,
      onset: old,
    });
    const broken = await notice(model, 'q1', { version: champion });
    await report(model, [drift, broken]);
    await report(model, [drift, broken]);
    await model.until(async () => (await model.view()).champion?.version === 'v1');
    // Found once more in the window after: it is about a version that does not serve any more.
    await report(model, [await notice(model, 'q2', { version: champion })]);
    await untilIncident(model, 1, ({ repeats }) => repeats === 1);
    const [rolledBack, ...more] = platform.recorded('model.rolled-back');
    assert.deepEqual(more, []);
    assert.equal(rolledBack?.evidence['finding'], 'q1');
    assert.deepEqual(rolledBack.actor.kind, 'system');
    assert.match(String(rolledBack.evidence['reason']), /soon after the promotion of v2/);
    const [lost] = platform.recorded('retraining.held-back');
    assert.equal(lost?.evidence['reason'], 'rolling back wins, which finding q1 asks for');
    await untilIncident(model, 1, ({ mitigated }) => mitigated?.how === 'back on v1');
    const view = await model.view();
    assert.equal(view.champion?.version, 'v1');
    assert.ok(view.heldBack?.some(({ reason }) => /it is about v2; v1 serves now/.test(reason)));
  });

  it('retrains for any other change: without a section retraining it is held back, once a finding', async () => {
    const settings = monitoring({
      policy: policy({ drift: ['retrain', 'roll-back'] }),
      promotionSeconds: 60,
    });
    const { model, platform } = await start({ monitoring: settings }, { champion: 'v1' });
    const drift = { kind: 'data-drift', cause: 'data-drift' } as const;
    const first = await notice(model, 'd1', drift);
    for (const found of [first, first, await notice(model, 'd2', drift)]) await report(model, [found]);
    await untilIncident(model, 1, ({ repeats }) => repeats === 1);
    await model.until(() => platform.recorded('retraining.held-back').length === 2);
    const [held] = platform.recorded('retraining.held-back');
    assert.deepEqual(held?.evidence, {
      trigger: 'finding',
      reason: 'the manifest has no retraining section',
      finding: 'd1',
      cause: 'data-drift',
      onset: first.onset,
    });
    assert.equal(platform.recorded('model.rolled-back').length, 0);
  });

  it('puts the fallback version in production when it was champion, else says why not', async () => {
    const settings = monitoring({
      policy: policy({ availability: ['fallback'], quality: ['fallback'] }),
      fallbackVersion: 'v1',
      promotionSeconds: 0,
    });
    const { model, platform } = await start({ monitoring: settings });
    await model.succeed('v1');
    await model.succeed('v2');
    await model.skip(DAY);
    await report(model, [await notice(model, 'a1', { kind: 'availability', cause: 'availability' })]);
    await model.until(async () => (await model.view()).champion?.version === 'v1');
    await report(model, [await notice(model, 'a2')]);
    await model.until(() => platform.recorded('model.action-held-back').length === 1);
    const [held] = platform.recorded('model.action-held-back');
    assert.equal(held?.evidence['reason'], 'version v1 already serves');
    assert.equal(platform.recorded('model.rolled-back').length, 1);
  });

  it('a release that was taken back is an incident of its own, until a later one succeeds', async () => {
    const { model, platform } = await start({ monitoring: monitoring() }, { champion: 'v1' });
    platform.traffic = { keysPerSecond: 1000, candidateBad: 0.3, championBad: 0 };
    const number = await model.submit('v2');
    assert.equal(await model.ended(number), 'rolled-back');
    await untilIncident(model, 1, ({ phase }) => phase === 'mitigated');
    const view = await incident(model);
    assert.deepEqual([view?.origin, view?.release], ['rolled-back', number]);
    assert.equal(view?.mitigated?.how, 'back on v1');
    const [opened] = platform.recorded('incident.opened');
    assert.equal(opened?.evidence['release'], number);
    // Told as an incident, and not a second time by the release.
    assert.equal(platform.alerts.filter(({ key }) => key.startsWith('release:')).length, 0);
    platform.traffic = { keysPerSecond: 1000, candidateBad: 0, championBad: 0 };
    await model.idle();
    await model.succeed('v3');
    await model.resultOf(handleOf(model));
    assert.match(
      String(platform.recorded('incident.resolved')[0]?.evidence['reason']),
      /release 3 ended succeeded/,
    );
  });

  it('what leaves production by hand is an incident too, an abort before that is a note', async () => {
    const { model, platform } = await start({ monitoring: monitoring() }, { champion: 'v1' });
    const abort = async (version: string, stage: ReleaseStage): Promise<number> => {
      const promoted = platform.recorded('release.promoted').length;
      let isHeld = false;
      const goOn = platform.holdLooks(
        () => (isHeld ||= stage === 'canary' || platform.recorded('release.promoted').length > promoted),
      );
      const number = await model.submit(version);
      await model.until(() => isHeld);
      await model
        .release(number)
        .signal(abortRelease, { requestId: version, actor: 'ops', reason: 'complaints' });
      await model.until(async () => (await model.releaseView(number)).reason !== null);
      goOn();
      assert.equal(await model.ended(number), 'aborted');
      await model.idle();
      return number;
    };
    await abort('v2', 'canary');
    assert.deepEqual((await model.view()).incidents, []);
    assert.deepEqual(
      platform.alerts.map(({ title, severity }) => [title, severity]),
      [['Release of v2 aborted', 'info']],
    );
    const aborted = await abort('v3', 'soaking');
    await untilIncident(model, 1, ({ mitigated }) => mitigated?.how === 'back on v1');
    const first = await incident(model);
    assert.deepEqual([first?.origin, first?.release, first?.text], ['rolled-back', aborted, 'complaints']);
    assert.equal(first?.title, 'Release of v3 aborted in production');

    // It is over with the next one that succeeds; which an operator takes back in turn.
    await model.succeed('v4');
    await model.resultOf(handleOf(model, 1));
    await model.ask(rollBackModel, { actor: 'ops', reason: 'slow' });
    await untilIncident(model, 2, ({ mitigated }) => mitigated?.how === 'back on v1');
    assert.equal((await incident(model, 2))?.title, 'v4 was rolled back by ops');
    await resolve(model, 2);

    platform.holdLooks(() => true);
    const lost = await model.submit('v5');
    await model.untilStage(lost, 'canary');
    await model.untilStill(model.release(lost), ['awaitLook']);
    await model.release(lost).terminate('by hand');
    // This server tells no parent of it: the next message finds out.
    await model.ask(freezeModel, { reason: 'look into it' });
    await untilIncident(model, 3, ({ phase }) => phase === 'mitigated');
    assert.match((await incident(model, 3))?.title ?? '', /Release of v5 ended without a word/);
    assert.equal(platform.alerts.filter(({ incident: of }) => of === undefined).length, 1);
  });

  it('what is parked, and what is not seen done, is an incident while it lasts', async () => {
    const { model, platform } = await start({ monitoring: monitoring() }, { champion: 'v1' });
    platform.fail('validateVersion', () => new TypeError('bug'), 6);
    platform.traffic = { keysPerSecond: 1000, candidateBad: 0.3, championBad: 0 };
    const { before } = platform;
    platform.before = (activity, input: { safety?: boolean }) => {
      if (activity === 'changeTraffic' && input.safety === true && platform.count('changeTraffic') < 6)
        throw new Error('gateway g1 does not answer');
      return before(activity, input as never);
    };
    const number = await model.submit('v2');
    assert.equal(await model.ended(number), 'rolled-back');
    await model.until(() => platform.recorded('incident.opened').length === 3);
    const opened = platform.recorded('incident.opened').map(({ evidence }) => evidence);
    assert.deepEqual(
      opened.map(({ origin, severity }) => [origin, severity]),
      [
        ['failed-action', 'warning'],
        ['unverified', 'critical'],
        ['rolled-back', 'warning'],
      ],
    );
    assert.ok(opened.every(({ release }) => release === number));
    await model.resultOf(handleOf(model, 1));
    await model.resultOf(handleOf(model, 2));
    assert.equal(platform.alerts.filter(({ incident: of }) => of === undefined).length, 0);
  });

  it('reminds of a revalidation before it is due and when it is; who resolves that has validated anew', async () => {
    const settings = monitoring({ revalidateSeconds: 100 * 24 * 3600 });
    const { model } = await start({ monitoring: settings });
    await model.succeed('v1');
    const { champions, revalidationDue } = await model.view();
    const due = Date.parse(revalidationDue ?? '');
    assert.equal(due - Date.parse(champions[0]?.since ?? ''), 100 * DAY);
    await model.skip(91 * DAY);
    await untilIncident(model, 1);
    const early = await incident(model);
    assert.deepEqual([early?.severity, early?.origin], ['info', 'revalidation']);
    assert.match(early?.title ?? '', /validation of v1 is due at/);
    await model.skip(10 * DAY);
    await untilIncident(model, 1, ({ severity }) => severity === 'warning');
    await resolve(model, 1, 'validated anew, report 17');
    await model.until(async () => Date.parse((await model.view()).revalidationDue ?? '') > due);
    const next = Date.parse((await model.view()).revalidationDue ?? '');
    assert.ok(Math.abs(next - (await model.env.currentTimeMs()) - 100 * DAY) < DAY);
    await model.skip(91 * DAY);
    await untilIncident(model, 2);
    // Another champion has a validation of its own.
    await model.succeed('v2');
    await untilIncident(model, 2, ({ phase }) => phase === 'resolved' || phase === 'over');
  });

  it('a manifest that changes what the validation rests on makes it due at once, until a person or another champion has one', async () => {
    const settings = monitoring({ revalidateSeconds: 100 * 24 * 3600 });
    const { model, platform } = await start({ monitoring: settings });
    const apply = async (fields: Partial<Manifest>): Promise<string> => {
      const answer = await model.ask(applyManifest, { manifest: { ...model.manifest, ...fields } });
      assert.ok(answer.accepted);
      return platform.recorded('manifest.applied').at(-1)?.at ?? '';
    };
    const due = async (): Promise<string> => (await model.view()).revalidationDue ?? '';
    // Nothing serves: what is released is validated by it.
    await apply({ purpose: 'Finds people who look for work' });
    await model.succeed('v1');
    const regular = await due();
    const since = Date.parse((await model.view()).champions[0]?.since ?? '');
    assert.equal(Date.parse(regular), since + 100 * DAY);
    await model.skip(DAY);
    await apply({
      purpose: 'Finds people who look for work',
      owner: 'ada',
      canary: { ...model.manifest.canary, alpha: 0.02 },
    });
    assert.equal(await due(), regular);
    assert.deepEqual((await model.view()).incidents, []);

    const changed = await apply({ purpose: 'Decides who gets a loan', riskTier: 'high' });
    assert.ok(Date.parse(changed) < Date.parse(regular));
    assert.equal(await due(), changed);
    await untilIncident(model, 1);
    const told = await incident(model);
    assert.deepEqual([told?.severity, told?.origin], ['warning', 'revalidation']);
    const title = `The validation of v1 was due at ${changed}: the manifest changed in purpose, riskTier`;
    assert.equal(told?.title, title);
    await model.until(() => platform.alerts.some((alert) => alert.title.includes(title)));
    // Back to what it was is a change as well: only a person can say that the validation still stands.
    await apply({ purpose: 'Finds people who look for work' });
    assert.equal(await due(), changed);
    await model.skip(DAY);
    await resolve(model, 1, 'validated anew, report 17');
    await model.until(async () => (await due()) > regular);

    const again = await apply({ purpose: 'Decides who gets a job' });
    assert.equal(await due(), again);
    await untilIncident(model, 1, ({ phase, repeats }) => phase === 'open' && repeats === 1);
    await model.succeed('v2');
    await model.until(async () => (await due()) > again);
    const [v2] = (await model.view()).champions;
    assert.equal(Date.parse(await due()), Date.parse(v2?.since ?? '') + 100 * DAY);
    await untilIncident(model, 1, ({ phase }) => phase === 'resolved' || phase === 'over');
    assert.equal(platform.recorded('incident.opened').length, 1);
  });

  it('a changed manifest makes no validation due where the manifest says never', async () => {
    const { model } = await start({ monitoring: monitoring() }, { champion: 'v1' });
    await model.ask(applyManifest, { manifest: { ...model.manifest, purpose: 'Decides who gets a loan' } });
    const { revalidationDue, incidents } = await model.view();
    assert.deepEqual([revalidationDue, incidents], [null, []]);
  });

  it('continues as new without deciding twice, and opens a new incident when one was ended by hand', async () => {
    const settings = monitoring({ policy: policy({ quality: ['notify', 'retrain'] }) });
    const { model, platform } = await start({ monitoring: settings }, { champion: 'v1', historyLimit: 60 });
    const findings = [];
    for (let n = 0; n < 30; n += 1) findings.push(await notice(model, `f${n}`, { cause: `c${n % 5}` }));
    for (const finding of findings) await report(model, [finding]);
    for (const finding of findings) await report(model, [finding]);
    for (let n = 1; n <= 5; n += 1) await untilIncident(model, n, ({ repeats }) => repeats === 5);
    await model.until(() => platform.recorded('retraining.held-back').length === 30);
    assert.equal(platform.recorded('incident.opened').length, 5);
    const { events } = await model.handle.fetchHistory();
    const [started] = (events ?? []).map((event) => event.workflowExecutionStartedEventAttributes);
    assert.ok(started?.continuedExecutionRunId, 'a later run');
    await model.untilStill(handleOf(model, 1));
    await handleOf(model, 1).terminate('by hand');
    await report(model, [await notice(model, 'again', { cause: 'c0' })]);
    await untilIncident(model, 6);
    assert.equal(new Set(platform.ledger.map(({ id }) => id)).size, platform.ledger.length);
  });
});
