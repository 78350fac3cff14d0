import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { setTimeout as sleep } from 'node:timers/promises';
import { childEnvironment, type Config } from '../config.js';
import { COLLECTIONS, connectMongo, prepareDatabase } from '../platform/mongo/index.js';
import { MongoRoutingStore } from '../platform/serving/index.js';
import { freePorts, type Stack, startStack } from '../stack/index.js';
import { explainStorage } from './errors.js';
import { type KeptProcess, startProcess } from './processes.js';

export interface UpOptions {
  readonly worker: boolean;
  readonly gateway: boolean;
  /** What takes time, and what has happened to a process, in words. */
  readonly onProgress: (text: string) => void;
  /** Each line that worker and gateway write. */
  readonly onLine: (name: string, line: string) => void;
}

export interface Up {
  readonly temporalAddress: string;
  readonly temporalUiUrl: string | null;
  readonly mongodbUri: string;
  /** Null without a gateway, or when it has not reported itself within half a minute. */
  readonly gatewayUrl: string | null;
  /** Where the worker offers its metrics to Prometheus; null without a worker, or when it does not do so within half a minute. */
  readonly metricsUrl: string | null;
  readonly processes: readonly KeptProcess[];
  /** False when another process runs the stack of this folder: nothing was started then. */
  readonly owned: boolean;
  /** Worker, gateway, Temporal, MongoDB, in this order. May be called again. */
  stop(): Promise<void>;
}

type Environment = Readonly<Record<string, string>>;

const PATIENCE_MS = 30_000;
/** Of one question to the worker. */
const ANSWER_MS = 2_000;

/**
 * Starts the stack, then worker and gateway as processes of their own, and keeps them running. With a Temporal or a MongoDB of one's
 * own in the configuration, those are used.
 * @throws Error with what did not start and why; whatever had started is ended
 */
export async function startUp(config: Config, options: UpOptions): Promise<Up> {
  const { onProgress } = options;
  const stack = await startStack({
    dataDir: config.home,
    temporalAddress: config.temporal?.address ?? null,
    mongodbUri: config.mongodbUri,
    binaries: config.binaries,
    onProgress,
  });
  const processes: KeptProcess[] = [];
  let stopping: Promise<void> | undefined;
  const stop = (): Promise<void> => (stopping ??= stopAll(processes, stack, onProgress));
  try {
    const { temporalAddress, temporalUiUrl, mongodbUri, owned } = stack;
    let gatewayUrl: string | null = null;
    let metricsUrl: string | null = null;
    if (owned) {
      const since = await prepare(config, mongodbUri, onProgress);
      const start = (name: string, module: string, env: Environment): void => {
        onProgress(`Starting the ${name}`);
        processes.push(startPart(config, stack, { name, module, env, ...options }));
      };
      if (options.worker) {
        const address = config.metricsAddress ?? `127.0.0.1:${(await freePorts(1))[0]}`;
        metricsUrl = `http://${address}/metrics`;
        start('worker', '../worker', { TENURE_METRICS_ADDRESS: address });
      }
      if (options.gateway) start('gateway', '../gateway/main', {});
      [metricsUrl, gatewayUrl] = await Promise.all([
        metricsUrl === null ? null : whenItAnswers(metricsUrl),
        options.gateway ? findGateway(config, mongodbUri, since) : null,
      ]);
    }
    return { temporalAddress, temporalUiUrl, mongodbUri, gatewayUrl, metricsUrl, processes, owned, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

function startPart(
  config: Config,
  stack: Stack,
  part: UpOptions & { readonly name: string; readonly module: string; readonly env: Environment },
): KeptProcess {
  const { name, module, env, onLine, onProgress } = part;
  return startProcess({
    name,
    entry: entryOf(module),
    env: { ...childEnvironment(config, stack), ...env },
    restart: true,
    onLine: (line) => onLine(name, line),
    onEvent: onProgress,
  });
}

/** The source beside this file, or what was compiled from it. */
function entryOf(module: string): URL {
  const source = new URL(`${module}.ts`, import.meta.url);
  return existsSync(fileURLToPath(source)) ? source : new URL(`${module}.js`, import.meta.url);
}

/** Collections and indexes are there before anybody writes. @returns the database's time, epoch milliseconds */
async function prepare(config: Config, uri: string, onProgress: (text: string) => void): Promise<number> {
  try {
    const database = await connectMongo(uri, config.database);
    try {
      await prepareDatabase(database.db, COLLECTIONS, { onProgress });
      return (await new MongoRoutingStore(database.db).gateways()).now;
    } finally {
      await database.close();
    }
  } catch (error) {
    throw explainStorage(error);
  }
}

/** A gateway may listen on any free port: what it reports is its address. */
async function findGateway(config: Config, uri: string, since: number): Promise<string | null> {
  const database = await connectMongo(uri, config.database);
  try {
    const store = new MongoRoutingStore(database.db);
    return await withPatience(async () => {
      const { gateways } = await store.gateways();
      const found = gateways.find(
        ({ gateway, status, seenAt }) =>
          gateway === config.gateway.id && status === 'serving' && Date.parse(seenAt) > since,
      );
      return found?.url ?? null;
    });
  } catch (error) {
    throw explainStorage(error);
  } finally {
    await database.close();
  }
}

/** A worker first gets its code ready. @returns the address, or null when nobody answers there */
function whenItAnswers(url: string): Promise<string | null> {
  return withPatience(async () => {
    const response = await fetch(url, { signal: AbortSignal.timeout(ANSWER_MS) }).catch(() => null);
    await response?.body?.cancel();
    return response?.ok === true ? url : null;
  });
}

/** Asks again and again. @returns null when half a minute has not brought anything */
async function withPatience<T>(ask: () => Promise<T | null>): Promise<T | null> {
  const end = performance.now() + PATIENCE_MS;
  while (performance.now() < end) {
    const found = await ask();
    if (found !== null) return found;
    await sleep(250);
  }
  return null;
}

async function stopAll(
  processes: readonly KeptProcess[],
  stack: Stack,
  onProgress: (text: string) => void,
): Promise<void> {
  // In the order in which they were started: the worker's last acts still find a gateway that answers.
  for (const kept of processes) {
    onProgress(`Stopping the ${kept.name}`);
    await kept.stop();
  }
  if (stack.owned) onProgress('Stopping the stack');
  await stack.stop();
}
