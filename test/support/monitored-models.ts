/** Models with windows in a real database, as gateways and releases leave them. */
import { Client, Connection } from '@temporalio/client';
import type { Manifest } from '../../src/contracts/manifest.js';
import { modelWorkflowId } from '../../src/contracts/ids.js';
import type { Json } from '../../src/contracts/ledger.js';
import type { MonitorReport, MonitoringSettings } from '../../src/contracts/monitoring.js';
import type { WindowCounts } from '../../src/contracts/window-counts.js';
import type { WindowCell } from '../../src/contracts/windows.js';
import { MongoLedger } from '../../src/ledger/index.js';
import { prepareDatabase, type TenureDatabase } from '../../src/platform/mongo/index.js';
import { ProfileStore, type VersionProfile } from '../../src/platform/profiles/index.js';
import { WINDOW_COLLECTIONS, windowsOf } from '../../src/platform/windows/collections.js';
import type { MonitoredProfile } from '../../src/statistics/monitor/types.js';
import { emptySketch } from '../../src/statistics/sketch.js';
import { manifest } from './manifests.js';
import { monitoring } from './monitoring.js';
import { desired } from './gateway.js';

export const HOUR = 3_600_000;

export interface WindowGiven {
  /** Epoch milliseconds, by the database's clock. */
  readonly at: number;
  readonly features?: WindowCounts | null;
  readonly requests?: number;
  readonly errors?: number;
  /** How far the gateway's clock is ahead, milliseconds. */
  readonly ahead?: number;
  readonly gateway?: string;
  readonly role?: WindowCell['role'];
}

export class MonitoredModels {
  readonly database: TenureDatabase;
  readonly client: Client;
  readonly #connection: Connection;
  #sequence = 0;

  private constructor(database: TenureDatabase, connection: Connection) {
    this.database = database;
    this.#connection = connection;
    this.client = new Client({ connection });
  }

  static async open(database: TenureDatabase, temporalAddress: string): Promise<MonitoredModels> {
    await prepareDatabase(database.db, WINDOW_COLLECTIONS);
    return new MonitoredModels(database, await Connection.connect({ address: temporalAddress }));
  }

  async close(): Promise<void> {
    await this.#connection.close();
  }

  /** A model that serves, with a manifest on record, and a workflow that nobody works at. */
  async serve(
    model: string,
    taskQueue: string,
    settings: Partial<MonitoringSettings> = {},
    overrides: Partial<Manifest> = {},
  ): Promise<void> {
    const champion = { version: 'v1', digest: '1'.repeat(64) };
    const { db, collections } = this.database;
    await collections.routes.insertOne({
      _id: model,
      ...desired({ champion }),
      model,
      generation: 1,
      changeId: 'c',
      changedAt: new Date(),
    });
    const applied = { ...manifest({ name: model, monitoring: monitoring(settings) }), ...overrides };
    await new MongoLedger(collections.ledger).append([
      {
        stream: model,
        id: `${model}/applied`,
        action: 'manifest.applied',
        actor: { kind: 'person', id: 'olga' },
        subject: { revision: 1 },
        evidence: { manifest: applied as unknown as Json },
        at: new Date().toISOString(),
      },
    ]);
    await this.client.workflow.start('modelLifecycle', {
      workflowId: modelWorkflowId(model),
      taskQueue,
      args: [{ manifest: applied }],
    });
    void db;
  }

  /** @returns the profile's digest */
  async profile(model: string, { profile }: MonitoredProfile): Promise<string> {
    const content: VersionProfile = {
      format: 1,
      model,
      artifact: '1'.repeat(64),
      data: 'd'.repeat(64),
      sources: profile.features.map(({ name }) => ({
        from: 'input',
        name,
        datatype: 'FP64',
        element: 0,
        width: 1,
      })),
      score: 'score',
      lacks: [],
      profile,
    };
    return new ProfileStore(this.database.db).put(content);
  }

  /** As if the monitor had evaluated everything before this time, and found nothing. */
  async evaluatedTo(model: string, at: number): Promise<void> {
    await this.database.db.collection<{ _id: string }>('detectors').insertOne({
      _id: model,
      revision: 1,
      evaluatedTo: at,
      slotsTo: at,
      state: null,
      outbox: null,
      failed: null,
    } as never);
  }

  async window(model: string, given: WindowGiven): Promise<void> {
    const { at, features = null, requests = 0, errors = 0, ahead = 0, gateway = 'gateway-1' } = given;
    const { role = 'champion' } = given;
    this.#sequence += 1;
    const _id = `${gateway}/boot/${this.#sequence}`;
    const cell: WindowCell = {
      version: 'v1',
      digest: '1'.repeat(64),
      role,
      generation: 1,
      release: null,
      requests: { split: requests, unsplit: 0, fallback: 0, shed: 0, forced: 0, drill: 0, clientError: 0 },
      errors: errors === 0 ? {} : { 'run-failed': errors },
      latency: emptySketch(),
      scores: emptySketch(),
      slow: 0,
      bad: {},
      shadow: { compared: 0, agreed: 0, failed: 0, dropped: 0 },
      features,
    };
    await windowsOf(this.database.db).insertOne({
      _id,
      batches: [_id],
      insertedAt: new Date(at),
      gateway,
      boot: 'boot',
      sequence: this.#sequence,
      model,
      span: 'batch',
      from: at - 15_000 + ahead,
      to: at + ahead,
      tables: [],
      cells: [cell],
      releases: [],
      level: 0,
      evidence: [],
      lost: { batches: 0, requests: 0 },
    });
  }

  /** What the model's workflow was told, in order. */
  async reports(model: string): Promise<readonly MonitorReport[]> {
    const { events } = await this.client.workflow.getHandle(modelWorkflowId(model)).fetchHistory();
    return (events ?? []).flatMap(({ workflowExecutionSignaledEventAttributes: signaled }) => {
      const data = signaled?.signalName === 'monitorReported' ? signaled.input?.payloads?.[0]?.data : null;
      return data === null || data === undefined
        ? []
        : [JSON.parse(Buffer.from(data).toString()) as MonitorReport];
    });
  }
}
