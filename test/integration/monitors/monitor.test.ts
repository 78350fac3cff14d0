import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { Client, Connection } from '@temporalio/client';
import { NativeConnection, Worker } from '@temporalio/worker';
import { createMonitors } from '../../../src/activities/index.js';
import { waitingTaskQueue } from '../../../src/contracts/ids.js';
import type { MonitorReport } from '../../../src/contracts/monitoring.js';
import { openTestDatabase } from '../../support/database.js';
import { HOUR, MonitoredModels } from '../../support/monitored-models.js';
import { createRandom } from '../../support/random.js';
import { getTestStack } from '../../support/stack.js';
import { quieten, workflowBundle } from '../../support/workflow-env.js';
import { MadeModel } from '../../unit/statistics/monitor/made-model.js';

describe('a monitor on a real server', function () {
  this.timeout(120_000);

  it('finds the fault of a window and tells the model, also when its worker was stopped meanwhile', async () => {
    quieten();
    const { temporalAddress: address } = await getTestStack();
    const database = await openTestDatabase();
    const models = await MonitoredModels.open(database, address);
    const connection = await NativeConnection.connect({ address });
    const own = await Connection.connect({ address });
    const client = new Client({ connection: own });
    const name = `monitor-${randomUUID().slice(0, 8)}`;
    const made = new MadeModel(createRandom(5), 3);
    const closed = Math.floor((Date.now() - 20_000) / HOUR) * HOUR;
    const fault = async (model: string): Promise<void> => {
      // Nobody works on this queue: what the model is told stays in its history.
      await models.serve(model, `nobody-${randomUUID()}`);
      const profile = await models.profile(model, made.profile);
      const features = { ...made.counts({ rows: 300, unseen: 90 }), profile };
      // Whatever the hour is by then, that one is looked at.
      await models.evaluatedTo(model, closed - HOUR);
      await models.window(model, { at: closed - HOUR / 2, features, requests: 300 });
    };
    const monitors = { shards: 1, seconds: 1 };
    const activities = createMonitors({
      db: database.db,
      client,
      taskQueue: name,
      monitors,
      alertChannels: [],
    });
    const start = async () => {
      const options = { connection, shutdownGraceTime: 0, shutdownForceTime: '2s' } as const;
      const workers = [
        await Worker.create({ ...options, taskQueue: name, workflowBundle: await workflowBundle() }),
        await Worker.create({ ...options, taskQueue: waitingTaskQueue(name), activities: { ...activities } }),
      ];
      const running = workers.map((worker) => worker.run());
      return async (): Promise<void> => {
        for (const worker of workers) worker.shutdown();
        await Promise.all(running);
      };
    };
    /** The first report; the monitor ticks every second. */
    const told = async (model: string): Promise<MonitorReport> => {
      for (;;) {
        const [report] = await models.reports(model);
        if (report !== undefined) return report;
        await new Promise((resolve) => setTimeout(resolve, 200));
      }
    };
    const unseen = async (model: string): Promise<void> => {
      const { findings } = await told(model);
      const id = `${model}/data-quality/color/${closed}`;
      assert.ok(
        findings.some((finding) => finding.id === id && finding.severity === 'critical'),
        JSON.stringify(findings),
      );
    };
    const [first, second] = [`${name}-a`, `${name}-b`];
    await fault(first);
    let stop = await start();
    try {
      const handle = await client.workflow.start('monitorShard', {
        workflowId: name,
        taskQueue: name,
        args: [{ shard: 0, seconds: 1 }],
      });
      await unseen(first);
      await stop();
      await fault(second);
      stop = await start();
      await unseen(second);
      assert.equal((await models.reports(first)).length, 1);
      monitors.seconds = 0;
      await handle.result();
    } finally {
      await stop();
      await models.close();
      await connection.close();
      await own.close();
      await database.drop();
    }
  });
});
