import type { Config } from '../config.js';
import type { TenureDatabase } from '../platform/mongo/index.js';
import { type ArtifactStore, FolderArtifactStore } from '../platform/registry/index.js';
import { explainStorage, TenureError } from './errors.js';
import type { Tenure } from './tenure.js';

export interface SessionOptions {
  /** Who acts; the configured user when absent. */
  readonly actor?: string;
  /** How long a call waits for a worker, milliseconds. */
  readonly patienceMs?: number;
}

/** The connections that a script or a command needs, each opened when it is first asked for. */
export interface Session {
  readonly config: Config;
  readonly actor: string;
  /** @throws TenureError `unreachable` */
  tenure(): Promise<Tenure>;
  /** @throws TenureError `unreachable` */
  database(): Promise<TenureDatabase>;
  artifacts(): ArtifactStore;
  /** Address of the embedded stack's Temporal UI; null when it is not running, or Temporal is one of one's own. */
  temporalUiUrl(): Promise<string | null>;
  /** Closes what was opened. */
  close(): Promise<void>;
}

/** Nothing is connected yet. Without addresses in the configuration it finds the embedded stack that runs in `config.home`. */
export function openSession(config: Config, options: SessionOptions = {}): Session {
  const actor = options.actor ?? config.user;
  const stack = once(() => findStack(config));
  const tenure = once(async () => {
    const { Tenure } = await import('./tenure.js');
    const connection = config.temporal?.connection ?? {
      address: (await stack.get())?.temporalAddress ?? absent('Temporal', 'TEMPORAL_ADDRESS', config),
    };
    const { namespace, taskQueue } = config;
    return Tenure.connect({ connection, namespace, taskQueue, actor, ...patience(options) });
  });
  const database = once(async () => {
    const { connectMongo } = await import('../platform/mongo/index.js');
    const uri =
      config.mongodbUri ?? (await stack.get())?.mongodbUri ?? absent('MongoDB', 'MONGODB_URI', config);
    return connectMongo(uri, config.database).catch((error: unknown) => {
      throw explainStorage(error);
    });
  });
  const artifacts = new FolderArtifactStore(config.artifacts);
  return {
    config,
    actor,
    tenure: tenure.get,
    database: database.get,
    artifacts: () => artifacts,
    temporalUiUrl: async () =>
      config.temporal === null ? ((await stack.get())?.temporalUiUrl ?? null) : null,
    close: async () => {
      await Promise.allSettled([tenure, database].map(async ({ opened }) => (await opened())?.close()));
    },
  };
}

const patience = ({ patienceMs }: SessionOptions): { patienceMs?: number } =>
  patienceMs === undefined ? {} : { patienceMs };

async function findStack({ home }: Config) {
  const { readRunningStack } = await import('../stack/index.js');
  return readRunningStack(home);
}

function absent(what: string, variable: string, { home }: Config): never {
  throw new TenureError(
    'unreachable',
    `${what} is not running in ${home}: start it with \`tenure up\`, or set ${variable}`,
  );
}

interface Once<T> {
  /** Starts it the first time; the same promise ever after. */
  readonly get: () => Promise<T>;
  /** What was started, if anything. */
  readonly opened: () => Promise<T> | undefined;
}

function once<T>(start: () => Promise<T>): Once<T> {
  let started: Promise<T> | undefined;
  return { get: () => (started ??= start()), opened: () => started };
}
