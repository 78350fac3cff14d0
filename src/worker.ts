import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Client, Connection } from '@temporalio/client';
import {
  makeTelemetryFilterString,
  NativeConnection,
  Runtime,
  Worker,
  type WorkerOptions,
  type WorkflowBundleOption,
} from '@temporalio/worker';
import { pino } from 'pino';
import { createActivities, createDoctor, createMonitors, createReporter } from './activities/index.js';
import { createMeasures } from './activities/measures.js';
import { type Config, loadConfig } from './config.js';
import { waitingTaskQueue } from './contracts/ids.js';
import { uiLink, uiWorkflowLink } from './contracts/ui.js';
import { armFailPoints } from './fail-points/arm.js';
import { runtimeLogger } from './logging.js';
import {
  DEFAULT_FLEET,
  loadReceivers,
  logChannel,
  type Receivers,
  withLinks,
} from './platform/alerts/index.js';
import { COLLECTIONS, connectMongo, prepareDatabase } from './platform/mongo/index.js';
import { FolderArtifactStore } from './platform/registry/index.js';
import { ensureDoctorSchedule } from './platform/schedules/doctor-schedule.js';
import { ensureMonitors } from './platform/schedules/monitors.js';
import { ensureReportSchedule } from './platform/schedules/report-schedule.js';
import { bundleWorkflows } from './bundle-workflows.js';

/** Activities that are under way have so long to end when the worker is told to stop. */
const GRACE = '10s';

/** Workflows in memory, about half a gigabyte of heap. */
const CACHED_A_THREAD = 2_500;
const MOST_THREADS = 16;

/**
 * A flood of messages comes to a workflow in one task, up to 10,000 of them, and a busy machine needs its time for that: a script
 * that is cut short takes the whole worker down. The option is there (5 s by default), but not in the SDK's types.
 */
const LONG_SCRIPTS: object = { isolateExecutionTimeout: '120s' };

/** The worker as a process: configuration, connections, workers, until SIGTERM or SIGINT. */
async function run(config: Config): Promise<void> {
  const log = pino({ level: config.logLevel, name: 'worker' });
  const { temporal, mongodbUri, namespace, taskQueue } = config;
  if (temporal === null || mongodbUri === null)
    throw new Error('TEMPORAL_ADDRESS and MONGODB_URI must be set for the worker, as `tenure up` gives them');
  armFailPoints(config.failPoints);
  const { channels, fleet } = await alertReceivers(config);
  // Its threads keep the process alive: not before it is known that there is work to do.
  installRuntime(config, log);
  const mongo = await connectMongo(mongodbUri, config.database);
  await prepareDatabase(mongo.db, COLLECTIONS, { onProgress: (text) => log.info(text) });
  const connection = await NativeConnection.connect(temporal.nativeConnection);
  const own = await Connection.connect(temporal.connection);
  const client = new Client({ connection: own, namespace });
  const shared = {
    db: mongo.db,
    artifacts: new FolderArtifactStore(config.artifacts),
    alertChannels: [logChannel(log), ...channels],
    measures: createMeasures(Runtime.instance().metricMeter),
  };
  const { acting, waiting } = createActivities({
    ...shared,
    commandPath: config.path,
    trainingFolder: join(config.home, 'training'),
    trainings: config.trainings,
  });
  const doctor = createDoctor({ ...shared, client, taskQueue });
  const reporter = createReporter(shared);
  const monitors = createMonitors({ ...shared, client, taskQueue, monitors: config.monitors, fleet });
  const common = { connection, namespace, shutdownGraceTime: GRACE, ...versioning(config) } as const;
  const workers = await Promise.all([
    Worker.create({
      ...common,
      taskQueue,
      workflowBundle: await workflowBundle(),
      ...LONG_SCRIPTS,
      ...cache(config),
      activities: acting,
    }),
    Worker.create({
      ...common,
      taskQueue: waitingTaskQueue(taskQueue),
      activities: { ...waiting, ...doctor, ...reporter, ...monitors },
      // They only sleep and read: as many as there can be releases in flight.
      maxConcurrentActivityTaskExecutions: 1_000,
    }),
  ]);
  await scheduleRounds(client, config, log);
  process.stdout.write(`Worker polls ${taskQueue} at ${temporal.address}\n`);
  await Promise.all(workers.map((worker) => worker.run()));
  await connection.close();
  await own.close();
  await mongo.close();
}

/**
 * The longer a thread's heap is, the longer are the pauses in which it is cleaned up, and none of the thread's workflows answers
 * meanwhile: so a large cache is divided.
 */
function cache({
  cachedWorkflows,
}: Config): Pick<WorkerOptions, 'maxCachedWorkflows' | 'workflowThreadPoolSize'> {
  if (cachedWorkflows === null) return {};
  return {
    maxCachedWorkflows: cachedWorkflows,
    workflowThreadPoolSize: Math.min(MOST_THREADS, Math.ceil(cachedWorkflows / CACHED_A_THREAD)),
  };
}

/** A worker serves without them too: it is said, and a later worker tries again. */
async function scheduleRounds(client: Client, config: Config, log: pino.Logger): Promise<void> {
  const { taskQueue, doctorSeconds, reportAt, monitors } = config;
  await ensureDoctorSchedule(client, taskQueue, doctorSeconds).catch((error: unknown) =>
    log.error({ err: error }, 'The Schedule of the doctor cannot be set up'),
  );
  await ensureReportSchedule(client, taskQueue, reportAt).catch((error: unknown) =>
    log.error({ err: error }, 'The Schedule of the daily report cannot be set up'),
  );
  await ensureMonitors(client, taskQueue, monitors).catch((error: unknown) =>
    log.error({ err: error }, 'The monitors cannot be started'),
  );
}

async function alertReceivers({ alerts, temporalUi, namespace }: Config): Promise<Receivers> {
  const known = alerts === null ? { channels: [], fleet: DEFAULT_FLEET } : await loadReceivers(alerts);
  if (temporalUi === null) return known;
  const channels = withLinks(known.channels, ({ model, incident }) =>
    incident === undefined
      ? uiLink(temporalUi, namespace, `TenureModel = '${model}'`)
      : uiWorkflowLink(temporalUi, namespace, incident.id),
  );
  return { ...known, channels };
}

/** A fixed worker must be able to rescue every release that runs: so workflows move to the current version, never stay pinned. */
function versioning({ deployment }: Config): Pick<WorkerOptions, 'workerDeploymentOptions'> {
  if (deployment === null) return {};
  const { name: deploymentName, buildId } = deployment;
  return {
    workerDeploymentOptions: {
      version: { deploymentName, buildId },
      useWorkerVersioning: true,
      defaultVersioningBehavior: 'AUTO_UPGRADE',
    },
  };
}

/** Made by `npm run build`; from source it is made at the start. */
async function workflowBundle(): Promise<WorkflowBundleOption> {
  const built = fileURLToPath(new URL('./workflow-bundle.js', import.meta.url));
  if (existsSync(built)) return { codePath: built };
  return bundleWorkflows({ logger: runtimeLogger(pino({ level: 'warn' })) });
}

function installRuntime({ metricsAddress }: Config, log: pino.Logger): void {
  Runtime.install({
    logger: runtimeLogger(log),
    telemetryOptions: {
      logging: { filter: makeTelemetryFilterString({ core: 'WARN', other: 'ERROR' }), forward: {} },
      ...(metricsAddress === null ? {} : { metrics: { prometheus: { bindAddress: metricsAddress } } }),
    },
  });
}

try {
  await run(loadConfig());
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  // Threads of Temporal's runtime would keep a process alive that does nothing, and that nobody starts again.
  process.exit(1);
}
