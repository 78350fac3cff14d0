/** The worker of the timer loops of `bench/fleet`. Argument: its task queue. */
import { fileURLToPath } from 'node:url';
import { heartbeat } from '@temporalio/activity';
import { Client, Connection } from '@temporalio/client';
import { NativeConnection, Worker } from '@temporalio/worker';
import { evaluateRoster } from '../../src/activities/monitors/evaluate-shard.js';
import { evaluatingOf } from '../../src/activities/monitors/index.js';
import { loadConfig } from '../../src/config.js';
import { DEFAULT_FLEET, MongoAlertDesk } from '../../src/platform/alerts/index.js';
import { connectMongo } from '../../src/platform/mongo/index.js';
import type { TimerLoopActivities } from '../fleet/timer-loop.js';

const { temporal, mongodbUri, namespace, database, taskQueue, monitors } = loadConfig();
if (temporal === null || mongodbUri === null) throw new Error('TEMPORAL_ADDRESS and MONGODB_URI must be set');
const { db } = await connectMongo(mongodbUri, database);
const client = new Client({ connection: await Connection.connect(temporal.connection), namespace });
const alerts = new MongoAlertDesk(db, []);
const evaluating = evaluatingOf({ db, client, taskQueue, monitors, alerts, fleet: DEFAULT_FLEET });

const activities: TimerLoopActivities = {
  evaluateOne: async ({ model, digest }) => {
    heartbeat();
    const { evaluated } = await evaluateRoster(evaluating, [{ model, champion: { version: 'v1', digest } }]);
    return evaluated;
  },
  doNothing: () => Promise.resolve(0),
};

const worker = await Worker.create({
  connection: await NativeConnection.connect(temporal.nativeConnection),
  namespace,
  taskQueue: process.argv[2] ?? '',
  workflowsPath: fileURLToPath(new URL('../fleet/timer-loop.js', import.meta.url)),
  activities: { ...activities },
});
process.stdout.write('The timer loops have a worker\n');
await worker.run();
process.exit(0);
