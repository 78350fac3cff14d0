import { randomUUID } from 'node:crypto';
import { mkdir, realpath } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { findBinary, type BinarySettings } from './binaries/index.js';
import { withLock } from './lock.js';
import { mongodAnswers, mongodArgument, mongodData, mongodPlan, mongodUri } from './mongod.js';
import { freePorts, getsFree } from './ports.js';
import { findByArgument, identify, isRunning, signal } from '../processes/identity.js';
import { readRecord, writeRecord, type StackRecord } from './record.js';
import { isServing, startServer, stopServer } from './server.js';
import { temporalAnswers, temporalArgument, temporalPlan } from './temporal.js';

export interface StackOptions {
  /** Folder of the data, the ports, the logs; made if need be. One stack a folder. */
  readonly dataDir: string;
  /** A Temporal of one's own, `host:port`: none is started then. */
  readonly temporalAddress?: string | null;
  /** A MongoDB replica set of one's own: none is started then. */
  readonly mongodbUri?: string | null;
  /** Where the programs are looked for. */
  readonly binaries: BinarySettings;
  /** Told what takes time, in plain words, one line each. */
  readonly onProgress?: (text: string) => void;
}

export interface Stack {
  /** `host:port` of Temporal's frontend. */
  readonly temporalAddress: string;
  /** Address of the Temporal UI; null with a Temporal of one's own. */
  readonly temporalUiUrl: string | null;
  readonly mongodbUri: string;
  /** Whether `stop` ends the servers: false when another start in this folder owns them. */
  readonly owned: boolean;
  /** Ends the servers, Temporal first, if this start owns them. May be called again. */
  readonly stop: () => Promise<void>;
}

/** Another process may be downloading the programs. */
const LOCK_LIMIT_MS = 30 * 60_000;
const TRIES = 3;
const TEMPORAL_GRACE_MS = 10_000;
const MONGOD_GRACE_MS = 20_000;

/**
 * Starts the embedded stack, or attaches to the one that runs on this folder. After a killed owner the servers that
 * still run are taken over, the others are started on the same data.
 * @throws BinaryNotFoundError, or an Error with the end of the log of the server that did not start
 */
export async function startStack(options: StackOptions): Promise<Stack> {
  await mkdir(options.dataDir, { recursive: true });
  // One name a folder: the servers are known by it.
  const dataDir = await realpath(options.dataDir);
  return withLock(lockOf(dataDir), LOCK_LIMIT_MS, async () => {
    const before = await readRecord(dataDir);
    const attached = before.owner !== null && isRunning(before.owner);
    const token = randomUUID();
    const self = identify(process.pid);
    if (self === undefined) throw new Error('The start of this process cannot be read from the system');
    const owner = attached ? before.owner : { ...self, token };
    const keep = recordKeeper(dataDir, { ...before, owner });
    await keep({});
    const results = await Promise.allSettled([
      options.temporalAddress ? null : ensureTemporal(dataDir, options, before.temporal, keep),
      options.mongodbUri ? null : ensureMongod(dataDir, options, before.mongod, keep),
    ]);
    const failures = results.flatMap((result) =>
      result.status === 'rejected' ? [result.reason as Error] : [],
    );
    if (failures.length > 0) {
      if (!attached) await stopServers(dataDir, keep);
      throw failures.length === 1
        ? failures[0]!
        : new AggregateError(failures, failures.map(String).join('\n'));
    }
    const [temporal, mongod] = results.map((result) =>
      result.status === 'fulfilled' ? result.value : null,
    ) as [StackRecord['temporal'], StackRecord['mongod']];
    return {
      temporalAddress: temporal ? `127.0.0.1:${temporal.port}` : (options.temporalAddress ?? ''),
      temporalUiUrl: temporal ? `http://127.0.0.1:${temporal.uiPort}` : null,
      mongodbUri: mongod ? mongodUri(mongod.port) : (options.mongodbUri ?? ''),
      owned: !attached,
      stop: () => stop(dataDir, token),
    };
  });
}

/** Ends a folder's servers at once, without waiting: for the exit handler of a process that cannot wait. */
export function killStack(dataDir: string): void {
  for (const argument of [temporalArgument(dataDir), mongodArgument(dataDir)])
    for (const identity of findByArgument(argument)) signal(identity, 'SIGKILL');
}

const lockOf = (dataDir: string): string => join(dataDir, 'stack.lock');

type Keep = (change: Partial<StackRecord>) => Promise<void>;

/** Two servers start at the same time and share a record: changes are written one after the other. */
function recordKeeper(dataDir: string, first: StackRecord): Keep {
  let record = first;
  let written: Promise<void> = Promise.resolve();
  return (change) => {
    record = { ...record, ...change };
    const now = record;
    written = written.then(() => writeRecord(dataDir, now));
    return written;
  };
}

async function ensureTemporal(
  dataDir: string,
  { binaries, onProgress }: StackOptions,
  known: StackRecord['temporal'],
  keep: Keep,
): Promise<NonNullable<StackRecord['temporal']>> {
  const argument = temporalArgument(dataDir);
  if (await isServing(argument, known && (() => temporalAnswers(known)))) return known!;
  const executable = await findBinary('temporal', { onProgress, ...binaries });
  onProgress?.('Starting the Temporal development server');
  return trying(async (otherPorts) => {
    const [port, uiPort] =
      otherPorts || !known ? await freePorts(2) : await stillFree([known.port, known.uiPort]);
    const ports = { port: port!, uiPort: uiPort! };
    await keep({ temporal: ports });
    await startServer(temporalPlan(dataDir, executable, ports));
    return ports;
  });
}

async function ensureMongod(
  dataDir: string,
  { binaries, onProgress }: StackOptions,
  known: StackRecord['mongod'],
  keep: Keep,
): Promise<NonNullable<StackRecord['mongod']>> {
  const argument = mongodArgument(dataDir);
  if (await isServing(argument, known && (() => mongodAnswers(dataDir, known.port)))) return known!;
  const executable = await findBinary('mongod', { onProgress, ...binaries });
  onProgress?.('Starting the MongoDB server');
  await mkdir(mongodData(dataDir), { recursive: true });
  return trying(async (otherPorts) => {
    const [port] = otherPorts || !known ? await freePorts(1) : await stillFree([known.port]);
    await keep({ mongod: { port: port! } });
    await startServer(mongodPlan(dataDir, executable, port!));
    return { port: port! };
  });
}

/** The same ports, save those that somebody else has taken. What was killed a moment ago gets a second to let go. */
async function stillFree(ports: readonly number[]): Promise<number[]> {
  const fresh = await freePorts(ports.length);
  return Promise.all(ports.map(async (port, i) => ((await getsFree(port, 1_000)) ? port : fresh[i]!)));
}

/** Tries again where the cause passes: another program was quicker to the port, or a killed server still holds the data. */
async function trying<T>(start: (otherPorts: boolean) => Promise<T>): Promise<T> {
  let otherPorts = false;
  for (let tries = 1; ; tries++) {
    try {
      return await start(otherPorts);
    } catch (error) {
      const reason = String(error);
      otherPorts ||= /address already in use/i.test(reason);
      const held = /DBPathInUse|database is locked/i.test(reason);
      if (tries === TRIES || !(otherPorts || held)) throw error;
      await sleep(300);
    }
  }
}

async function stop(dataDir: string, token: string): Promise<void> {
  await withLock(lockOf(dataDir), LOCK_LIMIT_MS, async () => {
    const record = await readRecord(dataDir);
    if (record.owner?.token === token) await stopServers(dataDir, recordKeeper(dataDir, record));
  });
}

/** Temporal first: nothing that it runs should find the database gone. */
async function stopServers(dataDir: string, keep: Keep): Promise<void> {
  await stopServer(temporalArgument(dataDir), TEMPORAL_GRACE_MS);
  await stopServer(mongodArgument(dataDir), MONGOD_GRACE_MS);
  await keep({ owner: null });
}
