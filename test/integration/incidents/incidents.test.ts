import { strict as assert } from 'node:assert';
import { createHmac, randomUUID } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client, Connection } from '@temporalio/client';
import type { IncidentRow } from '../../../src/client/incidents.js';
import { Tenure } from '../../../src/client/tenure.js';
import { incidentWorkflowId, modelWorkflowId } from '../../../src/contracts/ids.js';
import type { IncidentView } from '../../../src/contracts/incidents.js';
import { incidentCleared, monitorReported } from '../../../src/contracts/messages.js';
import { TenureHealth, TenureModel, TenureStage } from '../../../src/contracts/search-attributes.js';
import { MongoLedger } from '../../../src/ledger/index.js';
import { loadReceivers } from '../../../src/platform/alerts/index.js';
import { collectionsOf } from '../../../src/platform/mongo/index.js';
import { FolderArtifactStore } from '../../../src/platform/registry/index.js';
import { type Environment, type Ran, tenureHere } from '../../support/command.js';
import { openTestDatabase } from '../../support/database.js';
import { incidentInput } from '../../support/incident-under-test.js';
import { findingNotice, manifest, monitoring } from '../../support/manifests.js';
import { startReceiver, type TestReceiver } from '../../support/receiver.js';
import { ScriptedPlatform } from '../../support/scripted-platform.js';
import { type ScriptedWorker, startScriptedWorker } from '../../support/scripted-worker.js';
import { getTestStack } from '../../support/stack.js';
import { until } from '../../support/until.js';

const MODEL = `incident-${randomUUID().slice(0, 8)}`;

interface Event {
  readonly id: string;
  readonly type: string;
  readonly data: {
    readonly severity: string;
    readonly incident: { readonly id: string; readonly notice: string };
  };
}

describe('incidents: a real Temporal, MongoDB and receiver', function () {
  this.timeout(60_000);
  let home: string;
  let env: Environment;
  let database: Awaited<ReturnType<typeof openTestDatabase>>;
  let receiver: TestReceiver;
  let worker: ScriptedWorker;
  let client: Client;
  const tenure = (...args: string[]): Promise<Ran> => tenureHere(args, env);
  const parsed = async <T>(...args: string[]): Promise<T> =>
    JSON.parse((await tenure(...args, '--json')).stdout) as T;

  before(async () => {
    home = await mkdtemp(join(tmpdir(), 'tenure-incidents-'));
    const { temporalAddress: address } = await getTestStack();
    database = await openTestDatabase();
    receiver = await startReceiver();
    await writeFile(join(home, 'hmac'), 'whsec\n');
    const file = join(home, 'alerts.yaml');
    await writeFile(
      file,
      `receivers:\n  - {name: own, kind: webhook, url: "${receiver.url}", secretFile: hmac}\n`,
    );
    const taskQueue = `test-${randomUUID()}`;
    worker = await startScriptedWorker({
      address,
      taskQueue,
      db: database.db,
      artifacts: new FolderArtifactStore(join(home, 'artifacts')),
      platform: new ScriptedPlatform(),
      alertChannels: await loadReceivers(file),
    });
    client = new Client({ connection: await Connection.connect({ address }) });
    env = {
      TENURE_HOME: home,
      TEMPORAL_ADDRESS: address,
      TEMPORAL_CONFIG_FILE: join(home, 'none.toml'),
      MONGODB_URI: database.uri,
      TENURE_DATABASE: database.db.databaseName,
      TENURE_TASK_QUEUE: taskQueue,
      TENURE_USER: 'ben',
    };
  });
  after(async () => {
    await client.connection.close();
    await worker.stop();
    await receiver.close();
    await database.drop();
    await rm(home, { recursive: true, force: true });
  });

  const opened = async (number: number): Promise<void> => {
    const base = incidentInput(MODEL, number);
    await client.workflow.start('incident', {
      workflowId: incidentWorkflowId(MODEL, number),
      taskQueue: worker.taskQueue,
      typedSearchAttributes: [
        { key: TenureModel, value: MODEL },
        { key: TenureStage, value: 'open' },
        { key: TenureHealth, value: 'warning' },
      ],
      memo: { title: base.opening.title },
      args: [{ ...base, windowSeconds: 1, settings: { ...base.settings, clearWindows: 1 } }],
    });
  };
  const events = (): readonly Event[] => receiver.received.map(({ body }) => JSON.parse(body) as Event);

  it('is told as a signed CloudEvent, acknowledged by the command, resolved, told as resolved and over', async () => {
    await opened(1);
    await until('the receiver to have it', () => receiver.received.length === 1);
    const [request] = receiver.received;
    assert.ok(request !== undefined);
    const { 'webhook-id': id, 'webhook-timestamp': at, 'webhook-signature': signature } = request.headers;
    const expected = createHmac('sha256', 'whsec')
      .update(`${String(id)}.${String(at)}.${request.body}`)
      .digest('base64');
    assert.equal(signature, `v1,${expected}`);
    const [event] = events();
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

    await client.workflow
      .getHandle(incidentWorkflowId(MODEL, 1))
      .signal(incidentCleared, { windows: 1, reason: 'gone', at: new Date().toISOString() });
    const view = (await client.workflow.getHandle(incidentWorkflowId(MODEL, 1)).result()) as IncidentView;
    assert.equal(view.phase, 'over');
    const [, resolution] = events();
    assert.equal(resolution?.type, 'tenure.alert.resolved');
    assert.equal(receiver.received.length, 2);
    const stored = await new MongoLedger(collectionsOf(database.db).ledger).findAny(MODEL, [
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
    await client.workflow.getHandle(incidentWorkflowId(MODEL, 2)).result();
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
      connection: { address: env['TEMPORAL_ADDRESS'] ?? '' },
      namespace: 'default',
      taskQueue: worker.taskQueue,
      actor: 'ben',
    });
    try {
      await link.applyManifest(watched);
      const handle = client.workflow.getHandle(modelWorkflowId(model));
      const before = receiver.received.length;
      const report = { findings: [findingNotice('f1', Date.now())], cleared: [] };
      for (let n = 0; n < 3; n += 1) await handle.signal(monitorReported, report);
      await until('the receiver to have it', () => receiver.received.length > before);
      await until('the list to have it', async () =>
        (await link.listIncidents({ model })).some(({ title }) => title === 'SCHL has unseen values'),
      );
      const { stdout } = await tenure('model', 'show', model);
      assert.match(stdout, /held back +incident 1 is open: SCHL has unseen values/);
      assert.match(stdout, /incident +1, warning, open: SCHL has unseen values/);
      const stored = await new MongoLedger(collectionsOf(database.db).ledger).findAny(model, [
        `incident:${model}:1/opened`,
        `model:${model}/held-back/retrain/f1`,
      ]);
      assert.deepEqual(stored.map(({ action }) => action).toSorted(), [
        'incident.opened',
        'retraining.held-back',
      ]);
      assert.equal(receiver.received.length, before + 1);
      await handle.terminate('end of test');
      await link.actOnIncident(model, 1, 'resolve', { reason: 'end of test' });
    } finally {
      await link.close();
    }
  });

  it('with a receiver that refuses everything it goes its way', async () => {
    receiver.answer = { status: 500, body: 'out of order' };
    await opened(3);
    const acknowledged = await tenure('incident', 'resolve', MODEL, '3', '--reason', 'seen');
    assert.equal(acknowledged.code, 0);
    const view = await parsed<IncidentView>('incident', 'show', MODEL, '3');
    assert.ok(view.phase === 'resolved' || view.phase === 'over');
    receiver.answer = { status: 200 };
  });
});
