/** What a run of `npm run chaos` kills, and when: drawn from its seed alone. */
import type { FailPlan } from '../../../src/fail-points/plan.js';
import { createRandom } from '../random.js';
import { KINDS, type Kind } from './kinds.js';
import { pointsOf } from './points.js';
import { type Server, SERVERS } from './servers.js';

/** Processes that are killed by a signal at any time. */
export const VICTIMS = ['worker', 'gateway-1', 'gateway-2', ...SERVERS] as const;
export type Victim = (typeof VICTIMS)[number];

export interface Kill {
  /** Before everything that was killed earlier runs again: dead processes beside each other. */
  readonly meanwhile: boolean;
  /** After that, or after everything runs again, milliseconds. */
  readonly afterMs: number;
  readonly victim: Victim;
  /** How long a server stays away, milliseconds; the others are started again at once. */
  readonly downMs: number;
}

export const isServer = (victim: Victim): victim is Server => (SERVERS as readonly string[]).includes(victim);

const BETWEEN_MS = { least: 1_000, most: 9_000 } as const;
/** Of the kills, how many do not wait until everything runs again. With all of them a slow machine would get nothing done. */
const MEANWHILE = 0.3;
const DOWN_MS = { least: 0, most: 6_000 } as const;
/** Of the lives of worker and gateways, how many die by themselves at a fail point. */
const AT_A_POINT = 0.4;
/** A point is reached at least so often before it kills. */
const MOST_HITS = 8;

/** Numbers of their own for each use, so that none depends on how far another one has come. */
const numbers = (seed: number, ...use: readonly (string | number)[]): ReturnType<typeof createRandom> =>
  createRandom(hashOf(`${seed}/${use.join('/')}`));

/** FNV-1a, 32 bits. */
function hashOf(text: string): number {
  let hash = 0x811c9dc5;
  for (const char of text) hash = Math.imul(hash ^ (char.codePointAt(0) ?? 0), 0x01000193);
  return hash;
}

/** The n-th kill by a signal, from 0. */
export function killOf(seed: number, n: number): Kill {
  const random = numbers(seed, 'kill', n);
  const between = ({ least, most }: { readonly least: number; readonly most: number }): number =>
    Math.round(least + random.uniform() * (most - least));
  const victim = VICTIMS[random.below(VICTIMS.length)]!;
  const meanwhile = random.uniform() < MEANWHILE;
  return { meanwhile, afterMs: between(BETWEEN_MS), victim, downMs: isServer(victim) ? between(DOWN_MS) : 0 };
}

/** Where the n-th life of a process is to die by itself, from 1; null: nowhere. */
export function deathOf(seed: number, process: string, life: number): FailPlan | null {
  const random = numbers(seed, process, life);
  const points = pointsOf(process.replace(/-\d+$/, ''));
  if (random.uniform() >= AT_A_POINT) return null;
  return { point: points[random.below(points.length)]!, hit: 1 + random.below(MOST_HITS), action: 'kill' };
}

/** Kind of a model's n-th release after its first, from 0. */
export const kindOf = (seed: number, model: string, n: number): Kind =>
  KINDS[numbers(seed, model, n).below(KINDS.length)]!;
