import { NativeConnection, Worker } from '@temporalio/worker';
import type { Db } from 'mongodb';
import { createActivities } from '../../src/activities/index.js';
import type {
  LookTaken,
  TenureActivities,
  TrafficChange,
  TrafficChanged,
} from '../../src/contracts/activities.js';
import { waitingTaskQueue } from '../../src/contracts/ids.js';
import { MongoLedger } from '../../src/ledger/index.js';
import type { AlertChannel } from '../../src/platform/alerts/index.js';
import { collectionsOf } from '../../src/platform/mongo/index.js';
import type { ArtifactStore } from '../../src/platform/registry/index.js';
import type { ScriptedPlatform } from './scripted-platform.js';
import { quieten, workflowBundle } from './workflow-env.js';

export interface ScriptedWorker {
  readonly taskQueue: string;
  /** May be called again. */
  stop(): Promise<void>;
}

/**
 * A worker on a real server with a real ledger and registry; validation, traffic and looks come from a script. The acts on the
 * traffic are recorded as the real ones are.
 */
export async function startScriptedWorker(options: {
  readonly address: string;
  readonly taskQueue: string;
  readonly db: Db;
  readonly artifacts: ArtifactStore;
  readonly platform: ScriptedPlatform;
  readonly alertChannels?: readonly AlertChannel[];
  /** On the waiting task queue, beside the looks. */
  readonly waiting?: object;
}): Promise<ScriptedWorker> {
  quieten();
  const { address, taskQueue, db, artifacts, platform, alertChannels = [], waiting = {} } = options;
  const { acting } = createActivities({
    db,
    artifacts,
    alertChannels,
    commandPath: '',
    trainingFolder: '',
    trainings: 1,
  });
  const ledger = new MongoLedger(collectionsOf(db).ledger);
  const recorded =
    <T extends TrafficChanged>(act: (change: TrafficChange) => Promise<T>) =>
    async (change: TrafficChange): Promise<T> => {
      const done = await act(change);
      const places = await ledger.append([...change.before, change.after]);
      const { sequence, hash } = places.at(-1) ?? { sequence: 0, hash: '' };
      return { ...done, head: { sequence, hash } };
    };
  const activities: TenureActivities = {
    ...acting,
    // The registry is real, the routing table is the script's.
    findVersion: async (input) => {
      const found = await acting.findVersion(input);
      const { route } = platform;
      const table = route === null ? null : { generation: route.generation, changeId: route.changeId };
      return found === null ? null : { ...found, table };
    },
    validateVersion: platform.validateVersion,
    checkConformance: platform.checkConformance,
    readBaseline: platform.readBaseline,
    changeTraffic: recorded(platform.changeTraffic),
    rehearseRollback: recorded(platform.rehearseRollback),
  };
  const awaitLook = (input: Parameters<ScriptedPlatform['awaitLook']>[0]): Promise<LookTaken> =>
    platform.awaitLook(input);
  const connection = await NativeConnection.connect({ address });
  const common = { connection, shutdownGraceTime: 0, shutdownForceTime: '2s' } as const;
  const workers = await Promise.all([
    Worker.create({
      ...common,
      taskQueue,
      workflowBundle: await workflowBundle(),
      activities: { ...activities },
    }),
    Worker.create({
      ...common,
      taskQueue: waitingTaskQueue(taskQueue),
      activities: { awaitLook, ...waiting },
    }),
  ]);
  const running = workers.map((worker) => worker.run());
  let stopped: Promise<void> | undefined;
  const stop = async (): Promise<void> => {
    for (const worker of workers) worker.shutdown();
    await Promise.all(running);
    await connection.close();
  };
  return { taskQueue, stop: () => (stopped ??= stop()) };
}
