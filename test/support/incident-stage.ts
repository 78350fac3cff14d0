import { randomUUID } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client, Connection } from '@temporalio/client';
import type { DoctorActivities } from '../../src/contracts/doctor.js';
import { createDoctor } from '../../src/activities/index.js';
import { NO_MEASURES } from '../../src/activities/measures.js';
import { loadReceivers } from '../../src/platform/alerts/index.js';
import { FolderArtifactStore } from '../../src/platform/registry/index.js';
import { type Environment, type Ran, tenureHere } from './command.js';
import { openTestDatabase } from './database.js';
import { startReceiver, type TestReceiver } from './receiver.js';
import { ScriptedPlatform } from './scripted-platform.js';
import { type ScriptedWorker, startScriptedWorker } from './scripted-worker.js';
import { getTestStack } from './stack.js';

/** What a webhook was sent. */
export interface ToldEvent {
  readonly type: string;
  readonly data: {
    readonly severity: string;
    readonly incident: { readonly id: string; readonly notice: string; readonly ends?: readonly object[] };
  };
}

/** A real Temporal, a real MongoDB and a receiver of alerts, a worker whose platform is a script, and the command. */
export class IncidentStage {
  readonly client: Client;
  readonly worker: ScriptedWorker;
  readonly database: Awaited<ReturnType<typeof openTestDatabase>>;
  readonly receiver: TestReceiver;
  readonly environment: Environment;
  readonly #home: string;

  private constructor(
    parts: Pick<IncidentStage, 'client' | 'worker' | 'database' | 'receiver' | 'environment'>,
    home: string,
  ) {
    this.client = parts.client;
    this.worker = parts.worker;
    this.database = parts.database;
    this.receiver = parts.receiver;
    this.environment = parts.environment;
    this.#home = home;
  }

  /** @param waiting activities of the waiting task queue */
  static async open(waiting: object = {}): Promise<IncidentStage> {
    const home = await mkdtemp(join(tmpdir(), 'tenure-incidents-'));
    const { temporalAddress: address } = await getTestStack();
    const database = await openTestDatabase();
    const receiver = await startReceiver();
    await writeFile(join(home, 'hmac'), 'whsec\n');
    const file = join(home, 'alerts.yaml');
    await writeFile(
      file,
      `receivers:\n  - {name: own, kind: webhook, url: "${receiver.url}", secretFile: hmac}\n`,
    );
    const taskQueue = `test-${randomUUID()}`;
    const worker = await startScriptedWorker({
      address,
      taskQueue,
      db: database.db,
      artifacts: new FolderArtifactStore(join(home, 'artifacts')),
      platform: new ScriptedPlatform(),
      alertChannels: (await loadReceivers(file)).channels,
      waiting,
    });
    const client = new Client({ connection: await Connection.connect({ address }) });
    const environment = {
      TENURE_HOME: home,
      TEMPORAL_ADDRESS: address,
      TEMPORAL_CONFIG_FILE: join(home, 'none.toml'),
      MONGODB_URI: database.uri,
      TENURE_DATABASE: database.db.databaseName,
      TENURE_TASK_QUEUE: taskQueue,
      TENURE_USER: 'ben',
    };
    return new IncidentStage({ client, worker, database, receiver, environment }, home);
  }

  async close(): Promise<void> {
    await this.client.connection.close();
    await this.worker.stop();
    await this.receiver.close();
    await this.database.drop();
    await rm(this.#home, { recursive: true, force: true });
  }

  tenure(...args: string[]): Promise<Ran> {
    return tenureHere(args, this.environment);
  }

  /** What the receiver was sent, oldest first. */
  events(): readonly ToldEvent[] {
    return this.receiver.received.map(({ body }) => JSON.parse(body) as ToldEvent);
  }

  /** The doctor's activities, without a worker around them. */
  doctor(): DoctorActivities {
    return createDoctor({
      db: this.database.db,
      artifacts: new FolderArtifactStore(join(this.#home, 'artifacts')),
      client: this.client,
      taskQueue: this.worker.taskQueue,
      alertChannels: [],
      measures: NO_MEASURES,
      settleMs: 0,
    });
  }
}
