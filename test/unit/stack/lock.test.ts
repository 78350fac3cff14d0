import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { withLock } from '../../../src/stack/lock.js';
import { identify } from '../../../src/processes/identity.js';
import { scale } from '../../support/scale.js';

describe('The lock between processes', () => {
  let folder: string;
  let lock: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'tenure-lock-'));
    lock = join(folder, 'stack.lock');
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));

  it('lets one in at a time, and leaves nothing behind', async () => {
    let inside = 0;
    let most = 0;
    const enter = () =>
      withLock(lock, 20_000, async () => {
        most = Math.max(most, ++inside);
        await sleep(3);
        inside--;
      });
    await Promise.all(Array.from({ length: 12 }, enter));
    assert.equal(most, 1);
    assert.deepEqual(await readdir(folder), []);
  });

  it('is released when the act fails', async () => {
    await assert.rejects(
      withLock(lock, 1_000, () => Promise.reject(new Error('no'))),
      /no/,
    );
    assert.equal(await withLock(lock, 0, () => Promise.resolve('free')), 'free');
  });

  it('of a process that was killed is taken over at once, by one of many', async () => {
    const child = spawn('sleep', ['60']);
    const identity = identify(child.pid!);
    assert.ok(identity);
    child.kill('SIGKILL');
    await once(child, 'exit');
    let inside = 0;
    const enter = () =>
      withLock(lock, 20_000, async () => {
        assert.equal(++inside, 1);
        await sleep(1);
        inside--;
      });
    for (let round = 0; round < scale(20, 500); round += 1) {
      await writeFile(lock, JSON.stringify(identity));
      await Promise.all(Array.from({ length: 8 }, enter));
      assert.deepEqual(await readdir(folder), []);
    }
  });

  it('of an earlier process with the same number is stale', async () => {
    await writeFile(lock, JSON.stringify({ ...identify(process.pid), started: 'earlier' }));
    assert.equal(await withLock(lock, 0, () => Promise.resolve('mine')), 'mine');
  });

  it('that is empty or no JSON is stale', async () => {
    for (const content of ['', 'null', '{"pid":"1"}', 'rubbish']) {
      await writeFile(lock, content);
      assert.equal(await withLock(lock, 0, () => Promise.resolve(content)), content);
    }
  });

  it('of a living process is respected; the error names it', async () => {
    await writeFile(lock, JSON.stringify(identify(process.pid)));
    await assert.rejects(
      withLock(lock, 60, () => Promise.resolve()),
      { message: `${lock} has been held by process ${process.pid} for too long` },
    );
    assert.deepEqual(await readdir(folder), ['stack.lock']);
  });
});
