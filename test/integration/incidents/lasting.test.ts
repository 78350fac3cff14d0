import { strict as assert } from 'node:assert';
import { randomUUID } from 'node:crypto';
import type { WorkflowHandle } from '@temporalio/client';
import { differenceKey } from '../../../src/contracts/doctor.js';
import { incidentWorkflowId, modelWorkflowId } from '../../../src/contracts/ids.js';
import { applyManifest, modelState, monitorReported } from '../../../src/contracts/messages.js';
import type { InventoryRow } from '../../../src/contracts/report.js';
import type { ModelView } from '../../../src/contracts/views.js';
import { MongoLedger } from '../../../src/ledger/index.js';
import { ledgerEntry, person, system } from '../../../src/lifecycle/entries.js';
import { withIncidents } from '../../../src/lifecycle/model-incidents.js';
import { initialModelState, type ModelState } from '../../../src/lifecycle/model-state.js';
import { collectionsOf } from '../../../src/platform/mongo/index.js';
import { activityEnvironment, inActivity } from '../../support/activity.js';
import { IncidentStage } from '../../support/incident-stage.js';
import { findingNotice, manifest, monitoring } from '../../support/manifests.js';
import { newestRun, reset, tasksOf } from '../../support/temporal-hands.js';
import { until } from '../../support/until.js';

const MODEL = `lasting-${randomUUID().slice(0, 8)}`;

/** As a model has it that was told of it long ago. */
const openIncident = (incident: number) => ({
  incident,
  cause: `data-quality/x${incident}`,
  origin: 'finding' as const,
  severity: 'warning' as const,
  title: 'x has unseen values',
  release: null,
  openedAt: '2026-01-01T00:00:00.000Z',
  standing: 'open' as const,
  holds: false,
});

describe('incidents: what outlasts a run of a workflow, on a real Temporal', function () {
  this.timeout(60_000);
  let stage: IncidentStage;
  before(async () => {
    stage = await IncidentStage.open();
  });
  after(() => stage.close());

  /** A model's workflow that goes on from a state, as after continue-as-new. */
  const lives = async (state: ModelState, historyLimit?: number): Promise<WorkflowHandle> =>
    stage.client.workflow.start('modelLifecycle', {
      workflowId: modelWorkflowId(state.manifest.name),
      taskQueue: stage.worker.taskQueue,
      args: [
        { manifest: state.manifest, ...(historyLimit === undefined ? {} : { historyLimit }) },
        { state, unrecorded: [] },
      ],
    });

  /** Watched for data quality, which holds promotions back. */
  const held = (name: string) =>
    manifest({ name, monitoring: monitoring({ policy: { ...monitoring().policy, quality: ['hold'] } }) });

  it('one that is terminated is let go by its model, recorded, and told as over; what is found again is another', async () => {
    const model = `${MODEL}-ended`;
    const handle = stage.client.workflow.getHandle(modelWorkflowId(model));
    const view = (): Promise<ModelView> => handle.query(modelState);
    const found = async (id: string): Promise<void> =>
      handle.signal(monitorReported, { findings: [findingNotice(id, Date.now())], cleared: [] });
    await lives(initialModelState(held(model)));
    await found('f1');
    await until('the receiver to have it', () =>
      stage.events().some(({ data }) => data.incident.id === id(1)),
    );
    assert.match((await view()).hold?.reason ?? '', /^incident 1 is open/);
    await stage.client.workflow.getHandle(id(1)).terminate('by hand');
    await until('the model to let go', async () => (await view()).incidents?.length === 0);
    await until('the receivers to hear of it', () => stage.events().at(-1)?.type === 'tenure.alert.resolved');
    assert.equal((await view()).hold, null);
    assert.deepEqual(stage.events().at(-1)?.data.incident.ends, [
      { severity: 'info', notice: 'opened' },
      { severity: 'warning', notice: 'opened' },
    ]);
    // Told and recorded side by side.
    const lost = await until('the record of it', async () => {
      const ledger = new MongoLedger(collectionsOf(stage.database.db).ledger);
      return (await ledger.findAny(model, [`model:${model}/incident-lost/1`]))[0] ?? false;
    });
    assert.deepEqual([lost.action, lost.subject], ['incident.lost', { incident: 1 }]);
    assert.match((await stage.tenure('incident', 'show', model, '1')).stdout, /phase +ended by hand: /);
    assert.match((await stage.tenure('history', model)).stdout, /Incident 1 ended without being resolved: /);

    await found('f2');
    await until(
      'another incident',
      async () => (await view()).hold?.reason.startsWith('incident 2') ?? false,
    );
    await handle.terminate('end of test');
    await stage.client.workflow.getHandle(id(2)).terminate('end of test');

    function id(number: number): string {
      return incidentWorkflowId(model, number);
    }
  });

  it('one that is gone unseen: a run that continues asks after what holds; of the rest the doctor says so, and mends it', async () => {
    const model = `${MODEL}-unseen`;
    const handle = stage.client.workflow.getHandle(modelWorkflowId(model));
    const holds = { ...openIncident(7), holds: true };
    const state = withIncidents(
      { ...initialModelState(held(model)), manifestRevision: 1 },
      { next: 9, open: [holds, openIncident(8)] },
    );
    await lives(state);
    const open = async (): Promise<readonly number[] | undefined> =>
      (await handle.query(modelState)).incidents?.map(({ incident }) => incident);
    await until('the one that holds to be let go', async () => (await open())?.length === 1);
    assert.deepEqual(await open(), [8]);

    const doctor = stage.doctor();
    const environment = activityEnvironment();
    const { differences } = await inActivity(environment, () => doctor.compareParts({ model, whole: false }));
    assert.deepEqual(
      differences.map(({ code, subject, severity, remedy }) => [code, subject, severity, remedy]),
      [['incident-lost', 'incident 8', 'warning', 'let-go']],
    );
    const request = { model, keys: differences.map(differenceKey), actor: 'ben', requestId: randomUUID() };
    const [step] = await inActivity(environment, () => doctor.repairModel(request));
    assert.deepEqual(step?.outcome, 'done');
    await until('the model to let go', async () => (await open())?.length === 0);
    await handle.terminate('end of test');
  });

  /** A model of which v1 has just been promoted, by its record and by its workflow, whose runs are short. */
  const promoted = async (model: string, seconds: number) => {
    const watched = manifest({ name: model, monitoring: monitoring({ revalidateSeconds: seconds }) });
    const v1 = { version: 'v1', digest: 'a'.repeat(64) };
    const since = new Date().toISOString();
    const of = (step: string, subject: object, evidence: object) =>
      ledgerEntry({
        stream: model,
        id: `release:${model}:1/${step}`,
        action: step,
        actor: step === 'manifest.applied' ? person('olga') : system(`release:${model}:1`),
        subject: { ...subject },
        evidence: { ...evidence },
        now: Date.parse(since),
      });
    const places = await new MongoLedger(collectionsOf(stage.database.db).ledger).append([
      of('manifest.applied', { revision: 1 }, { manifest: watched }),
      of('release.submitted', { release: 1, ...v1 }, { superseded: [] }),
      of('release.promoted', { release: 1, ...v1 }, { former: null, generation: 1 }),
      of('release.succeeded', { release: 1, ...v1 }, { generation: 2 }),
    ]);
    const last = places.at(-1);
    assert.ok(last);
    await lives(
      {
        ...initialModelState(watched),
        manifestRevision: 1,
        champion: v1,
        champions: [{ ...v1, release: 1, since, until: null }],
        releases: [
          {
            ...v1,
            release: 1,
            submittedBy: 'eve',
            submittedAt: since,
            stage: 'succeeded',
            reason: null,
            endedAt: since,
          },
        ],
        nextRelease: 2,
        generation: 2,
        head: { sequence: last.sequence, hash: last.hash },
      },
      40,
    );
    const handle = stage.client.workflow.getHandle(modelWorkflowId(model));
    const view = (): Promise<ModelView> => handle.query(modelState);
    const due = async (): Promise<number> => Date.parse((await view()).revalidationDue ?? '');
    // Junk: each message costs a run its events, and changes nothing.
    const another = async (from: string): Promise<string> => {
      await until('another run', async () => {
        for (let n = 0; n < 15; n += 1) await handle.signal('monitorReported', null);
        return (await newestRun(stage.client, modelWorkflowId(model))) !== from;
      });
      return newestRun(stage.client, modelWorkflowId(model));
    };
    return { watched, since, handle, view, due, another };
  };

  /** The lifecycle is made again from the ledger. */
  const repair = async (model: string): Promise<void> => {
    const environment = activityEnvironment();
    const request = { model, keys: [`${model}/model-missing`], actor: 'ben', requestId: randomUUID() };
    const [step] = await inActivity(environment, () => stage.doctor().repairModel(request));
    assert.match(step?.what ?? '', /v1 serves/);
  };
  const inventoried = async (model: string): Promise<InventoryRow | undefined> => {
    const { stdout } = await stage.tenure('inventory', '--json');
    const { models } = JSON.parse(stdout) as { readonly models: readonly InventoryRow[] };
    return models.find((row) => row.model === model);
  };

  it('the date of a revalidation is the same after continue-as-new, a reset, and a recovery from the ledger', async () => {
    const model = `${MODEL}-due`;
    const seconds = 8;
    const { since, view, due, another } = await promoted(model, seconds);
    assert.equal(await due(), Date.parse(since) + seconds * 1000);
    const first = await newestRun(stage.client, modelWorkflowId(model));
    await another(first);
    assert.equal(await due(), Date.parse(since) + seconds * 1000);

    // People are reminded by the run after, then told that it is due; one of them has validated anew.
    await until('the reminder', async () => (await view()).incidents?.length === 1);
    await until('the date', async () => (await view()).incidents?.[0]?.severity === 'warning');
    const resolved = await stage.tenure(
      'incident',
      'resolve',
      model,
      '1',
      '--reason',
      'validated, report 17',
    );
    assert.equal(resolved.code, 0, resolved.stderr);
    await until('the next date', async () => (await due()) > Date.parse(since) + seconds * 1000);
    const next = await due();
    const [entry] = await stage.database.collections.ledger
      .find({ stream: model, action: 'incident.resolved' })
      .toArray();
    assert.equal(next, Date.parse(entry?.at ?? '') + seconds * 1000);

    const newest = await newestRun(stage.client, modelWorkflowId(model));
    const [task = 0] = await tasksOf(stage.client, modelWorkflowId(model), newest);
    await reset(stage.client, modelWorkflowId(model), task);
    // The message of the incident comes again, maybe before the run has opened it once more.
    await until('the date to be as it was', async () => (await due()) === next);

    await stage.client.workflow.getHandle(modelWorkflowId(model)).terminate('lost');
    await repair(model);
    assert.equal(await due(), next);
    assert.equal((await inventoried(model))?.nextDue?.at, new Date(next).toISOString());
    await stage.client.workflow.getHandle(modelWorkflowId(model)).terminate('end of test');
  });

  it('so is one that a changed manifest has set', async () => {
    const model = `${MODEL}-changed`;
    const seconds = 100 * 24 * 3600;
    const { watched, handle, view, due, another } = await promoted(model, seconds);
    const recorded = async (action: string): Promise<number> => {
      const events = stage.database.collections.ledger.find({ stream: model, action });
      return Date.parse((await events.sort({ sequence: -1 }).toArray())[0]?.at ?? '');
    };
    const apply = async (purpose: string): Promise<number> => {
      const request = { requestId: randomUUID(), actor: 'olga', manifest: { ...watched, purpose } };
      await handle.executeUpdate(applyManifest, { args: [request] });
      return recorded('manifest.applied');
    };
    const first = await newestRun(stage.client, modelWorkflowId(model));
    const changed = await apply('Decides who gets a loan');
    assert.equal(await due(), changed);
    await until('the incident', async () => (await view()).incidents?.[0]?.severity === 'warning');
    await another(first);
    assert.equal(await due(), changed);
    const newest = await newestRun(stage.client, modelWorkflowId(model));
    const [task = 0] = await tasksOf(stage.client, modelWorkflowId(model), newest);
    await reset(stage.client, modelWorkflowId(model), task);
    await until('the date to be as it was', async () => (await due()) === changed);

    await handle.terminate('lost');
    await repair(model);
    assert.equal(await due(), changed);
    assert.deepEqual((await inventoried(model))?.nextDue, {
      at: new Date(changed).toISOString(),
      what: 'revalidation',
      overdue: true,
    });
    // It is still what a person's word ends.
    const resolved = await stage.tenure(
      'incident',
      'resolve',
      model,
      '1',
      '--reason',
      'validated, report 18',
    );
    assert.equal(resolved.code, 0, resolved.stderr);
    await until('the next date', async () => (await due()) > changed);
    assert.equal(await due(), (await recorded('incident.resolved')) + seconds * 1000);
    await handle.terminate('end of test');
  });
});
