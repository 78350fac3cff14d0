import { spawn } from 'node:child_process';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { killStack } from '../../src/stack/index.js';
import type { BenchContext } from '../bench.js';

const TENURE = fileURLToPath(new URL('../../bin/tenure.js', import.meta.url));
const PATIENCE_MS = 15 * 60_000;

export interface StackUp {
  /** From the command to a worker that polls and a gateway that is ready. */
  readonly seconds: number;
  readonly home: string;
  readonly pid: number;
  /** Of worker and gateway. */
  readonly pids: Readonly<Record<string, number>>;
  /** What it told on the way, for messages. */
  readonly progress: string;
  stop(): Promise<void>;
}

/** `tenure up` in an empty folder, as a user starts it. @throws Error with its last lines when it does not come up */
export async function tenureUp(context: BenchContext, name: string, cacheDir: string): Promise<StackUp> {
  const home = join(context.folder, name);
  await mkdir(home);
  // The embedded stack, whatever this shell is set up for.
  const kept = Object.entries(process.env).filter(([key]) => !/^(TEMPORAL_|TENURE_|MONGODB_URI$)/.test(key));
  const began = performance.now();
  const child = spawn(process.execPath, [TENURE, 'up', '--json'], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...Object.fromEntries(kept), TENURE_HOME: home, TENURE_CACHE: cacheDir, TENURE_GATEWAY_PORT: '0' },
  });
  let output = '';
  let progress = '';
  let ended: string | null = null;
  child.stdout.on('data', (chunk: Buffer) => void (output += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => void (progress += chunk.toString()));
  const closed = new Promise<void>((resolve) => {
    child.once('close', (code, signal) => {
      ended = String(signal ?? code);
      resolve();
    });
  });
  const stop = async (): Promise<void> => {
    child.kill('SIGTERM');
    await closed;
  };
  const onExit = (): void => killStack(home);
  process.once('exit', onExit);
  context.defer(async () => {
    await stop();
    process.off('exit', onExit);
  });
  while (!output.endsWith('\n') || !progress.includes('Worker polls')) {
    if (ended !== null || performance.now() - began > PATIENCE_MS)
      throw new Error(`tenure up did not come up (${ended ?? 'still starting'}):\n${progress.slice(-1_000)}`);
    await sleep(10);
  }
  const { gateway, processes } = JSON.parse(output) as {
    gateway: string | null;
    processes: readonly { name: string; pid: number }[];
  };
  while (!(await isReady(gateway))) await sleep(10);
  return {
    seconds: (performance.now() - began) / 1_000,
    home,
    pid: child.pid ?? 0,
    pids: Object.fromEntries(processes.map(({ name, pid }) => [name, pid])),
    progress,
    stop,
  };
}

const isReady = (url: string | null): Promise<boolean> =>
  fetch(`${url}/v2/health/ready`).then(
    ({ ok }) => ok,
    () => false,
  );
