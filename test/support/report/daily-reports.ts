import { randomUUID } from 'node:crypto';
import { Client, Connection } from '@temporalio/client';
import { NativeConnection, Worker } from '@temporalio/worker';
import { createReporter } from '../../../src/activities/index.js';
import { reportScheduleId, waitingTaskQueue } from '../../../src/contracts/ids.js';
import type { FleetReportInput, StoredReportHead } from '../../../src/contracts/report.js';
import { chain } from '../../../src/ledger/index.js';
import { collectionsOf, COLLECTIONS, prepareDatabase } from '../../../src/platform/mongo/index.js';
import { ensureReportSchedule } from '../../../src/platform/schedules/report-schedule.js';
import { WINDOW_COLLECTIONS, windowsOf } from '../../../src/platform/windows/collections.js';
import { SeededHome } from '../seeded-home.js';
import { getTestStack } from '../stack.js';
import { until } from '../until.js';
import { quieten, workflowBundle } from '../workflow-env.js';
import { randomRecord, type RandomRecord } from './random-record.js';

/** Puts a record where the ledger and the windows are. */
export async function storeRecord(
  { db }: Pick<SeededHome, 'db'>,
  { events, windows }: RandomRecord,
): Promise<void> {
  await collectionsOf(db).ledger.insertMany(
    events.map(({ sequence, previousHash, ...entry }) => {
      const stored = chain(entry, { sequence: sequence - 1, hash: previousHash });
      return { ...stored, _id: stored.hash };
    }),
  );
  if (windows.length > 0) await windowsOf(db).insertMany([...windows]);
}

/** A home with a record, and workers for its daily reports on the tests' Temporal server. */
export class DailyReports {
  readonly home: SeededHome;
  readonly client: Client;
  readonly taskQueue = `daily-${randomUUID().slice(0, 8)}`;
  readonly #close: () => Promise<void>;

  private constructor(home: SeededHome, client: Client, taskQueue: string, close: () => Promise<void>) {
    this.home = home;
    this.client = client;
    this.taskQueue = taskQueue;
    this.#close = close;
  }

  static async open(): Promise<DailyReports> {
    quieten();
    const home = await SeededHome.empty();
    await prepareDatabase(home.db, [...COLLECTIONS, ...WINDOW_COLLECTIONS]);
    await storeRecord(home, randomRecord(7));
    const taskQueue = `daily-${randomUUID().slice(0, 8)}`;
    const { temporalAddress: address } = await getTestStack();
    const [connection, own] = await Promise.all([
      NativeConnection.connect({ address }),
      Connection.connect({ address }),
    ]);
    const activities = createReporter({ db: home.db, artifacts: home.store });
    const workers = await Promise.all([
      Worker.create({ connection, taskQueue, workflowBundle: await workflowBundle() }),
      Worker.create({ connection, taskQueue: waitingTaskQueue(taskQueue), activities: { ...activities } }),
    ]);
    const runs = workers.map((worker) => worker.run());
    const client = new Client({ connection: own });
    return new DailyReports(home, client, taskQueue, async () => {
      await ensureReportSchedule(client, taskQueue, null);
      for (const worker of workers) worker.shutdown();
      await Promise.all(runs);
      await Promise.all([connection.close(), own.close()]);
      await home.remove();
    });
  }

  /** By hand. */
  run(input: FleetReportInput): Promise<StoredReportHead> {
    return this.client.workflow.execute('fleetReport', {
      workflowId: `${this.taskQueue}-${randomUUID()}`,
      taskQueue: this.taskQueue,
      args: [input],
    });
  }

  /** As the Schedule would have done it on the day after this one. */
  async backfill(day: string) {
    await ensureReportSchedule(this.client, this.taskQueue, '00:15');
    const handle = this.client.schedule.getHandle(reportScheduleId(this.taskQueue));
    const next = Date.parse(day) + 86_400_000;
    await handle.backfill({ start: new Date(next), end: new Date(next + 3_600_000), overlap: 'BUFFER_ALL' });
    const workflowId = await until('the run of the Schedule', async () => {
      const [action] = (await handle.describe()).info.recentActions;
      return action?.action.workflow.workflowId ?? null;
    });
    const run = this.client.workflow.getHandle(workflowId);
    const head = (await run.result()) as StoredReportHead;
    return { workflowId, head, history: await run.fetchHistory() };
  }

  close(): Promise<void> {
    return this.#close();
  }
}
