import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { endProcess, findByArgument, identify, isRunning, signal } from '../../../src/processes/identity.js';

describe('Processes', () => {
  const children: ChildProcess[] = [];
  const start = async (script: string, ...args: string[]): Promise<ChildProcess> => {
    const child = spawn(process.execPath, ['-e', `${script}; console.log('up')`, '--', ...args], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    children.push(child);
    await once(child.stdout, 'data');
    return child;
  };
  afterEach(() => {
    for (const child of children.splice(0)) child.kill('SIGKILL');
  });
  const IDLE = 'setInterval(() => {}, 1000)';

  it('are known by number and start', async () => {
    const child = await start(IDLE);
    const identity = identify(child.pid!);
    assert.ok(identity);
    assert.equal(isRunning(identity), true);
    assert.equal(isRunning({ ...identity, started: 'another time' }), false);
    child.kill('SIGKILL');
    await once(child, 'exit');
    assert.equal(isRunning(identity), false);
    assert.equal(identify(child.pid!), undefined);
  });

  it('are asked to end, and ended by force after the grace', async () => {
    const polite = identify((await start(IDLE)).pid!)!;
    const deaf = identify((await start(`process.on('SIGTERM', () => {}); ${IDLE}`)).pid!)!;
    // The polite one's grace is longer than this test may take.
    await Promise.all([endProcess(polite, 600_000), endProcess(deaf, 200)]);
    assert.equal(isRunning(polite), false);
    assert.equal(isRunning(deaf), false);
    await endProcess(deaf, 0);
  });

  it('get no signal that was meant for an earlier one with their number', async () => {
    const child = await start(IDLE);
    signal({ pid: child.pid!, started: 'earlier' }, 'SIGKILL');
    await endProcess({ pid: child.pid!, started: 'earlier' }, 0);
    assert.equal(isRunning(identify(child.pid!)!), true);
  });

  it('are found by an argument, whole', async () => {
    const mark = randomUUID();
    const child = await start(IDLE, '--dbpath', `/data/${mark}`);
    assert.deepEqual(
      findByArgument(`/data/${mark}`).map(({ pid }) => pid),
      [child.pid],
    );
    assert.deepEqual(findByArgument(mark), []);
  });
});
