import assert from 'node:assert/strict';
import { join } from 'node:path';
import { Connection } from '@temporalio/client';
import { MongoRoutingStore } from '../../../src/platform/serving/index.js';
import { tenureHere } from '../../support/command.js';
import { until } from '../../support/gateway.js';
import { SeededHome } from '../../support/seeded-home.js';
import { getTestStack } from '../../support/stack.js';

describe('a restore is refused', function () {
  this.timeout(120_000);
  let source: SeededHome;
  let target: SeededHome;
  let folder: string;
  before(async () => {
    source = await SeededHome.seeded();
    folder = join(source.folder, 'backup');
    assert.equal((await tenureHere(['backup', folder], source.env)).code, 0);
  });
  after(() => source?.remove());
  beforeEach(async () => {
    target = await SeededHome.empty();
  });
  afterEach(() => target?.remove());

  const refused = async (words: RegExp, env: Readonly<Record<string, string>> = {}): Promise<void> => {
    const before = await target.contents();
    const { code, stdout, stderr } = await tenureHere(['restore', folder, '--replace', '--yes'], {
      ...target.env,
      ...env,
    });
    assert.deepEqual([code, stdout], [1, '']);
    assert.match(stderr, words);
    assert.deepEqual(await target.contents(), before);
  };

  it('while a gateway reports to the database, and not once it has said goodbye', async () => {
    const store = new MongoRoutingStore(target.db);
    const record = {
      gateway: 'gateway-7',
      boot: 'b',
      url: 'http://127.0.0.1:9',
      startedAt: '',
      observed: {},
    };
    await store.report({ ...record, status: 'serving' });
    await refused(/Gateway gateway-7 reported to database \S+ \d\.\d s ago: stop them first/);
    await store.report({ ...record, status: 'stopped' });
    const { code, stderr } = await tenureHere(['restore', folder, '--replace', '--yes'], target.env);
    assert.equal(code, 0, stderr);
  });

  it("while a worker asks a Temporal of one's own for work", async () => {
    const { temporalAddress } = await getTestStack();
    const taskQueue = `restore-${target.db.databaseName}`;
    const connection = await Connection.connect({ address: temporalAddress });
    // What a worker does all the time.
    const polling = new AbortController();
    const poll = connection
      .withAbortSignal(polling.signal, () =>
        connection.withDeadline(Date.now() + 60_000, () =>
          connection.workflowService.pollWorkflowTaskQueue({
            identity: 'a worker',
            namespace: 'default',
            taskQueue: { name: taskQueue },
          }),
        ),
      )
      .catch(() => undefined);
    try {
      const isSeen = async (): Promise<boolean> => {
        const { pollers } = await connection.workflowService.describeTaskQueue({
          namespace: 'default',
          taskQueue: { name: taskQueue },
          // oxlint-disable-next-line typescript/no-unsafe-enum-assignment -- of Temporal's `TaskQueueType`: workflows
          taskQueueType: 1,
        });
        return (pollers ?? []).length > 0;
      };
      await until('the poll', isSeen);
      await refused(/A worker asked task queue \S+ for work \d+ s ago: stop it first/, {
        TEMPORAL_ADDRESS: temporalAddress,
        TEMPORAL_CONFIG_FILE: join(target.folder, 'none.toml'),
        TENURE_TASK_QUEUE: taskQueue,
      });
    } finally {
      polling.abort();
      await poll;
      await connection.close();
    }
  });

  it('where the workflows of the backup would wait on another task queue', () =>
    refused(/run in namespace default on task queue tenure: set TEMPORAL_NAMESPACE and TENURE_TASK_QUEUE/, {
      TENURE_TASK_QUEUE: 'other',
    }));

  it('with exit code 3 where MongoDB is not reachable', async () => {
    const { code, stderr } = await tenureHere(['restore', folder], {
      ...target.env,
      MONGODB_URI: 'mongodb://127.0.0.1:1/',
    });
    assert.equal(code, 3);
    assert.match(stderr, /MongoDB is not reachable/);
  });

  it("but not by a Temporal of one's own that is away: that keeps what it has, and is told of", async () => {
    const done = await tenureHere(['restore', folder], {
      ...target.env,
      TEMPORAL_ADDRESS: '127.0.0.1:1',
      TEMPORAL_CONFIG_FILE: join(target.folder, 'none.toml'),
    });
    assert.equal(done.code, 0, done.stderr);
    assert.match(done.stdout, /Temporal\s+a server of its own, which keeps what it has/);
    assert.match(done.stdout, /then `tenure doctor`/);
  });
});
