import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { GatewayHealth } from '../../../src/gateway/server.js';
import { windowsOf } from '../../../src/platform/windows/collections.js';
import { FakeClock } from '../../support/faults/clock.js';
import { GatewayBench, post, row, until } from '../../support/gateway.js';
import { logisticModel, slowModel } from '../../support/onnx.js';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

const main = fileURLToPath(new URL('../../../src/gateway/main.ts', import.meta.url));

describe('The gateway as a process', () => {
  const bench = new GatewayBench();
  const children: ChildProcess[] = [];

  before(() => bench.open());
  after(async () => {
    for (const child of children)
      if (child.exitCode === null && child.signalCode === null) child.kill('SIGKILL');
    await bench.close();
  });

  const run = (env: Readonly<Record<string, string>>): ChildProcess => {
    const child = spawn(process.execPath, ['--import', 'tsx', main], {
      env: { PATH: process.env['PATH'], TENURE_LOG_LEVEL: 'silent', ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    children.push(child);
    return child;
  };
  const start = async (
    id: string,
    env: Readonly<Record<string, string>> = {},
  ): Promise<[ChildProcess, string]> => {
    const child = run({
      MONGODB_URI: bench.uri,
      TENURE_DATABASE: bench.db.databaseName,
      TENURE_HOME: join(bench.folder, 'home'),
      TENURE_ARTIFACTS: join(bench.folder, 'artifacts'),
      TENURE_GATEWAY_ID: id,
      TENURE_GATEWAY_PORT: '0',
      ...env,
    });
    let said = '';
    child.stdout?.on('data', (chunk: Buffer) => (said += chunk.toString()));
    child.stderr?.on('data', (chunk: Buffer) => (said += chunk.toString()));
    const url = await until(`${id} to listen, it said: ${said}`, () => /listens on (\S+)/.exec(said)?.[1]);
    return [child, url];
  };
  const exit = async (child: ChildProcess): Promise<unknown[]> =>
    child.exitCode !== null || child.signalCode !== null
      ? [child.exitCode, child.signalCode]
      : once(child, 'exit');

  it('serves, survives SIGKILL and SIGTERM, and counts nothing twice', async () => {
    const v1 = await bench.version('v1', logisticModel([1, -1, 0.5]));
    await bench.write('m', { champion: v1, phase: 'canary', release: 1 });
    const [first, firstUrl] = await start('p');
    const ready = (url: string) =>
      until('readiness', async () => (await fetch(`${url}/v2/health/ready`)).status === 200);
    await ready(firstUrl);
    for (let i = 0; i < 3; i += 1) assert.equal((await post(firstUrl, 'm', row(1, 2, 3))).status, 200);
    await until('the windows', async () => (await bench.sum('m', ({ requests }) => requests.split)) === 3);
    first.kill('SIGKILL');
    await exit(first);

    const [second, secondUrl] = await start('p');
    await ready(secondUrl);
    for (let i = 0; i < 2; i += 1) assert.equal((await post(secondUrl, 'm', row(1, 2, 3))).status, 200);
    second.kill('SIGTERM');
    assert.deepEqual(await exit(second), [0, null]);
    // What was not flushed yet is flushed at the end.
    assert.equal(await bench.sum('m', ({ requests }) => requests.split), 5);
    const { gateways } = await bench.routes.gateways();
    assert.equal(gateways.find(({ gateway }) => gateway === 'p')?.status, 'stopped');
  });

  it('ends while a thread is stuck, after everything is stored', async () => {
    const stuck = await bench.version('stuck', slowModel([1, 1, 1], 60_000_000));
    await bench.write('stuck', { champion: stuck, deadlineMs: 200 });
    const [child, url] = await start('q');
    await until('the version', async () => (await fetch(`${url}/v2/models/stuck/ready`)).status === 200);
    assert.equal((await post(url, 'stuck', row(1, 1, 1))).status, 504);
    child.kill('SIGTERM');
    // Not by itself, which would be when the call has ended.
    assert.deepEqual(await exit(child), [null, 'SIGKILL']);
    assert.equal(await bench.sum('stuck', ({ errors }) => errors['deadline'] ?? 0), 1);
    const { gateways } = await bench.routes.gateways();
    assert.equal(gateways.find(({ gateway }) => gateway === 'q')?.status, 'stopped');
  });

  it('gives windows the time of the database where its own clock is hours behind, and says so', async () => {
    const clock = new FakeClock(join(bench.folder, 'clock'));
    await clock.set({ offsetMs: -3 * HOUR });
    const v1 = await bench.version('clock', logisticModel([1, -1, 0.5]));
    await bench.write('clock', { champion: v1, phase: 'canary', release: 1 });
    const [child, url] = await start('slow', clock.env);
    await until('the version', async () => (await fetch(`${url}/v2/models/clock/ready`)).status === 200);
    const stored = () => windowsOf(bench.db).find({ model: 'clock' }).sort({ sequence: 1 }).toArray();
    for (const offsetMs of [-3 * HOUR, HOUR]) {
      await clock.set({ offsetMs });
      const behind = (): Promise<number | null> =>
        fetch(`${url}/tenure/health`)
          .then((response) => response.json() as Promise<GatewayHealth>)
          .then(({ clock: { behindSeconds }, status }) => (status === 'degraded' ? behindSeconds : null));
      await until('health to say so', async () => {
        const seconds = await behind();
        return seconds !== null && Math.abs(seconds + offsetMs / 1_000) < 10;
      });
      const before = (await stored()).length;
      assert.equal((await post(url, 'clock', row(1, 2, 3))).status, 200);
      await until('the window', async () => (await stored()).length > before);
    }
    const metrics = await (await fetch(`${url}/metrics`)).text();
    assert.match(metrics, /tenure_gateway_clock_behind_seconds -3[56]\d\d/);
    const windows = await stored();
    for (const { from, to, insertedAt } of windows) {
      assert.ok(from <= to, `${from} to ${to}`);
      assert.ok(Math.abs(insertedAt.getTime() - to) < 10_000, `stored at ${insertedAt.getTime()}, to ${to}`);
      assert.ok(to - from < MINUTE, `${to - from} ms`);
    }
    child.kill('SIGTERM');
    assert.deepEqual(await exit(child), [0, null]);
  });

  it('says what is missing', async () => {
    const child = run({});
    let said = '';
    child.stderr?.on('data', (chunk: Buffer) => (said += chunk.toString()));
    assert.deepEqual(await exit(child), [1, null]);
    assert.match(said, /^MONGODB_URI is not set/);
  });
});
