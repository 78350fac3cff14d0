import { existsSync } from 'node:fs';
import { mkdir, realpath } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { findBinary } from '../src/stack/index.js';
import { mongodArgument } from '../src/stack/mongod.js';
import { findByArgument } from '../src/processes/identity.js';
import { temporalArgument } from '../src/stack/temporal.js';
import { type Bench, type BenchContext, NotMeasurable } from './bench.js';
import { figure } from './figure.js';
import { memoryOf } from './support/memory.js';
import { median } from './support/rounds.js';
import { type StackUp, tenureUp } from './support/tenure-up.js';

const ROUNDS = 5;
const IDLE_MS = 60_000;
const PROGRAMS = ['temporal', 'mongod'] as const;

const warm: Bench = {
  name: 'stack-warm',
  what: '`tenure up` in an empty folder until the worker polls and the gateway is ready, programs in the cache; then the memory of all',
  figures: ['stack-warm', 'stack-memory'],
  async run(context) {
    const { binaries } = context.config;
    for (const name of PROGRAMS) await findBinary(name, { ...binaries, onProgress: context.say });
    const seconds: number[] = [];
    const rounds = context.rounds ?? ROUNDS;
    let memory = '';
    let pss = 0;
    for (let round = 0; round <= rounds; round += 1) {
      const up = await tenureUp(context, `warm-${round}`, binaries.cacheDir);
      // The first one reads all files from the disk.
      if (round > 0) seconds.push(up.seconds);
      if (round > 0) context.say(`round ${round} of ${rounds}: ${up.seconds.toFixed(1)} s`);
      if (round === rounds) ({ pss, words: memory } = await memoryOfAll(context, up));
      await up.stop();
    }
    return [
      figure({
        name: 'stack-warm',
        unit: 's',
        ours: median(seconds),
        aim: { of: 'ours', at: 'most', bound: 10 },
        note: `From source, as in a checkout; ${rounds} rounds`,
      }),
      figure({ name: 'stack-memory', unit: 'MiB', ours: pss, note: memory }),
    ];
  },
};

const cold: Bench = {
  name: 'stack-cold',
  what: 'the same with an empty cache: Temporal and MongoDB are downloaded',
  figures: ['stack-cold'],
  async run(context) {
    const cacheDir = join(context.folder, 'cache');
    await mkdir(cacheDir);
    const up = await tenureUp(context, 'cold', cacheDir).catch((error: unknown) => {
      const reason = error instanceof Error ? error.message : String(error);
      if (/could be found or fetched/.test(reason)) throw new NotMeasurable(reason);
      throw error;
    });
    const fetched = PROGRAMS.filter((name) => existsSync(join(cacheDir, name)));
    if (fetched.length < PROGRAMS.length)
      throw new NotMeasurable('Temporal or MongoDB is on the PATH, so there is nothing to download');
    return [
      figure({
        name: 'stack-cold',
        unit: 's',
        ours: up.seconds,
        note: 'Once; most of it is the network: the vendors, or the package index where they cannot be reached',
      }),
    ];
  },
};

async function memoryOfAll(
  context: BenchContext,
  { home, pid, pids }: StackUp,
): Promise<{ pss: number; words: string }> {
  context.say(`the memory after ${IDLE_MS / 1_000} s without work`);
  await sleep(IDLE_MS);
  const folder = await realpath(home);
  const server = (argument: string): number => findByArgument(argument)[0]?.pid ?? 0;
  const all = {
    Temporal: server(temporalArgument(folder)),
    mongod: server(mongodArgument(folder)),
    ...pids,
    'tenure up': pid,
  };
  const parts = await Promise.all(
    Object.entries(all).map(async ([name, of]) => ({ name, ...(await memoryOf(of)) })),
  );
  const sum = (of: 'pss' | 'rss'): number => parts.reduce((total, part) => total + part[of], 0);
  const words = parts.map(({ name, pss }) => `${name} ${Math.round(pss)}`).join(', ');
  return {
    pss: sum('pss'),
    words: `Proportional set size after ${IDLE_MS / 1_000} s without work and without models: ${words}; resident ${Math.round(sum('rss'))} MiB`,
  };
}

export const benches: readonly Bench[] = [warm, cold];
