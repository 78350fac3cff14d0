import { strict as assert } from 'node:assert';
import { WorkflowUpdateFailedError } from '@temporalio/client';
import {
  acknowledgeIncident,
  incidentRepeated,
  incidentState,
  reportIncident,
  resolveIncident,
} from '../../src/contracts/messages.js';
import type { IncidentRequest } from '../../src/contracts/messages.js';
import type { IncidentView } from '../../src/contracts/incidents.js';
import { MINUTE, useIncident } from '../support/incident-under-test.js';

describe('incidents', function () {
  this.timeout(60_000);
  const start = useIncident();
  const STEPS = [
    { afterSeconds: 15 * 60, roles: ['on-call'] },
    { afterSeconds: 60 * 60, roles: [] },
  ];

  it('is opened, told, recorded; acknowledged, mitigated, resolved and over, with all its times', async () => {
    const incident = await start();
    await incident.until(() => incident.recorded.length === 1);
    const [opened] = incident.entries('incident.opened');
    assert.deepEqual(opened?.subject, { incident: incident.number });
    assert.equal(opened.evidence['cause'], 'data-quality/SCHL');
    assert.deepEqual(opened.evidence['findings'], ['f1']);
    assert.equal(opened.evidence['severity'], 'warning');
    assert.equal((await incident.view()).phase, 'open');

    await incident.skip(5);
    assert.deepEqual(await incident.act('acknowledge', 'on it'), { accepted: true, phase: 'acknowledged' });
    await incident.skip(5);
    await incident.mitigate();
    await incident.until(({ phase }) => phase === 'mitigated');
    await incident.skip(5);
    await incident.clear();
    const view = await incident.result();
    assert.equal(view.phase, 'over');
    const { onset, detected, acknowledged, mitigated, resolved } = view.times;
    const times = [onset, detected, acknowledged, mitigated, resolved];
    assert.ok(times.every((time) => time !== null));
    assert.deepEqual(times.toSorted(), times);
    assert.deepEqual(
      incident.recorded.join(' '),
      'incident.opened incident.acknowledged incident.mitigated incident.resolved',
    );
    assert.deepEqual(incident.told, ['opened firing', 'opened resolved']);
    const resolution = incident.alerts.at(-1);
    assert.deepEqual(resolution?.incident?.ends, [{ severity: 'warning', notice: 'opened' }]);
    const [recorded] = incident.entries('incident.resolved');
    assert.equal(recorded?.evidence['windows'], 3);
  });

  it('escalates by the clock along the contacts while nobody acknowledges it, and tells who is meant', async () => {
    const incident = await start({ settings: { escalation: STEPS } });
    await incident.skip(14);
    assert.deepEqual(incident.told, ['opened firing']);
    await incident.skip(2);
    await incident.until(({ escalated }) => escalated === 1);
    await incident.skip(60);
    await incident.until(({ escalated }) => escalated === 2);
    // Nobody answers: there is no step left, and nothing happens by itself.
    await incident.skip(60 * 24);
    assert.deepEqual(incident.told, ['opened firing', 'escalation-1 firing', 'escalation-2 firing']);
    const contacts = incident.alerts.map(({ incident: of }) => of?.contacts.map(({ name }) => name));
    assert.deepEqual(contacts, [['Ada', 'Ben', 'Cleo'], ['Ben'], ['Ada', 'Ben', 'Cleo']]);
    const [first, second] = incident.entries('incident.escalated');
    assert.deepEqual([first?.evidence['step'], second?.evidence['step']], [1, 2]);
    assert.deepEqual(first?.evidence['contacts'], ['Ben']);
    assert.equal((await incident.view()).next, null);
    await incident.clear();
    await incident.result();
    assert.equal(incident.alerts.at(-1)?.incident?.ends?.length, 3);
  });

  it('an acknowledgement pasted as a signal ends the escalation', async () => {
    const incident = await start({ settings: { escalation: STEPS } });
    await incident.handle.signal(acknowledgeIncident, { actor: 'ada' });
    await incident.until(({ phase }) => phase === 'acknowledged');
    await incident.skip(60 * 24);
    assert.deepEqual(incident.told, ['opened firing']);
    assert.equal((await incident.view()).acknowledged?.by, 'ada');
    await incident.until(() => incident.recorded.includes('incident.acknowledged'));
  });

  it('takes repeats in, once each and bounded, tells nobody of them but when it gets worse', async () => {
    const incident = await start();
    for (let n = 0; n < 70; n += 1) await incident.repeat({ findings: [`f${n}`, `f${n}`] });
    await incident.repeat({ findings: ['worse'], severity: 'critical', summary: 'half of the rows' });
    await incident.repeat({ findings: ['last'], severity: 'info' });
    await incident.until(({ repeats }) => repeats === 72);
    const { findings, severity } = await incident.view();
    assert.equal(severity, 'critical');
    assert.equal(findings.length, 50);
    assert.equal(new Set(findings).size, 50);
    assert.deepEqual([findings[0], findings.at(-1)], ['f1', 'last']);
    await incident.until(() => incident.alerts.length === 2);
    assert.deepEqual(
      incident.alerts.map(({ severity: told }) => told),
      ['warning', 'critical'],
    );
    await incident.until(() => incident.recorded.length === 9);
    // Repeats 1, 2, 4 … 64, and the one that made it worse.
    assert.equal(incident.entries('incident.repeated').length, 8);
  });

  it('is reopened when its cause returns while it stays, and told again; what returns later finds it over', async () => {
    const incident = await start({ settings: { escalation: STEPS } });
    await incident.act('acknowledge');
    await incident.clear();
    await incident.until(({ phase }) => phase === 'resolved');
    await incident.skip(20);
    await incident.repeat();
    await incident.until(({ phase }) => phase === 'open');
    const view = await incident.view();
    assert.deepEqual([view.reopened, view.acknowledged, view.times.resolved], [1, null, null]);
    // The escalation begins anew.
    await incident.skip(16);
    await incident.until(({ escalated }) => escalated === 1);
    await incident.clear();
    assert.equal((await incident.result()).reopened, 1);
    assert.deepEqual(incident.told, [
      'opened firing',
      'opened resolved',
      'opened firing',
      'escalation-1 firing',
      'opened resolved',
    ]);
    assert.equal(incident.recorded.filter((action) => action === 'incident.reopened').length, 1);
    assert.equal(new Set(incident.alerts.map(({ key }) => key)).size, 5);
  });

  it('stays resolved for as many windows again as its cause had to be gone', async () => {
    const incident = await start();
    await incident.clear();
    await incident.until(({ phase }) => phase === 'resolved');
    const { next, times } = await incident.view();
    assert.equal(Date.parse(next?.at ?? '') - Date.parse(times.resolved ?? ''), 3 * 600_000);
    await incident.skip(29);
    assert.equal((await incident.view()).phase, 'resolved');
    await incident.result();
  });

  it('is resolved by a person with a reason; what is not possible is refused and recorded', async () => {
    const incident = await start();
    assert.deepEqual(await incident.act('report'), {
      accepted: false,
      reason: `incident ${incident.number} of ${incident.model.name} need not be reported`,
    });
    await incident.act('acknowledge', '', 'ada');
    const again = await incident.act('acknowledge', '', 'ben');
    assert.match(again.accepted ? '' : again.reason, /was acknowledged by ada at/);
    assert.deepEqual(await incident.act('resolve', 'a planned load test', 'ada', 'r1'), {
      accepted: true,
      phase: 'resolved',
    });
    // The same request again is the same request.
    assert.deepEqual(await incident.act('resolve', 'a planned load test', 'ada', 'r1'), {
      accepted: true,
      phase: 'resolved',
    });
    const late = await incident.act('resolve', 'again');
    assert.match(late.accepted ? '' : late.reason, /is resolved: ada at .*, a planned load test/);
    const view = await incident.result();
    assert.deepEqual([view.resolved?.by, view.resolved?.windows], ['ada', null]);
    assert.equal(incident.entries('request.refused').length, 3);
    const [resolved] = incident.entries('incident.resolved');
    assert.deepEqual(resolved?.actor, { kind: 'person', id: 'ada' });
  });

  it('lets go of what is no message, and refuses the shape of what is answered', async () => {
    const incident = await start();
    for (const junk of [null, 7, {}, { findings: 'f' }, { findings: [], severity: 'bad' }])
      await incident.handle.signal(incidentRepeated.name, junk);
    // No reason: nobody would know why.
    await incident.handle.signal(resolveIncident, { actor: 'ada' });
    await incident.handle.signal(reportIncident, { actor: 'ada', reason: 'nothing to report' });
    await incident.until(({ junk }) => junk === 7);
    assert.equal((await incident.view()).phase, 'open');
    const wrong: readonly (readonly [Partial<IncidentRequest>, RegExp])[] = [
      [{ requestId: '' }, /requestId must be a text/],
      [{ act: 'delete' as never }, /act must be one of acknowledge, resolve, report/],
      [{ reason: ' ' }, /reason must not be empty/],
    ];
    for (const [fields, message] of wrong) {
      const request = { requestId: 'r', actor: 'ada', act: 'resolve', reason: 'over', ...fields };
      await assert.rejects(
        incident.handle.executeUpdate('actOnIncident', { args: [request] }),
        (error: unknown) =>
          error instanceof WorkflowUpdateFailedError && message.test((error.cause as Error).message),
      );
    }
  });

  it('a serious one is to be reported: reminded before, told at the deadline, and it stays until somebody says so', async () => {
    const incident = await start({
      opening: { severity: 'critical' },
      settings: { reportSeconds: 24 * 3600 },
    });
    const { reportDue, times } = await incident.view();
    assert.equal(Date.parse(reportDue ?? '') - Date.parse(times.detected), 24 * 60 * MINUTE);
    await incident.clear();
    await incident.skip(60 * 17);
    assert.deepEqual(incident.told, ['opened firing', 'opened resolved']);
    await incident.skip(62);
    await incident.until(() => incident.told.at(-1) === 'report-due firing');
    await incident.skip(6 * 60);
    await incident.until(() => incident.told.at(-1) === 'report-overdue firing');
    const late = await incident.view();
    assert.deepEqual([late.phase, late.waitingFor], ['over', 'somebody to say that it was reported']);
    await incident.act('report', 'to the authority, number 17', 'cleo');
    const view = await incident.result();
    assert.equal(view.reported?.reason, 'to the authority, number 17');
    const [reported] = incident.entries('incident.reported');
    assert.equal(reported?.evidence['inTime'], false);
    assert.deepEqual(reported.subject, { incident: incident.number });
    const end = incident.alerts.at(-1);
    assert.deepEqual(
      end?.incident?.ends?.map(({ notice }) => notice),
      ['report-due', 'report-overdue'],
    );
    assert.equal(incident.entries('incident.report-overdue').length, 1);
  });

  it('one that was reported in time is not reminded of', async () => {
    const incident = await start({ settings: { reportSeconds: 3600 } });
    await incident.repeat({ severity: 'critical' });
    await incident.until(({ severity }) => severity === 'critical');
    await incident.handle.signal(reportIncident, { actor: 'cleo', reason: 'to the authority, number 18' });
    await incident.until(({ reported }) => reported !== null);
    await incident.clear();
    await incident.result();
    assert.ok(!incident.told.some((told) => told.startsWith('report')));
    assert.equal(incident.entries('incident.reported')[0]?.evidence['inTime'], true);
  });

  it('a receiver that is dead stops nothing; it is tried again, and given up in the end', async () => {
    const dead = (): Error => new Error('Receiver chat: no answer: ECONNREFUSED');
    const incident = await start({
      settings: { escalation: STEPS },
      prepare: (platform) => platform.fail('sendAlert', dead),
    });
    await incident.until(({ untold }) => untold.length === 1);
    const { untold } = await incident.view();
    assert.match(untold[0]?.why ?? '', /ECONNREFUSED/);
    await incident.skip(16);
    await incident.until(({ escalated }) => escalated === 1);
    assert.equal((await incident.act('acknowledge')).accepted, true);
    await incident.clear();
    const view = await incident.result();
    assert.equal(view.phase, 'over');
    assert.deepEqual(view.untold, []);
    assert.equal(incident.recorded.at(-1), 'incident.resolved');
    assert.deepEqual(incident.told, []);
  });

  it('tells late what a receiver did not take at first', async () => {
    const incident = await start({
      prepare: (platform) => platform.fail('sendAlert', () => new Error('away'), 7),
    });
    await incident.until(({ untold }) => untold.length === 1);
    await incident.skip(2);
    await incident.until(() => incident.told.length === 1);
    assert.deepEqual((await incident.view()).untold, []);
  });

  it('goes on while the ledger is away, and records all of it when it is back', async () => {
    const incident = await start({
      settings: { escalation: STEPS },
      prepare: (platform) => (platform.ledgerAway = true),
    });
    await incident.skip(16);
    await incident.until(({ escalated }) => escalated === 1);
    await incident.clear();
    await incident.until(({ phase }) => phase === 'resolved');
    assert.deepEqual(incident.recorded, []);
    incident.platform.mend();
    await incident.result();
    assert.deepEqual(incident.recorded, ['incident.opened', 'incident.escalated', 'incident.resolved']);
  });

  it('continues as new and loses nothing: deadlines, repeats, answers', async () => {
    const incident = await start({ settings: { escalation: STEPS }, historyLimit: 60 });
    await incident.until(() => incident.told.length === 1);
    for (let n = 1; n <= 60; n += 1) await incident.repeat({ findings: [`g${n}`] });
    await incident.act('resolve', 'by hand', 'ada', 'same');
    await incident.until(({ repeats }) => repeats === 60);
    const { events } = await incident.handle.fetchHistory();
    const [started] = (events ?? []).map((event) => event.workflowExecutionStartedEventAttributes);
    assert.ok(started?.continuedExecutionRunId, 'a later run');
    assert.deepEqual(await incident.act('resolve', 'by hand', 'ada', 'same'), {
      accepted: true,
      phase: 'resolved',
    });
    await incident.repeat({ findings: ['back'] });
    await incident.until(({ phase }) => phase === 'open');
    await incident.skip(16);
    await incident.until(({ escalated }) => escalated === 1);
    const ids = incident.entries().map(({ id }) => id);
    assert.equal(new Set(ids).size, ids.length);
    assert.equal(incident.entries('incident.opened').length, 1);
  });

  it('cancelled in the Temporal UI it is resolved, and says so', async () => {
    const incident = await start();
    await incident.until(() => incident.told.length === 1);
    await incident.handle.cancel();
    const view = await incident.result();
    assert.equal(view.resolved?.reason, 'the workflow was cancelled in Temporal');
    assert.deepEqual(incident.told, ['opened firing', 'opened resolved']);
  });

  it('costs few events', async () => {
    const incident = await start();
    await incident.until(() => incident.told.length === 1 && incident.recorded.length === 1);
    await incident.act('acknowledge', 'on it');
    await incident.clear();
    const view: IncidentView = await incident.result();
    assert.equal(view.phase, 'over');
    const { events = [] } = await incident.handle.fetchHistory();
    assert.ok((events?.length ?? 0) <= 70, `${events?.length} events`);
    assert.equal((await incident.handle.query(incidentState)).phase, 'over');
  });
});
