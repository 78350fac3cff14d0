import assert from 'node:assert/strict';
import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, readFile, realpath, rm } from 'node:fs/promises';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Connection } from '@temporalio/client';
import { MongoClient } from 'mongodb';
import { mongodArgument, mongodData } from '../../../src/stack/mongod.js';
import { findByArgument, isRunning, type ProcessIdentity } from '../../../src/processes/identity.js';
import { killStack, startStack, type Stack } from '../../../src/stack/index.js';
import { temporalArgument } from '../../../src/stack/temporal.js';
import { testBinaries } from '../../support/stack-binaries.js';

type Addresses = Omit<Stack, 'stop'>;

describe('embedded stack on the same data', () => {
  const folders: string[] = [];
  const processes: ChildProcess[] = [];

  const newFolder = async (): Promise<string> => {
    const folder = await realpath(await mkdtemp(join(tmpdir(), 'tenure-stack-')));
    folders.push(folder);
    return folder;
  };

  const start = (dataDir: string): Promise<Stack> => startStack({ dataDir, binaries: testBinaries() });

  /** Starts the stack from another process, which owns it. */
  async function startElsewhere(dataDir: string): Promise<{ process: ChildProcess; addresses: Addresses }> {
    const child = fork(fileURLToPath(new URL('./owner.ts', import.meta.url)), [dataDir], {
      detached: true,
    });
    processes.push(child);
    const [addresses] = (await once(child, 'message')) as [Addresses];
    return { process: child, addresses };
  }

  /** Kills the owner with all of its process group, as a terminal's Ctrl-C would reach it: the servers are not in it. */
  async function killed(child: ChildProcess): Promise<void> {
    const exit = once(child, 'exit');
    process.kill(-child.pid!, 'SIGKILL');
    await exit;
  }

  async function kill(server: ProcessIdentity): Promise<void> {
    process.kill(server.pid, 'SIGKILL');
    while (isRunning(server)) await new Promise((resolve) => setTimeout(resolve, 10));
  }

  const only = (argument: string): ProcessIdentity => {
    const found = findByArgument(argument);
    assert.equal(found.length, 1, `${found.length} processes with ${argument}`);
    return found[0]!;
  };
  const mongodOf = (dataDir: string) => only(mongodArgument(dataDir));
  const temporalOf = (dataDir: string) => only(temporalArgument(dataDir));

  afterEach(async () => {
    for (const child of processes.splice(0)) child.kill('SIGKILL');
    for (const folder of folders.splice(0)) {
      killStack(folder);
      while (
        findByArgument(mongodArgument(folder)).length + findByArgument(temporalArgument(folder)).length >
        0
      )
        await new Promise((resolve) => setTimeout(resolve, 10));
      await rm(folder, { recursive: true, force: true, maxRetries: 5 });
    }
  });

  it('keeps data, ports and search attributes when the servers are killed', async () => {
    const folder = await newFolder();
    const first = await start(folder);
    await writeMark(first, 'before');
    await Promise.all([kill(mongodOf(folder)), kill(temporalOf(folder))]);

    const second = await start(folder);
    assert.deepEqual(
      [second.temporalAddress, second.temporalUiUrl, second.mongodbUri, second.owned],
      [first.temporalAddress, first.temporalUiUrl, first.mongodbUri, false],
    );
    await assertMark(second, 'before');
    await second.stop();
    assert.ok(isRunning(mongodOf(folder)), 'a start that attached does not stop the servers');
    await first.stop();
    assert.deepEqual(findByArgument(mongodArgument(folder)), []);
    assert.deepEqual(findByArgument(temporalArgument(folder)), []);
  });

  it('attaches to the stack of another process, and takes it over once that is killed', async () => {
    const folder = await newFolder();
    const owner = await startElsewhere(folder);
    assert.equal(owner.addresses.owned, true);
    await writeMark(owner.addresses, 'by the owner');
    const before = [mongodOf(folder).pid, temporalOf(folder).pid];

    const attached = await start(folder);
    assert.equal(attached.owned, false);
    await assertMark(attached, 'by the owner');
    await attached.stop();
    assert.deepEqual([mongodOf(folder).pid, temporalOf(folder).pid], before);

    await killed(owner.process);
    const adopted = await start(folder);
    assert.equal(adopted.owned, true);
    assert.deepEqual([mongodOf(folder).pid, temporalOf(folder).pid], before, 'the same servers run on');
    await assertMark(adopted, 'by the owner');
    await adopted.stop();
    assert.deepEqual(findByArgument(mongodArgument(folder)), []);
    assert.deepEqual(findByArgument(temporalArgument(folder)), []);
  });

  it('starts what is missing after owner and a server were killed, on other ports where theirs are taken', async () => {
    const folder = await newFolder();
    const owner = await startElsewhere(folder);
    await writeMark(owner.addresses, 'kept');
    await killed(owner.process);
    await Promise.all([kill(mongodOf(folder)), kill(temporalOf(folder))]);
    const taken = await occupy(owner.addresses);
    try {
      const stack = await start(folder);
      assert.equal(stack.owned, true);
      assert.notEqual(stack.mongodbUri, owner.addresses.mongodbUri);
      assert.notEqual(stack.temporalAddress, owner.addresses.temporalAddress);
      assert.notEqual(stack.temporalUiUrl, owner.addresses.temporalUiUrl);
      await assertMark(stack, 'kept');
      await writeMark(stack, 'kept again');
      await stack.stop();
    } finally {
      for (const server of taken) server.close();
    }
    const later = await start(folder);
    assert.equal(later.owned, true);
    await assertMark(later, 'kept again');
    await later.stop();
  });

  it('chooses ports anew when its record is gone, while the servers run', async () => {
    const folder = await newFolder();
    const owner = await startElsewhere(folder);
    await writeMark(owner.addresses, 'kept');
    await killed(owner.process);
    await rm(join(folder, 'stack.json'));
    const stack = await start(folder);
    await assertMark(stack, 'kept');
    await stack.stop();
  });

  it('runs side by side in two folders, each with its own data', async () => {
    const [one, two] = [await newFolder(), await newFolder()];
    const stacks = await Promise.all([start(one), start(two)]);
    await writeMark(stacks[0], 'one');
    await writeMark(stacks[1], 'two');
    await assertMark(stacks[0], 'one');
    await assertMark(stacks[1], 'two');
    await stacks[0].stop();
    await assertMark(stacks[1], 'two');
    await stacks[1].stop();
  });

  it('starts once when two processes ask at the same time', async () => {
    const folder = await newFolder();
    const [starting, other] = await Promise.allSettled([start(folder), startElsewhere(folder)]);
    assert.ok(starting.status === 'fulfilled' && other.status === 'fulfilled');
    const [here, there] = [starting.value, other.value];
    assert.notEqual(here.owned, there.addresses.owned);
    assert.equal(here.mongodbUri, there.addresses.mongodbUri);
    assert.equal(here.temporalAddress, there.addresses.temporalAddress);
    mongodOf(folder);
    temporalOf(folder);
  });

  it('says why a server does not start, with the end of its log, and leaves nothing running', async () => {
    const folder = await newFolder();
    await mkdir(join(mongodData(folder), 'mongod.lock'), { recursive: true });
    await assert.rejects(start(folder), /MongoDB server did not start: it ended .*mongodb\.log:\n.+/s);
    assert.deepEqual(findByArgument(mongodArgument(folder)), []);
    assert.deepEqual(findByArgument(temporalArgument(folder)), []);
  });

  it('leaves a part of one own alone, and keeps logs where the data are', async () => {
    const folder = await newFolder();
    const stack = await startStack({
      dataDir: folder,
      temporalAddress: 'temporal.example:7233',
      binaries: testBinaries(),
    });
    assert.equal(stack.temporalAddress, 'temporal.example:7233');
    assert.equal(stack.temporalUiUrl, null);
    assert.deepEqual(findByArgument(temporalArgument(folder)), []);
    assert.notEqual(await readFile(join(folder, 'mongodb.log'), 'utf8'), '');
    await stack.stop();
  });
});

/** A document, and a workflow that nobody works on. */
async function writeMark({ mongodbUri, temporalAddress }: Addresses, text: string): Promise<void> {
  await withClients({ mongodbUri, temporalAddress }, async (mongo, temporal) => {
    await mongo
      .db('test')
      .collection<{ _id: number; text: string }>('marks')
      .updateOne(
        { _id: 1 },
        { $set: { text } },
        { upsert: true, writeConcern: { w: 'majority', journal: true } },
      );
    await temporal.workflowService.startWorkflowExecution({
      namespace: 'default',
      workflowId: text.replaceAll(' ', '-'),
      workflowType: { name: 'none' },
      taskQueue: { name: 'none' },
      requestId: text,
    });
  });
}

async function assertMark(addresses: Addresses, text: string): Promise<void> {
  await withClients(addresses, async (mongo, temporal) => {
    assert.equal((await mongo.db('test').collection('marks').findOne())?.['text'], text);
    const { workflowExecutionInfo } = await temporal.workflowService.describeWorkflowExecution({
      namespace: 'default',
      execution: { workflowId: text.replaceAll(' ', '-') },
    });
    assert.equal(workflowExecutionInfo?.type?.name, 'none');
  });
}

async function withClients(
  { mongodbUri, temporalAddress }: Pick<Addresses, 'mongodbUri' | 'temporalAddress'>,
  act: (mongo: MongoClient, temporal: Connection) => Promise<void>,
): Promise<void> {
  const mongo = await new MongoClient(mongodbUri).connect();
  const temporal = await Connection.connect({ address: temporalAddress });
  try {
    await act(mongo, temporal);
  } finally {
    await temporal.close();
    await mongo.close();
  }
}

/** Listens on all ports of a stack, as another program might. One that is taken already serves as well. */
async function occupy({ temporalAddress, temporalUiUrl, mongodbUri }: Addresses): Promise<Server[]> {
  const ports = [temporalAddress, temporalUiUrl, mongodbUri].map((text) =>
    Number(/\d+(?=\D*$)/.exec(text ?? '')),
  );
  const servers = ports.map((port) => createServer((socket) => socket.destroy()).listen(port, '127.0.0.1'));
  await Promise.all(servers.map((server) => Promise.race([once(server, 'listening'), failure(server)])));
  return servers;
}

const failure = (server: Server): Promise<unknown> =>
  new Promise((resolve) => {
    server.once('error', resolve);
  });
