import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { pino } from 'pino';
import { type Config, loadConfig } from '../config.js';
import { armFailPoints } from '../fail-points/arm.js';
import { databaseTime, openMongo } from '../platform/mongo/index.js';
import { MongoLabelJoin } from '../platform/observations/labels.js';
import { MongoObserved } from '../platform/observations/observed.js';
import { MongoObservationStore } from '../platform/observations/store.js';
import { threadsEnding } from '../platform/onnx/thread.js';
import { ProfileStore } from '../platform/profiles/index.js';
import { FolderArtifactStore } from '../platform/registry/index.js';
import { ChangedTables } from '../platform/serving/index.js';
import { startCompactor } from '../platform/windows/compaction.js';
import { MongoWindowStore } from '../platform/windows/store.js';
import { startGateway } from './server.js';

/** Requests in flight have had their deadline by then. */
const PATIENCE_MS = 20_000;

const CLOCK_ANSWER_MS = 5_000;

/** The gateway as a process: until SIGTERM or SIGINT. Starts without MongoDB too, from what it last knew. */
async function run({
  gateway: settings,
  home,
  artifacts,
  mongodbUri,
  database,
  logLevel,
  failPoints,
}: Config): Promise<void> {
  armFailPoints(failPoints);
  const log = pino({ level: logLevel, name: settings.id });
  if (mongodbUri === null) {
    throw new Error(
      'MONGODB_URI is not set: the gateway needs the MongoDB of its control plane, as `tenure up` gives it',
    );
  }
  const mongo = openMongo(mongodbUri, database, { serverSelectionTimeoutMs: 2_000 });
  const dataDir = join(home, 'gateways', settings.id);
  await mkdir(dataDir, { recursive: true });
  const gateway = await startGateway({
    gateway: settings.id,
    source: new ChangedTables(mongo.db),
    windows: new MongoWindowStore(mongo.db),
    databaseTime: () => databaseTime(mongo.db, CLOCK_ANSWER_MS),
    observations: {
      store: new MongoObservationStore(mongo.db),
      labels: new MongoLabelJoin(mongo.client, mongo.db, settings.id),
      observed: new MongoObserved(mongo.client, mongo.db),
    },
    artifacts: new FolderArtifactStore(artifacts),
    profiles: new ProfileStore(mongo.db),
    dataDir,
    host: settings.host,
    port: settings.port,
    idleFlushMs: settings.flushSeconds * 1_000,
    ...(settings.url === null ? {} : { advertisedUrl: settings.url }),
    log,
  });
  const compactor = startCompactor({ client: mongo.client, name: database }, log);
  process.stdout.write(`Gateway ${settings.id} listens on ${gateway.url}\n`);
  log.info({ url: gateway.url, boot: gateway.boot }, 'Listening');

  const signal = await new Promise<string>((resolve) => {
    for (const name of ['SIGTERM', 'SIGINT'] as const) process.once(name, () => resolve(name));
  });
  log.info({ signal }, 'Stopping');
  const stopped = Promise.all([compactor.stop(), gateway.stop()]).then(() => mongo.close());
  await Promise.race([stopped, sleep(PATIENCE_MS, undefined, { ref: false })]);
  log.info('Stopped');
  log.flush();
  // A thread stuck in a native call can be neither ended nor waited for, and a plain exit would dump core.
  if (threadsEnding() > 0) process.kill(process.pid, 'SIGKILL');
  process.exit(0);
}

try {
  await run(loadConfig());
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  // An open connection would keep a process alive that does nothing, and that nobody starts again.
  process.exit(1);
}
