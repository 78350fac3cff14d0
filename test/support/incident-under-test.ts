import { randomUUID } from 'node:crypto';
import type { WorkflowHandle } from '@temporalio/client';
import type { AlertMessage } from '../../src/contracts/activities.js';
import { incidentWorkflowId } from '../../src/contracts/ids.js';
import type {
  IncidentAct,
  IncidentClearance,
  IncidentInput,
  IncidentRepeat,
  IncidentView,
} from '../../src/contracts/incidents.js';
import type { LedgerEntry } from '../../src/contracts/ledger.js';
import {
  actOnIncident,
  incidentCleared,
  incidentMitigated,
  incidentRepeated,
  incidentState,
} from '../../src/contracts/messages.js';
import type { IncidentOpening, IncidentSettings } from '../../src/contracts/monitoring.js';
import { TenureHealth, TenureModel, TenureStage } from '../../src/contracts/search-attributes.js';
import { manifest } from './manifests.js';
import { ScriptedPlatform } from './scripted-platform.js';
import { ModelUnderTest, UPDATE_MS } from './workflow-env.js';

export const MINUTE = 60_000;

export interface IncidentFields {
  readonly opening?: Partial<IncidentOpening>;
  readonly settings?: Partial<IncidentSettings>;
  readonly historyLimit?: number;
  readonly prepare?: (platform: ScriptedPlatform) => void;
}

export const incidentInput = (
  model: string,
  number: number,
  fields: IncidentFields = {},
  now = Date.now(),
): IncidentInput => ({
  opening: {
    model,
    incident: number,
    origin: 'finding',
    cause: 'data-quality/SCHL',
    severity: 'warning',
    title: 'SCHL has unseen values',
    text: 'a third of the rows hold 99',
    findings: ['f1'],
    release: null,
    onset: new Date(now - 10 * MINUTE).toISOString(),
    detectedAt: new Date(now).toISOString(),
    ...fields.opening,
  },
  owner: 'olga',
  riskTier: 'low',
  contacts: [
    { name: 'Ada', role: 'owner' },
    { name: 'Ben', role: 'on-call' },
    { name: 'Cleo', role: 'head' },
  ],
  settings: { clearWindows: 3, escalation: [], reportSeconds: null, ...fields.settings },
  windowSeconds: 600,
  ...(fields.historyLimit === undefined ? {} : { historyLimit: fields.historyLimit }),
});

/** An incident of its own beside a model's workflow. */
export class IncidentUnderTest {
  readonly model: ModelUnderTest;
  readonly platform: ScriptedPlatform;
  readonly number: number;
  readonly handle: WorkflowHandle;

  constructor(model: ModelUnderTest, platform: ScriptedPlatform, number: number) {
    this.model = model;
    this.platform = platform;
    this.number = number;
    this.handle = model.env.client.workflow.getHandle(incidentWorkflowId(model.name, number));
  }

  view(): Promise<IncidentView> {
    return this.model.insist(() => this.handle.query(incidentState));
  }

  /** Milliseconds by the server's clock. */
  now(): Promise<number> {
    return this.model.env.currentTimeMs();
  }

  act(act: IncidentAct, reason = 'seen', actor = 'ben', requestId: string = randomUUID()) {
    const request = { requestId, actor, act, reason };
    return this.model.insist(() => this.handle.executeUpdate(actOnIncident, { args: [request] }), UPDATE_MS);
  }

  async repeat(fields: Partial<IncidentRepeat> = {}): Promise<void> {
    const at = new Date(await this.now()).toISOString();
    const again = { findings: ['f2'], severity: 'warning' as const, summary: 'again', release: null, at };
    await this.handle.signal(incidentRepeated, { ...again, ...fields });
  }

  async clear(fields: Partial<IncidentClearance> = {}): Promise<void> {
    const at = new Date(await this.now()).toISOString();
    await this.handle.signal(incidentCleared, { windows: 3, reason: 'gone for 3 windows', at, ...fields });
  }

  async mitigate(how = 'rolled back to v1'): Promise<void> {
    await this.handle.signal(incidentMitigated, { how, at: new Date(await this.now()).toISOString() });
  }

  skip(minutes: number): Promise<void> {
    return this.model.skip(minutes * MINUTE);
  }

  until(condition: (view: IncidentView) => boolean): Promise<void> {
    return this.model.until(async () => condition(await this.view()));
  }

  /** Alerts of it, oldest first. */
  get alerts(): readonly AlertMessage[] {
    return this.platform.alerts.filter(({ incident }) => incident?.id === this.handle.workflowId);
  }

  /** Notice and state of what people were told, oldest first. */
  get told(): readonly string[] {
    return this.alerts.map(({ incident, state }) => `${incident?.notice} ${state}`);
  }

  /** What was recorded of it, oldest first; of one action, or all. */
  entries(action?: string): readonly LedgerEntry[] {
    return this.platform.ledger.filter(
      (entry) =>
        entry.subject['incident'] === this.number && (action === undefined || entry.action === action),
    );
  }

  get recorded(): readonly string[] {
    return this.entries().map(({ action }) => action);
  }

  result(): Promise<IncidentView> {
    return this.handle.result() as Promise<IncidentView>;
  }
}

/** Gives a suite a function that opens incidents of one model, on one server; each is ended after its test. */
export function useIncident(): (fields?: IncidentFields) => Promise<IncidentUnderTest> {
  const platform = new ScriptedPlatform();
  const opened: IncidentUnderTest[] = [];
  let model: ModelUnderTest | undefined;
  let number = 0;
  before('start a model', async () => {
    model = await ModelUnderTest.start(platform, manifest());
  });
  afterEach(async () => {
    platform.mend();
    for (const { handle } of opened.splice(0)) await handle.terminate('end of test').catch(() => undefined);
  });
  after(() => model?.stop());
  return async (fields = {}) => {
    if (model === undefined) throw new Error('The suite has not begun');
    fields.prepare?.(platform);
    number += 1;
    const incident = new IncidentUnderTest(model, platform, number);
    opened.push(incident);
    const input = incidentInput(model.name, number, fields, await incident.now());
    await model.env.client.workflow.start('incident', {
      workflowId: incident.handle.workflowId,
      taskQueue: model.taskQueue,
      typedSearchAttributes: [
        { key: TenureModel, value: model.name },
        { key: TenureStage, value: 'open' },
        { key: TenureHealth, value: input.opening.severity },
      ],
      args: [input],
    });
    return incident;
  };
}
