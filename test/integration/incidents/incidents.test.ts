import { strict as assert } from 'node:assert';
import { createHmac, randomUUID } from 'node:crypto';
import type { IncidentRow } from '../../../src/client/incidents.js';
import { Tenure } from '../../../src/client/tenure.js';
import { incidentWorkflowId, modelWorkflowId } from '../../../src/contracts/ids.js';
import type { IncidentView } from '../../../src/contracts/incidents.js';
import { incidentCleared, monitorReported } from '../../../src/contracts/messages.js';
import { TenureHealth, TenureModel, TenureStage } from '../../../src/contracts/search-attributes.js';
import { MongoLedger } from '../../../src/ledger/index.js';
import { collectionsOf } from '../../../src/platform/mongo/index.js';
import type { Ran } from '../../support/command.js';
import { IncidentStage } from '../../support/incident-stage.js';
import { incidentInput } from '../../support/incident-under-test.js';
import { findingNotice, manifest, monitoring } from '../../support/manifests.js';
import { until } from '../../support/until.js';

const MODEL = `incident-${randomUUID().slice(0, 8)}`;

describe('incidents: a real Temporal, MongoDB and receiver', function () {
  this.timeout(60_000);
  let stage: IncidentStage;
  before(async () => {
    stage = await IncidentStage.open();
  });
  after(() => stage.close());
  const tenure = (...args: string[]): Promise<Ran> => stage.tenure(...args);
  const parsed = async <T>(...args: string[]): Promise<T> =>
    JSON.parse((await tenure(...args, '--json')).stdout) as T;

  const opened = async (number: number): Promise<void> => {
    const base = incidentInput(MODEL, number);
    await stage.client.workflow.start('incident', {
      workflowId: incidentWorkflowId(MODEL, number),
      taskQueue: stage.worker.taskQueue,
      typedSearchAttributes: [
        { key: TenureModel, value: MODEL },
        { key: TenureStage, value: 'open' },
        { key: TenureHealth, value: 'warning' },
      ],
      memo: { title: base.opening.title },
      args: [{ ...base, windowSeconds: 1, settings: { ...base.settings, clearWindows: 1 } }],
    });
  };

  it('is told as a signed CloudEvent, acknowledged by the command, resolved, told as resolved and over', async () => {
    await opened(1);
    await until('the receiver to have it', () => stage.receiver.received.length === 1);
    const [request] = stage.receiver.received;
    assert.ok(request !== undefined);
    const { 'webhook-id': id, 'webhook-timestamp': at, 'webhook-signature': signature } = request.headers;
    const expected = createHmac('sha256', 'whsec')
      .update(`${String(id)}.${String(at)}.${request.body}`)
      .digest('base64');
    assert.equal(signature, `v1,${expected}`);
    const [event] = stage.events();
    assert.equal(event?.type, 'tenure.alert.firing');
    assert.equal(event.data.incident.id, incidentWorkflowId(MODEL, 1));

    await until('the list to have it', async () =>
      (await parsed<readonly IncidentRow[]>('incident', 'list', MODEL)).some(
        ({ incident }) => incident === 1,
      ),
    );
    const { stdout: list } = await tenure('incident', 'list', MODEL);
    assert.match(list, /1 +open +warning .*SCHL has unseen values/);
    const done = await tenure('incident', 'acknowledge', MODEL, '1', '--reason', 'on it');
    assert.equal(done.stdout, `acknowledged: incident 1 of ${MODEL}; it is acknowledged now\n`);
    const { stdout: page } = await tenure('incident', 'show', MODEL, '1');
    assert.match(page, /acknowledged +\d{4}-.*Z {2}ben: on it/);

    await stage.client.workflow
      .getHandle(incidentWorkflowId(MODEL, 1))
      .signal(incidentCleared, { windows: 1, reason: 'gone', at: new Date().toISOString() });
    const view = (await stage.client.workflow
      .getHandle(incidentWorkflowId(MODEL, 1))
      .result()) as IncidentView;
    assert.equal(view.phase, 'over');
    const [, resolution] = stage.events();
    assert.equal(resolution?.type, 'tenure.alert.resolved');
    assert.equal(stage.receiver.received.length, 2);
    const stored = await new MongoLedger(collectionsOf(stage.database.db).ledger).findAny(MODEL, [
      `incident:${MODEL}:1/opened`,
      `incident:${MODEL}:1/resolved/0`,
    ]);
    assert.deepEqual(stored.map(({ action }) => action).toSorted(), ['incident.opened', 'incident.resolved']);
  });

  it('is resolved by a person; what is not possible has exit code 1 and a reason', async () => {
    await opened(2);
    const { stdout } = await tenure('incident', 'resolve', MODEL, '2', '--reason', 'a load test');
    assert.match(stdout, /^resolved: incident 2/);
    const again = await tenure('incident', 'acknowledge', MODEL, '2', '--reason', 'late');
    assert.equal(again.code, 1);
    assert.match(again.stderr, /is (resolved|over): ben at .*, a load test|is not known, or over/);
    const unknown = await tenure('incident', 'show', MODEL, '99');
    assert.equal(unknown.code, 1);
    assert.match(unknown.stderr, /incident 99 of .* is not known, or over: see `tenure incident list/);
    await stage.client.workflow.getHandle(incidentWorkflowId(MODEL, 2)).result();
    const all = await parsed<readonly IncidentRow[]>('incident', 'list', MODEL, '--all');
    assert.ok(all.length >= 1);
    assert.match((await tenure('incident', 'show', MODEL, '2')).stdout, /phase +over/);
  });

  it('a finding that a monitor reports to a model is told, recorded and shown, once', async () => {
    const model = `${MODEL}-found`;
    const watched = manifest({
      name: model,
      monitoring: monitoring({ policy: { ...monitoring().policy, quality: ['notify', 'hold', 'retrain'] } }),
    });
    const link = await Tenure.connect({
      connection: { address: stage.environment['TEMPORAL_ADDRESS'] ?? '' },
      namespace: 'default',
      taskQueue: stage.worker.taskQueue,
      actor: 'ben',
    });
    try {
      await link.applyManifest(watched);
      const handle = stage.client.workflow.getHandle(modelWorkflowId(model));
      const before = stage.receiver.received.length;
      const report = { findings: [findingNotice('f1', Date.now())], cleared: [] };
      for (let n = 0; n < 3; n += 1) await handle.signal(monitorReported, report);
      await until('the receiver to have it', () => stage.receiver.received.length > before);
      await until('the list to have it', async () =>
        (await link.listIncidents({ model })).some(({ title }) => title === 'SCHL has unseen values'),
      );
      const { stdout } = await tenure('model', 'show', model);
      assert.match(stdout, /promotion +held back: incident 1 is open: SCHL has unseen values/);
      assert.match(stdout, /incident +1, warning, open: SCHL has unseen values/);
      await link.actOnIncident(model, 1, 'acknowledge', { reason: 'on it' });
      // The model does not hear of that; whoever looks at it does.
      await until('the model to be shown with it', async () =>
        /incident +1, warning, acknowledged: /.test((await tenure('model', 'show', model)).stdout),
      );
      const stored = await new MongoLedger(collectionsOf(stage.database.db).ledger).findAny(model, [
        `incident:${model}:1/opened`,
        `model:${model}/held-back/retrain/f1`,
      ]);
      assert.deepEqual(stored.map(({ action }) => action).toSorted(), [
        'incident.opened',
        'retraining.held-back',
      ]);
      assert.equal(stage.receiver.received.length, before + 1);
      await handle.terminate('end of test');
      await link.actOnIncident(model, 1, 'resolve', { reason: 'end of test' });
    } finally {
      await link.close();
    }
  });

  it('with a receiver that refuses everything it goes its way', async () => {
    stage.receiver.answer = { status: 500, body: 'out of order' };
    await opened(3);
    const acknowledged = await tenure('incident', 'resolve', MODEL, '3', '--reason', 'seen');
    assert.equal(acknowledged.code, 0);
    const view = await parsed<IncidentView>('incident', 'show', MODEL, '3');
    assert.ok(view.phase === 'resolved' || view.phase === 'over');
    stage.receiver.answer = { status: 200 };
  });
});
