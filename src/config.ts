import { homedir, userInfo } from 'node:os';
import { join, resolve } from 'node:path';
import { loadClientConnectConfig } from '@temporalio/envconfig';
import type { ConnectionOptions } from '@temporalio/client';
import type { NativeConnectionOptions } from '@temporalio/worker';
import { z } from 'zod';
import { DEFAULT_TASK_QUEUE } from './contracts/ids.js';
import type { FailSettings } from './fail-points/arm.js';
import { parseFailPlans } from './fail-points/plan.js';

/**
 * Everything that a process of Tenure takes from its environment. Only this file reads `process.env`; src/stack hands it on, unread,
 * to the servers that it starts.
 */
export interface Config {
  /** Folder of the embedded stack's data, the artifacts and the gateway's spool. */
  readonly home: string;
  /** Folder of the content-addressed artifact store. */
  readonly artifacts: string;
  /** A Temporal of one's own; null: the embedded one. */
  readonly temporal: TemporalTarget | null;
  readonly namespace: string;
  /** A MongoDB of one's own; null: the embedded one. */
  readonly mongodbUri: string | null;
  readonly database: string;
  readonly taskQueue: string;
  readonly gateway: {
    readonly host: string;
    /** 0: a free one. */
    readonly port: number;
    /** Name of this gateway; one process a name. */
    readonly id: string;
    /** Address under which workers and other hosts reach it; null: as it listens. */
    readonly url: string | null;
    /** Between two writes of what was counted of a model, seconds; during a canary and a soak it is sooner. */
    readonly flushSeconds: number;
  };
  readonly logLevel: LogLevel;
  /** Where the worker offers the SDK's metrics to Prometheus, `host:port`; null: nowhere. */
  readonly metricsAddress: string | null;
  /** Between two rounds of the doctor, seconds; 0: no rounds. */
  readonly doctorSeconds: number;
  /** When the daily report is made, `HH:MM` UTC; null: it is not. */
  readonly reportAt: string | null;
  /** Monitors: how many workflows they are, and seconds between two ticks of each; 0: none. */
  readonly monitors: { readonly shards: number; readonly seconds: number };
  /** Workflows that the worker keeps in memory; null: as many as the SDK finds room for. */
  readonly cachedWorkflows: number | null;
  /** How many trainings may run at once in the fleet. */
  readonly trainings: number;
  /** File of the receivers of alerts; null: the log alone. */
  readonly alerts: string | null;
  /** Address of the Temporal UI, for links in alerts; null: no links. */
  readonly temporalUi: string | null;
  /** Worker deployment of this worker, with Worker Versioning in a Temporal of one's own; null: unversioned. */
  readonly deployment: { readonly name: string; readonly buildId: string } | null;
  /** Where the programs of the embedded stack are looked for. */
  readonly binaries: {
    readonly explicit: Readonly<Partial<Record<'temporal' | 'temporal-test-server' | 'mongod', string>>>;
    readonly searchPath: string;
    readonly cacheDir: string;
  };
  /** Who the command acts for, unless it is told otherwise. */
  readonly user: string;
  /** Where the commands of validation gates are looked for. */
  readonly path: string;
  /** Where this process is to die or wait; null, as always outside of tests: nowhere. */
  readonly failPoints: FailSettings | null;
}

export interface TemporalTarget {
  readonly address: string;
  readonly connection: ConnectionOptions;
  readonly nativeConnection: NativeConnectionOptions;
}

const LOG_LEVELS = ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

/** The environment is not what it should be; says which variable, its value and what is allowed. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
}

const text = z.string().min(1).optional();
const schema = z.object({
  TENURE_HOME: text,
  TENURE_ARTIFACTS: text,
  TENURE_DATABASE: z
    .string()
    .regex(/^[A-Za-z0-9_-]{1,38}$/, 'must be 1 to 38 letters, digits, _ or -')
    .default('tenure'),
  TENURE_TASK_QUEUE: z.string().min(1).max(200).default(DEFAULT_TASK_QUEUE),
  TENURE_GATEWAY_HOST: z.string().min(1).default('127.0.0.1'),
  TENURE_GATEWAY_PORT: z.coerce.number().int().min(0).max(65_535).default(8080),
  TENURE_GATEWAY_ID: z
    .string()
    .regex(/^[a-z0-9][a-z0-9-]{0,62}$/, 'must be 1 to 63 lower-case letters, digits or -')
    .default('gateway-1'),
  TENURE_GATEWAY_URL: z.url({ protocol: /^https?$/ }).optional(),
  TENURE_GATEWAY_FLUSH_SECONDS: z.coerce.number().min(0.5).max(60).default(15),
  TENURE_LOG_LEVEL: z.enum(LOG_LEVELS).default('info'),
  TENURE_METRICS_ADDRESS: z
    .string()
    .regex(/^[^:\s]+:\d+$/, 'must be host:port')
    .optional(),
  TENURE_DOCTOR_SECONDS: z.coerce.number().int().min(0).max(86_400).default(300),
  TENURE_REPORT_AT: z
    .string()
    .regex(/^(off|([01]\d|2[0-3]):[0-5]\d)$/, 'must be HH:MM (UTC), or off')
    .default('00:15'),
  TENURE_MONITOR_SECONDS: z.coerce.number().int().min(0).max(86_400).default(60),
  TENURE_MONITOR_SHARDS: z.coerce.number().int().min(1).max(1_000).default(4),
  TENURE_CACHED_WORKFLOWS: z.coerce.number().int().min(10).max(1_000_000).optional(),
  TENURE_TRAININGS: z.coerce.number().int().min(1).max(100).default(1),
  TENURE_ALERTS: text,
  TENURE_TEMPORAL_UI: z.url({ protocol: /^https?$/ }).optional(),
  TENURE_DEPLOYMENT: text,
  TENURE_BUILD_ID: text,
  TENURE_TEMPORAL_CLI: text,
  TENURE_TEMPORAL_TEST_SERVER: text,
  TENURE_MONGOD: text,
  TENURE_CACHE: text,
  TENURE_USER: text,
  TENURE_FAIL_POINT: text,
  TENURE_FAIL_FOLDER: text,
  TENURE_FAIL_POINTS_ALLOWED: text,
  XDG_CACHE_HOME: text,
  USER: text,
  PATH: z.string().default('/usr/bin:/bin'),
  MONGODB_URI: z
    .string()
    .regex(/^mongodb(\+srv)?:\/\//, 'must begin with mongodb:// or mongodb+srv://')
    .optional(),
  TEMPORAL_ADDRESS: text,
  TEMPORAL_PROFILE: text,
  TEMPORAL_CONFIG_FILE: text,
  TEMPORAL_NAMESPACE: text,
});

/**
 * Reads and checks the environment.
 * @throws ConfigError naming each variable that is wrong; secrets are never quoted
 */
export function loadConfig(env: Readonly<Record<string, string | undefined>> = process.env): Config {
  const given = Object.fromEntries(
    Object.entries(env).filter(([, value]) => value !== undefined && value !== ''),
  );
  const parsed = schema.safeParse(given);
  if (!parsed.success)
    throw new ConfigError(parsed.error.issues.map((issue) => explain(issue, given)).join('\n'));
  const vars = parsed.data;
  const home = resolve(vars.TENURE_HOME ?? '.tenure');
  const temporal = temporalTarget(given as Record<string, string>);
  return {
    home,
    artifacts: resolve(vars.TENURE_ARTIFACTS ?? join(home, 'artifacts')),
    temporal: temporal?.target ?? null,
    namespace: temporal?.namespace ?? vars.TEMPORAL_NAMESPACE ?? 'default',
    mongodbUri: vars.MONGODB_URI ?? null,
    database: vars.TENURE_DATABASE,
    taskQueue: vars.TENURE_TASK_QUEUE,
    gateway: {
      host: vars.TENURE_GATEWAY_HOST,
      port: vars.TENURE_GATEWAY_PORT,
      id: vars.TENURE_GATEWAY_ID,
      url: vars.TENURE_GATEWAY_URL ?? null,
      flushSeconds: vars.TENURE_GATEWAY_FLUSH_SECONDS,
    },
    logLevel: vars.TENURE_LOG_LEVEL,
    metricsAddress: vars.TENURE_METRICS_ADDRESS ?? null,
    doctorSeconds: vars.TENURE_DOCTOR_SECONDS,
    reportAt: vars.TENURE_REPORT_AT === 'off' ? null : vars.TENURE_REPORT_AT,
    monitors: { shards: vars.TENURE_MONITOR_SHARDS, seconds: vars.TENURE_MONITOR_SECONDS },
    cachedWorkflows: vars.TENURE_CACHED_WORKFLOWS ?? null,
    trainings: vars.TENURE_TRAININGS,
    alerts: vars.TENURE_ALERTS === undefined ? null : resolve(vars.TENURE_ALERTS),
    temporalUi: vars.TENURE_TEMPORAL_UI?.replace(/\/+$/, '') ?? null,
    deployment: deploymentOf(vars.TENURE_DEPLOYMENT, vars.TENURE_BUILD_ID),
    binaries: {
      explicit: definedOnly({
        temporal: vars.TENURE_TEMPORAL_CLI,
        'temporal-test-server': vars.TENURE_TEMPORAL_TEST_SERVER,
        mongod: vars.TENURE_MONGOD,
      }),
      searchPath: vars.PATH,
      cacheDir: resolve(
        vars.TENURE_CACHE ?? join(vars.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'tenure'),
      ),
    },
    user: vars.TENURE_USER ?? vars.USER ?? accountName(),
    path: vars.PATH,
    failPoints: failSettings(vars),
  };
}

const definedOnly = <T extends object>(values: { [K in keyof T]: T[K] | undefined }): Partial<T> =>
  Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as Partial<T>;

function deploymentOf(name: string | undefined, buildId: string | undefined): Config['deployment'] {
  if (name === undefined && buildId === undefined) return null;
  if (name !== undefined && buildId !== undefined) return { name, buildId };
  throw new ConfigError('TENURE_DEPLOYMENT and TENURE_BUILD_ID go together: one of them is not set');
}

const IS_A_TEST = 'this is a test';

/** Two settings, so that no copied line of a test ever kills a process that serves. */
function failSettings(vars: z.infer<typeof schema>): FailSettings | null {
  const { TENURE_FAIL_POINT: text, TENURE_FAIL_FOLDER: folder, TENURE_FAIL_POINTS_ALLOWED: allowed } = vars;
  if (text === undefined) return null;
  if (allowed !== IS_A_TEST)
    throw new ConfigError(
      `TENURE_FAIL_POINT is ${JSON.stringify(text)}: it kills this process, and is refused unless TENURE_FAIL_POINTS_ALLOWED is "${IS_A_TEST}"; leave it out`,
    );
  if (folder === undefined)
    throw new ConfigError('TENURE_FAIL_POINT needs TENURE_FAIL_FOLDER, a folder for its marks');
  try {
    return { plans: parseFailPlans(text), folder: resolve(folder) };
  } catch (error) {
    throw new ConfigError(`TENURE_FAIL_POINT: ${error instanceof Error ? error.message : String(error)}`, {
      cause: error,
    });
  }
}

const SECRET = /URI|KEY|TOKEN|PASSWORD/;

function explain(issue: z.core.$ZodIssue, given: Readonly<Record<string, unknown>>): string {
  const name = String(issue.path[0]);
  const value = SECRET.test(name) ? '(not shown)' : JSON.stringify(given[name]);
  return `${name} is ${value}: ${issue.message}`;
}

/** Temporal's own environment configuration, once anything in it points away from the embedded server. */
function temporalTarget(
  env: Record<string, string>,
): { target: TemporalTarget; namespace: string | undefined } | null {
  const asked = ['TEMPORAL_ADDRESS', 'TEMPORAL_PROFILE', 'TEMPORAL_CONFIG_FILE'].some((name) => name in env);
  if (!asked) return null;
  try {
    const { connectionOptions, namespace } = loadClientConnectConfig({ overrideEnvVars: env });
    const address = connectionOptions.address ?? 'localhost:7233';
    const options = { ...connectionOptions, address };
    return {
      target: { address, connection: options, nativeConnection: options },
      namespace,
    };
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new ConfigError(`The Temporal environment configuration cannot be used: ${reason}`, {
      cause: error,
    });
  }
}

/** Of the account that the process runs as, where the environment names nobody, as in a container. */
function accountName(): string {
  try {
    return userInfo().username;
  } catch {
    return 'unknown';
  }
}

/**
 * The environment for a process of Tenure that works with these addresses. With an embedded Temporal the user's own Temporal
 * configuration (files, keys, TLS), which means another server, is left out.
 */
export function childEnvironment(
  config: Config,
  addresses: {
    readonly temporalAddress: string;
    readonly temporalUiUrl?: string | null;
    readonly mongodbUri: string;
  },
  env: Readonly<Record<string, string | undefined>> = process.env,
): Record<string, string | undefined> {
  const own = config.temporal !== null;
  const kept = Object.entries(env).filter(([name]) => own || !name.startsWith('TEMPORAL_'));
  return {
    ...Object.fromEntries(kept),
    ...(own
      ? {}
      : {
          TEMPORAL_ADDRESS: addresses.temporalAddress,
          TEMPORAL_NAMESPACE: config.namespace,
          // A file that is not there is no configuration.
          TEMPORAL_CONFIG_FILE: join(config.home, 'no-temporal.toml'),
        }),
    ...(typeof addresses.temporalUiUrl === 'string' ? { TENURE_TEMPORAL_UI: addresses.temporalUiUrl } : {}),
    MONGODB_URI: addresses.mongodbUri,
    TENURE_HOME: config.home,
    TENURE_ARTIFACTS: config.artifacts,
  };
}
