import { randomUUID } from 'node:crypto';
import { TestWorkflowEnvironment } from '@temporalio/testing';
import { MongoClient, type Db } from 'mongodb';
import { SEARCH_ATTRIBUTE_NAMES } from '../../src/contracts/search-attributes.js';
import { findBinary } from '../../src/stack/index.js';
import { testBinaries } from './stack-binaries.js';
import { startThrowAway, type ThrowAway } from './throw-away.js';

/** `INDEXED_VALUE_TYPE_KEYWORD` of Temporal's API. */
const KEYWORD = 2;

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

let stack: Promise<ThrowAway> | undefined;

/** The one throw-away stack of this test run: a Temporal development server and a mongod. Started when first asked for. */
export async function getTestStack(): Promise<TestStack> {
  const { temporalAddress, temporalUiUrl, mongodbUri } = (await (stack ??= startThrowAway())).stack;
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
  await started?.end();
});
