import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { copyFile, mkdir, mkdtemp, readdir, realpath, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { Client, Connection } from '@temporalio/client';
import {
  replaceTemporalFiles,
  startStack,
  killStack,
  withTemporalAtRest,
  type Stack,
} from '../../../src/stack/index.js';
import { findByArgument } from '../../../src/processes/identity.js';
import { temporalArgument } from '../../../src/stack/temporal.js';
import { startTenure } from '../../support/command.js';
import { testBinaries } from '../../support/stack-binaries.js';
import { getTestStack } from '../../support/stack.js';

describe("Temporal's database, copied while its server stands still", function () {
  this.timeout(180_000);
  const folders: string[] = [];
  const stacks: Stack[] = [];
  let mongodbUri: string;
  before(async () => {
    ({ mongodbUri } = await getTestStack());
  });
  after(async () => {
    for (const stack of stacks) await stack.stop();
    for (const folder of folders) await rm(folder, { recursive: true, force: true });
  });

  const newFolder = async (): Promise<string> => {
    const folder = await realpath(await mkdtemp(join(tmpdir(), 'tenure-temporal-')));
    folders.push(folder);
    process.once('exit', () => killStack(folder));
    return folder;
  };
  /** A Temporal of its own; the MongoDB is the tests'. */
  const start = async (dataDir: string): Promise<Client> => {
    const stack = await startStack({ dataDir, mongodbUri, binaries: testBinaries() });
    stacks.push(stack);
    return new Client({ connection: await Connection.connect({ address: stack.temporalAddress }) });
  };

  it('in the middle of a transaction, is made whole by SQLite: all that was acknowledged is there', async () => {
    const [folder, other] = [await newFolder(), await newFolder()];
    const client = await start(folder);
    const acknowledged: string[] = [];
    const writing = { over: false };
    const writer = async (): Promise<void> => {
      while (!writing.over) {
        const workflowId = randomUUID();
        await client.workflow.start('nobody', { workflowId, taskQueue: 'nobody' });
        acknowledged.push(workflowId);
      }
    };
    const writers = [writer(), writer(), writer()];
    const copies = join(other, 'copies');
    await mkdir(copies);
    let known: readonly string[] = [];
    // Until a moment is met at which SQLite was writing: then there is a journal.
    for (let tries = 1; ; tries += 1) {
      const met = await withTemporalAtRest(folder, async ({ files, frozen }) => {
        assert.equal(frozen, true);
        if (!files.some((file) => file.endsWith('-journal'))) return false;
        known = [...acknowledged];
        for (const file of files) await copyFile(file, join(copies, basename(file)));
        return true;
      });
      if (met) break;
      assert.ok(tries < 500, 'no moment was met at which the database was written');
    }
    // The server goes on.
    const soFar = acknowledged.length;
    while (acknowledged.length < soFar + 3) await new Promise((resolve) => setTimeout(resolve, 20));
    writing.over = true;
    await Promise.all(writers);
    await client.connection.close();

    await replaceTemporalFiles(
      other,
      (await readdir(copies)).map((name) => join(copies, name)),
    );
    const restored = await start(other);
    for (const workflowId of known) {
      const { status } = await restored.workflow.getHandle(workflowId).describe();
      assert.equal(status.name, 'RUNNING');
    }
    await restored.connection.close();
  });

  it('is let go on by a guard when the backup dies meanwhile', async () => {
    const folder = await newFolder();
    const client = await start(folder);
    const { code } = await startTenure(['backup', join(folder, 'backup')], {
      TENURE_HOME: folder,
      MONGODB_URI: mongodbUri,
      TENURE_DATABASE: `test-${randomUUID().slice(0, 18)}`,
      TENURE_FAIL_POINT: 'backup.moment.before',
      TENURE_FAIL_FOLDER: join(folder, 'marks'),
      TENURE_FAIL_POINTS_ALLOWED: 'this is a test',
    }).ended;
    assert.equal(code, null);
    assert.equal((await readdir(join(folder, 'marks'))).length, 1);
    await client.workflow.start('nobody', { workflowId: 'after', taskQueue: 'nobody' });
    await client.connection.close();
  });

  it('is not taken for what it is not, and replaced only where nobody runs it', async () => {
    const folder = await newFolder();
    const file = join(folder, 'passwords');
    await writeFile(file, 'x');
    await assert.rejects(replaceTemporalFiles(folder, [file]), /passwords is no part of Temporal's database/);
    // A server that a killed owner left is ended first: it would write into what takes its place.
    await start(folder).then((client) => client.connection.close());
    await replaceTemporalFiles(folder, []);
    assert.deepEqual(findByArgument(temporalArgument(folder)), []);
    assert.deepEqual(
      (await readdir(folder)).filter((name) => name.startsWith('temporal.sqlite')),
      [],
    );
  });
});
