import { randomUUID } from 'node:crypto';
import { mkdtemp, readdir, readFile, realpath, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { TestWorkflowEnvironment } from '@temporalio/testing';
import { MongoClient, type Db } from 'mongodb';
import { SEARCH_ATTRIBUTE_NAMES } from '../../src/contracts/search-attributes.js';
import { findBinary, killStack, startStack, type Stack } from '../../src/stack/index.js';
import { isRunning } from '../../src/stack/process.js';
import type { StackRecord } from '../../src/stack/record.js';
import { testBinaries } from './stack-binaries.js';

/** `INDEXED_VALUE_TYPE_KEYWORD` of Temporal's API. */
const KEYWORD = 2;
const PREFIX = 'tenure-test-stack-';

export interface TestStack {
  /** `host:port`. */
  readonly temporalAddress: string;
  readonly temporalUiUrl: string;
  /** With a direct connection, without a database. */
  readonly mongodbUri: string;
}

export interface TestDatabase {
  readonly uri: string;
  readonly name: string;
  readonly db: Db;
  /** Drops the database and closes the connection. */
  readonly close: () => Promise<void>;
}

let stack: Promise<Stack> | undefined;
let stackFolder: string | undefined;

/** The one throw-away stack of this test run: a Temporal development server and a mongod. Started when first asked for. */
export async function getTestStack(): Promise<TestStack> {
  const { temporalAddress, temporalUiUrl, mongodbUri } = await (stack ??= startThrowAway());
  return { temporalAddress, temporalUiUrl: temporalUiUrl ?? '', mongodbUri };
}

/** A database of its own on the test run's mongod. */
export async function freshDatabase(): Promise<TestDatabase> {
  const { mongodbUri: uri } = await getTestStack();
  const name = `test-${randomUUID().slice(0, 18)}`;
  const client = await new MongoClient(uri).connect();
  const db = client.db(name);
  const close = async (): Promise<void> => {
    await db.dropDatabase();
    await client.close();
  };
  return { uri, name, db, close };
}

async function startThrowAway(): Promise<Stack> {
  await sweepLeftovers();
  const dataDir = await realpath(await mkdtemp(join(tmpdir(), PREFIX)));
  // For runs that end without the hook below: a failed import, a second Ctrl-C.
  process.once('exit', () => killStack(dataDir));
  stackFolder = dataDir;
  return startStack({ dataDir, binaries: testBinaries() });
}

/** Stacks of test runs that were killed. */
async function sweepLeftovers(): Promise<void> {
  const entries = await readdir(tmpdir());
  for (const folder of entries.filter((entry) => entry.startsWith(PREFIX))) {
    const dataDir = join(tmpdir(), folder);
    const record = await readFile(join(dataDir, 'stack.json'), 'utf8').catch(() => undefined);
    if (record === undefined) continue;
    const { owner } = JSON.parse(record) as StackRecord;
    if (owner !== null && isRunning(owner)) continue;
    killStack(await realpath(dataDir));
    await rm(dataDir, { recursive: true, force: true, maxRetries: 5 });
  }
}

/**
 * A time-skipping server, which knows Tenure's search attributes; whoever starts it tears it down. One a test, since time stands
 * still in one for good after an activity of an ended workflow was left waiting for its next attempt.
 */
export async function startTimeSkipping(): Promise<TestWorkflowEnvironment> {
  const { path } = await findBinary('temporal-test-server', testBinaries());
  const env = await TestWorkflowEnvironment.createTimeSkipping({
    server: { executable: { type: 'existing-path', path } },
  });
  await env.connection.operatorService.addSearchAttributes({
    namespace: 'default',
    searchAttributes: Object.fromEntries(SEARCH_ATTRIBUTE_NAMES.map((name) => [name, KEYWORD])),
  });
  return env;
}

after('stop the test servers', async function () {
  this.timeout(60_000);
  // A start that failed has failed the tests that asked for it, and left nothing running.
  const started = await stack?.catch(() => null);
  await started?.stop();
  if (stackFolder !== undefined) await rm(stackFolder, { recursive: true, force: true, maxRetries: 5 });
});
