import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { MongoClient, MongoServerError, type Db, type Document } from 'mongodb';
import type { Executable } from './binaries/index.js';
import { findByArgument } from '../processes/identity.js';
import type { ServerPlan } from './server.js';

const REPLICA_SET = 'tenure';

/** The argument by which a folder's server is known. */
export const mongodArgument = (dataDir: string): string => `--dbpath=${mongodData(dataDir)}`;

export const mongodData = (dataDir: string): string => join(dataDir, 'mongodb');

/** With a direct connection the driver does not ask the replica set for addresses: the stored one may be an old port's. */
export const mongodUri = (port: number): string => `mongodb://127.0.0.1:${port}/?directConnection=true`;

export const mongodPlan = (dataDir: string, executable: Executable, port: number): ServerPlan => ({
  title: 'MongoDB server',
  executable,
  args: [
    mongodArgument(dataDir),
    `--replSet=${REPLICA_SET}`,
    '--bind_ip=127.0.0.1',
    `--port=${port}`,
    '--nounixsocket',
    '--quiet',
    // Small: it shares its machine with everything else of one person.
    '--oplogSize=128',
    '--wiredTigerCacheSizeGB=0.5',
    // There is no other member to take over, so nothing to wait for at the end.
    '--setParameter=shutdownTimeoutMillisForSignaledShutdown=100',
    '--setParameter=diagnosticDataCollectionEnabled=false',
  ],
  logFile: join(dataDir, 'mongodb.log'),
  answers: () => mongodAnswers(dataDir, port),
});

/**
 * Resolves when the server takes majority writes. Makes the replica set, or gives it the present port, as needed.
 * @throws Error when the server there is not this folder's
 */
export async function mongodAnswers(dataDir: string, port: number): Promise<void> {
  const client = new MongoClient(mongodUri(port), {
    serverSelectionTimeoutMS: 1_000,
    connectTimeoutMS: 1_000,
    socketTimeoutMS: 10_000,
  });
  try {
    const admin = client.db('admin');
    const { pid } = await admin.command({ serverStatus: 1 });
    if (!findByArgument(mongodArgument(dataDir)).some((running) => running.pid === Number(pid)))
      throw new Error(`the server on port ${port} is another one`);
    await configure(admin, port);
    const until = performance.now() + 20_000;
    for (;;) {
      const { isWritablePrimary } = await admin.command({ hello: 1 });
      if (isWritablePrimary === true) return;
      if (performance.now() > until) throw new Error('the replica set has no primary');
      await sleep(20);
    }
  } finally {
    await client.close();
  }
}

async function configure(admin: Db, port: number): Promise<void> {
  const host = `127.0.0.1:${port}`;
  const config = await currentConfig(admin);
  if (config === undefined) {
    await admin.command({ replSetInitiate: { _id: REPLICA_SET, members: [{ _id: 0, host }] } });
    return;
  }
  const [member] = config['members'] as Document[];
  if (member?.['host'] === host) return;
  // The address is stored in the data. Without force the change needs a primary, which there is not at a wrong address.
  const changed = { ...config, version: Number(config['version']) + 1, members: [{ ...member, host }] };
  await admin.command({ replSetReconfig: changed, force: true });
}

const NOT_YET_INITIALIZED = 94;

async function currentConfig(admin: Db): Promise<Document | undefined> {
  try {
    return (await admin.command({ replSetGetConfig: 1 }))['config'] as Document;
  } catch (error) {
    if (error instanceof MongoServerError && error.code === NOT_YET_INITIALIZED) return undefined;
    throw error;
  }
}
