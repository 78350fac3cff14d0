import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { appendFile, mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { WindowBatch } from '../../../../src/contracts/windows.js';
import { Flusher } from '../../../../src/platform/windows/flusher.js';
import { DEFAULT_SPOOL_BYTES, Spool } from '../../../../src/platform/windows/spool.js';
import { batchId } from '../../../../src/platform/windows/collections.js';
import { canaryTable, FakeCounting } from '../../../support/windows.js';

const CHILD = fileURLToPath(new URL('./spooling-child.ts', import.meta.url));

/** A store that is away when told so; what it has is kept by id, as MongoDB does. */
class FakeStore {
  readonly held = new Map<string, WindowBatch>();
  away = false;
  /** Takes this many batches, then fails: a crash in the middle. */
  failAfter = Number.POSITIVE_INFINITY;
  /** Of one insert. */
  most = 0;

  insert(batches: readonly WindowBatch[]): Promise<void> {
    if (this.away) return Promise.reject(new Error('the store is away'));
    this.most = Math.max(this.most, batches.length);
    for (const batch of batches) {
      if (this.failAfter <= 0) return Promise.reject(new Error('the store broke off'));
      this.failAfter -= 1;
      this.held.set(batchId(batch), batch);
    }
    return Promise.resolve();
  }
}

describe('Windows on their way to the store', () => {
  let folder: string;
  let file: string;
  let gateway: FakeCounting;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'tenure-spool-'));
    file = join(folder, 'spool.ndjson');
    gateway = new FakeCounting('g');
  });
  afterEach(() => rm(folder, { recursive: true }));

  const batch = (key: string): WindowBatch[] => {
    gateway.request(canaryTable(1, 0.5), key);
    return gateway.flush(Date.now());
  };
  const open = async (maxBytes?: number): Promise<Spool> => {
    const spool = new Spool(file, maxBytes);
    await spool.open();
    return spool;
  };
  const sequences = (store: FakeStore): number[] => [...store.held.values()].map(({ sequence }) => sequence);

  it('wait in the spool while the store is away, and go first when it is back', async () => {
    const store = new FakeStore();
    const flusher = new Flusher(store, await open());
    store.away = true;
    await flusher.flush(batch('a'));
    await flusher.flush(batch('b'));
    assert.deepEqual([flusher.state.storing, flusher.state.spooledBatches], [false, 2]);
    store.away = false;
    await flusher.finish(batch('c'));
    assert.deepEqual(sequences(store), [1, 2, 3]);
    assert.deepEqual(
      [flusher.state.storing, flusher.state.spooledBatches, flusher.state.spooledBytes],
      [true, 0, 0],
    );
  });

  it('are sent again after a crash in the middle, and stored once', async () => {
    const store = new FakeStore();
    const first = new Flusher(store, await open());
    store.away = true;
    for (const key of ['a', 'b', 'c']) await first.flush(batch(key));
    store.away = false;
    store.failAfter = 2;
    await first.finish([]);
    assert.deepEqual(sequences(store), [1, 2]);
    // A new process finds the whole spool, and the cut-off line of a crash.
    await appendFile(file, '{"gateway":"g","bo');
    store.failAfter = Number.POSITIVE_INFINITY;
    const second = new Flusher(store, await open());
    await second.flush(batch('d'));
    assert.deepEqual(sequences(store), [1, 2, 3, 4]);
  });

  it('are given up beyond the bound, oldest kept, and counted', async () => {
    const store = new FakeStore();
    store.away = true;
    const one = batch('a');
    const flusher = new Flusher(store, await open(JSON.stringify(one[0]).length * 2.5));
    await flusher.flush(one);
    for (const key of ['b', 'c', 'd']) await flusher.flush(batch(key));
    assert.deepEqual(flusher.lost, { batches: 2, requests: 2 });
    store.away = false;
    await flusher.finish([]);
    assert.deepEqual(sequences(store), [1, 2]);
  });

  it('of an hour stay below the bound, and go to the store a few at a time', async () => {
    const store = new FakeStore();
    const flusher = new Flusher(store, await open());
    store.away = true;
    for (let second = 0; second < 3_600; second += 1) {
      for (let i = 0; i < 20; i += 1) gateway.request(canaryTable(1, 0.5), `${second}-${i}`);
      await flusher.flush(gateway.flush(Date.now()));
    }
    const { spooledBatches, spooledBytes, lostBatches } = flusher.state;
    assert.deepEqual([spooledBatches, lostBatches], [3_600, 0]);
    assert.ok(spooledBytes < DEFAULT_SPOOL_BYTES / 4, `${spooledBytes} bytes`);
    store.away = false;
    await flusher.finish([]);
    assert.equal(store.held.size, 3_600);
    assert.ok(store.most <= 200, `${store.most} at a time`);
  });

  it('are whole although the disk took a part of one: what it refuses leaves nothing behind', async () => {
    // A limit for files is how a kernel refuses half of a write without a disk that has to be filled: 4,096 blocks of 512 bytes.
    const command = [
      '-c',
      'ulimit -f 4096; exec "$@"',
      'sh',
      process.execPath,
      '--import',
      'tsx',
      CHILD,
      file,
    ];
    const child = spawn('sh', command, { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
    child.once('exit', (code) => assert.equal(code, 0));
    const [said] = (await once(child, 'message')) as [{ kept: number[]; errors: string[]; bytes: number }];
    assert.deepEqual(said.errors, ['EFBIG', 'EFBIG', 'EFBIG']);
    assert.equal((await stat(file)).size, said.bytes);
    const store = new FakeStore();
    const flusher = new Flusher(store, await open());
    store.away = true;
    await flusher.flush(batch('after'));
    store.away = false;
    await flusher.finish([]);
    assert.deepEqual(sequences(store), [...said.kept, 1]);
  });

  it('are not sent when so old that they could have been merged and forgotten', async () => {
    const store = new FakeStore();
    const flusher = new Flusher(store, await open());
    store.away = true;
    const old = batch('a').map((b) => ({ ...b, to: Date.now() - 31 * 86_400_000 }));
    await flusher.flush(old);
    store.away = false;
    await flusher.finish(batch('b'));
    assert.deepEqual(sequences(store), [2]);
    assert.deepEqual(flusher.lost, { batches: 1, requests: 1 });
  });
});
