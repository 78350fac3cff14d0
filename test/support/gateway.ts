import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import type { VersionRef } from '../../src/contracts/model.js';
import type { DesiredRoute, RouteMonitoring } from '../../src/contracts/routes.js';
import type { WindowBatch } from '../../src/contracts/windows.js';
import { type Gateway, type GatewaySettings, startGateway } from '../../src/gateway/server.js';
import { FolderArtifactStore, MongoVersionRegistry } from '../../src/platform/registry/index.js';
import { MongoLabelJoin } from '../../src/platform/observations/labels.js';
import { MongoObserved } from '../../src/platform/observations/observed.js';
import { MongoObservationStore } from '../../src/platform/observations/store.js';
import { ChangedTables, MongoRoutingStore } from '../../src/platform/serving/index.js';
import { windowsOf } from '../../src/platform/windows/collections.js';
import { MongoWindowStore } from '../../src/platform/windows/store.js';
import { openTestDatabase } from './database.js';
import { until } from './until.js';

export { until } from './until.js';

/** A table in which everything that a test does not name is off. */
export const desired = (changes: Partial<DesiredRoute>): DesiredRoute => ({
  phase: 'steady',
  champion: null,
  candidate: null,
  holdback: null,
  shadow: null,
  warm: [],
  salt: 'salt',
  release: null,
  guardrails: [{ name: 'errors', kind: 'errors' }],
  trips: [],
  fallback: true,
  deadlineMs: 5_000,
  leaseSeconds: 15,
  maxConcurrency: 64,
  routingKeyHeader: 'tenure-routing-key',
  scoreOutput: 'score',
  ...changes,
});

/** What is kept of a binary model, for `desired`: all rows, unless a test says otherwise. */
export const monitored = (changes: Partial<RouteMonitoring> = {}): Pick<DesiredRoute, 'monitoring'> => ({
  monitoring: {
    sampleShare: 1,
    sampleSeconds: 3_600,
    labelSeconds: 3_600,
    windowSeconds: 3_600,
    personal: [],
    task: 'binary',
    classes: [0, 1],
    ...changes,
  },
});

export interface InferAnswer {
  readonly status: number;
  readonly headers: Headers;
  readonly body: {
    readonly error?: string;
    readonly id?: string;
    readonly model_version?: string;
    readonly outputs?: readonly {
      readonly name: string;
      readonly datatype: string;
      readonly shape: number[];
      readonly data: unknown[];
    }[];
  };
}

/** Sends an inference request; `path` as in `m` or `m/versions/v1`. */
export async function post(
  url: string,
  path: string,
  body: unknown,
  headers: Readonly<Record<string, string>> = {},
): Promise<InferAnswer> {
  const response = await fetch(`${url}/v2/models/${path}/infer`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  });
  return {
    status: response.status,
    headers: response.headers,
    body: (await response.json()) as InferAnswer['body'],
  };
}

export const row = (...values: number[]): object => ({
  inputs: [{ name: 'x', shape: [1, values.length], datatype: 'FP32', data: values }],
});

/** A prepared database, an artifact folder, and gateways that are stopped at the end. */
export class GatewayBench {
  readonly #stops: (() => Promise<void>)[] = [];
  #folder = '';
  #gateways = 0;
  #database: Awaited<ReturnType<typeof openTestDatabase>> | undefined;
  artifacts!: FolderArtifactStore;
  routes!: MongoRoutingStore;

  async open(): Promise<void> {
    this.#folder = await mkdtemp(join(tmpdir(), 'tenure-gateway-'));
    this.#database = await openTestDatabase();
    this.artifacts = new FolderArtifactStore(join(this.#folder, 'artifacts'));
    this.routes = new MongoRoutingStore(this.db);
  }

  get #opened(): Awaited<ReturnType<typeof openTestDatabase>> {
    if (this.#database === undefined) throw new Error('The bench is not open');
    return this.#database;
  }

  get database() {
    return this.#opened;
  }

  get db() {
    return this.#opened.db;
  }

  /** What a gateway keeps by, of this bench's database. */
  observations(): NonNullable<GatewaySettings['observations']> {
    const { client, db } = this.#opened;
    const labels = new MongoLabelJoin(client, db, 'test');
    return { store: new MongoObservationStore(db), labels, observed: new MongoObserved(client, db) };
  }

  get uri(): string {
    return this.#opened.uri;
  }

  get folder(): string {
    return this.#folder;
  }

  async close(): Promise<void> {
    await Promise.all(this.#stops.map((stop) => stop()));
    await rm(this.#folder, { recursive: true });
    await this.#database?.drop();
  }

  async version(name: string, content: Uint8Array): Promise<VersionRef> {
    const { digest } = await this.artifacts.put(content);
    return { version: name, digest };
  }

  /** Puts an artifact and registers it as a version. */
  async register(model: string, name: string, content: Uint8Array): Promise<VersionRef> {
    const ref = await this.version(name, content);
    await new MongoVersionRegistry(this.db).register({
      model,
      ...ref,
      sizeBytes: content.length,
      lineage: {},
      registeredBy: 'ada',
      registeredAt: new Date().toISOString(),
    });
    return ref;
  }

  async start(settings: Partial<GatewaySettings> = {}): Promise<Gateway> {
    this.#gateways += 1;
    const gateway = `gateway-${this.#gateways}`;
    const started = await startGateway({
      gateway,
      source: new ChangedTables(this.db),
      windows: new MongoWindowStore(this.db),
      artifacts: this.artifacts,
      dataDir: join(this.#folder, gateway),
      log: pino({ level: 'silent' }),
      pollMs: 50,
      busyFlushMs: 50,
      idleFlushMs: 50,
      graceMs: 300,
      resumeMs: 300,
      ...settings,
    });
    this.#stops.push(() => started.stop());
    return started;
  }

  /** Writes the next generation and waits until all these gateways report it. */
  async route(model: string, changes: Partial<DesiredRoute>, gateways: readonly Gateway[]): Promise<number> {
    const { generation } = await this.write(model, changes);
    for (const { gateway } of gateways) {
      await until(`${gateway} to take generation ${generation} of ${model}`, async () => {
        const { gateways: records } = await this.routes.gateways();
        return records.some(
          (record) => record.gateway === gateway && record.observed[model]?.generation === generation,
        );
      });
    }
    return generation;
  }

  write(model: string, changes: Partial<DesiredRoute>) {
    return this.routes.compareAndSet({
      model,
      expectedGeneration: 'any',
      desired: desired(changes),
      changeId: `${model}-${Math.random()}`,
    });
  }

  /** All batches of a model that are stored. */
  windows(model: string): Promise<WindowBatch[]> {
    return windowsOf(this.db).find({ model }).sort({ insertedAt: 1, gateway: 1, sequence: 1 }).toArray();
  }

  /** Sum of a count over all stored cells of a model. */
  async sum(model: string, count: (cell: WindowBatch['cells'][number]) => number): Promise<number> {
    const batches = await this.windows(model);
    return batches.flatMap(({ cells }) => cells).reduce((total, cell) => total + count(cell), 0);
  }
}
