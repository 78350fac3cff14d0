import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Db } from 'mongodb';
import { childEnvironment, loadConfig } from '../../src/config.js';
import type { DesiredRoute } from '../../src/contracts/routes.js';
import { connectMongo, prepareDatabase } from '../../src/platform/mongo/index.js';
import { FolderArtifactStore } from '../../src/platform/registry/index.js';
import { MongoRoutingStore } from '../../src/platform/serving/index.js';
import { windowsOf } from '../../src/platform/windows/collections.js';
import { killStack, startStack } from '../../src/stack/index.js';
import type { BenchContext } from '../bench.js';
import { startPart } from './processes.js';

export const MODEL = 'm';
const GATEWAY = 'gateway-1';
const PATIENCE_MS = 60_000;

/** A mongod of the bench's own. @returns its connection string */
export async function startMongod(context: BenchContext): Promise<string> {
  const dataDir = join(context.folder, 'stack');
  const stack = await startStack({
    dataDir,
    // Whatever is not null: none is started, none is asked for.
    temporalAddress: 'none',
    binaries: context.config.binaries,
    onProgress: context.say,
  });
  context.defer(() => stack.stop());
  const end = (): void => killStack(dataDir);
  process.once('exit', end);
  context.defer(() => process.off('exit', end));
  return stack.mongodbUri;
}

export interface GatewayStage {
  readonly url: string;
  readonly pid: number;
  readonly artifacts: FolderArtifactStore;
  readonly db: Db;
  /** Writes the next routing table and waits until the gateway has it in force. */
  route(desired: DesiredRoute, model?: string): Promise<void>;
  /** Requests that are stored in windows, by how they came. */
  counted(): Promise<number>;
}

/** The gateway as it is run, as a process of its own with its usual settings, on a mongod of the bench's own. */
export async function startGatewayStage(context: BenchContext): Promise<GatewayStage> {
  const mongodbUri = await startMongod(context);
  const home = join(context.folder, 'home');
  const config = loadConfig({ ...process.env, TENURE_HOME: home });
  const database = await connectMongo(mongodbUri, config.database);
  context.defer(() => database.close());
  await prepareDatabase(database.db);
  const artifacts = new FolderArtifactStore(config.artifacts);
  const routes = new MongoRoutingStore(database.db);
  const { said: url, pid } = await startPart(context, {
    name: 'gateway',
    module: 'src/gateway/main',
    env: {
      ...childEnvironment(config, { temporalAddress: '127.0.0.1:1', mongodbUri }),
      TENURE_GATEWAY_ID: GATEWAY,
      TENURE_GATEWAY_PORT: '0',
      TENURE_LOG_LEVEL: 'warn',
    },
    ready: /listens on (http\S+)/,
  });
  const route = async (desired: DesiredRoute, model = MODEL): Promise<void> => {
    const changeId = `bench-${performance.now()}`;
    const { generation } = await routes.compareAndSet({
      model,
      expectedGeneration: 'any',
      desired,
      changeId,
    });
    const end = performance.now() + PATIENCE_MS;
    for (;;) {
      const { gateways } = await routes.gateways();
      const observed = gateways.find(({ gateway }) => gateway === GATEWAY)?.observed[model];
      if (observed?.generation === generation) return;
      if (performance.now() > end) {
        const why = observed?.failed.map(({ reason }) => reason).join('; ');
        throw new Error(`The gateway has not taken generation ${generation}${why ? `: ${why}` : ''}`);
      }
      await sleep(50);
    }
  };
  return { url, pid, artifacts, db: database.db, route, counted: () => counted(database.db) };
}

async function counted(db: Db): Promise<number> {
  const batches = await windowsOf(db).find({ model: MODEL }).toArray();
  const requests = batches.flatMap(({ cells }) => cells.flatMap((cell) => Object.values(cell.requests)));
  return requests.reduce((sum, count) => sum + count, 0);
}
