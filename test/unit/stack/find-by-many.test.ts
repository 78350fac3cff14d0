import assert from 'node:assert/strict';
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { PINS } from '../../../src/stack/binaries/pins.js';

const SCRIPT = fileURLToPath(new URL('./fetching-child.ts', import.meta.url));

describe('Many processes that fetch the same program', () => {
  it('fetch it once, whole, also when the first is killed half-way', async () => {
    const cache = await mkdtemp(join(tmpdir(), 'tenure-many-'));
    const children: ChildProcess[] = [];
    const start = (betweenMs: number): { child: ChildProcess; said: (text: string) => Promise<void> } => {
      const child = fork(SCRIPT, [cache, String(betweenMs)]);
      children.push(child);
      const heard: unknown[] = [];
      child.on('message', (message) => heard.push(message));
      const said = async (text: string): Promise<void> => {
        while (!heard.includes(text)) await once(child, 'message');
      };
      return { child, said };
    };
    try {
      const first = start(600_000);
      await first.said('half');
      const others = [start(20), start(20)];
      const place = join(cache, 'mongod', PINS.mongod.vendor);
      await Promise.all(others.map(({ said }) => said('asking')));
      assert.equal((await readFile(join(cache, 'fetches'), 'utf8')).trim(), String(first.child.pid));

      first.child.kill('SIGKILL');
      await Promise.all(others.map(({ said }) => said(join(place, 'mongod'))));
      const fetches = (await readFile(join(cache, 'fetches'), 'utf8')).trim().split('\n');
      assert.equal(fetches.length, 2);
      assert.match(await readFile(join(place, 'mongod'), 'utf8'), /version 7/);
      const left = (await readdir(cache)).filter((entry) => entry.includes('.lock'));
      assert.deepEqual(left, []);
    } finally {
      for (const child of children) child.kill('SIGKILL');
      await rm(cache, { recursive: true, force: true, maxRetries: 5 });
    }
  });
});
