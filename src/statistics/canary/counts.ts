import type { ArmPair, CanaryCounts } from '../../contracts/canary.js';
import { isCount } from './numbers.js';

/** One generation as far as it can be used; null where a cell is missing or impossible. */
export interface ReadGeneration {
  readonly generation: number;
  readonly candidateShare: number;
  readonly requests: ArmPair | null;
  readonly keys: ArmPair | null;
  /** One entry a guardrail, in the plan's order. */
  readonly firstBad: readonly (ArmPair | null)[];
  readonly newBad: readonly (ArmPair | null)[];
  readonly bad: readonly (ArmPair | null)[];
}

export interface ReadCounts {
  /** In the order of their numbers. */
  readonly generations: readonly ReadGeneration[];
  /** Null when missing or not 2^-k. */
  readonly sampleRate: number | null;
  readonly problems: readonly string[];
}

type Cell = 'requests' | 'keys';
type NamedCell = 'firstBad' | 'newBad' | 'bad';

const ARMS = ['candidate', 'champion'] as const;

/** Reads one field of something that came from outside and may be anything. */
function field(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null && Object.hasOwn(value, name)
    ? (value as Record<string, unknown>)[name]
    : undefined;
}

function isSampleRate(value: unknown): value is number {
  return typeof value === 'number' && value > 0 && value <= 1 && Number.isInteger(Math.log2(value));
}

/**
 * Checks counts cell by cell, whatever they are: a bad cell shields nothing but itself, so that broken data for one guardrail
 * cannot hold up a roll-back by another. Any problem keeps the look from passing.
 */
export function readCounts(counts: CanaryCounts, guardrails: readonly string[]): ReadCounts {
  const problems: string[] = [];
  const list = field(counts, 'generations');
  const rate = field(counts, 'sampleRate');
  const sampleRate = isSampleRate(rate) ? rate : null;
  if (sampleRate === null) problems.push(`sampleRate is ${String(rate)}: 1 or a power of one half is needed`);
  if (!Array.isArray(list)) problems.push('generations: a list is needed');
  const seen = new Set<number>();
  const generations: ReadGeneration[] = [];
  (Array.isArray(list) ? list : []).forEach((entry: unknown, i) => {
    const generation = field(entry, 'generation');
    const share = field(entry, 'candidateShare');
    if (!isCount(generation) || seen.has(generation)) {
      problems.push(
        `generations[${i}].generation is ${String(generation)}: a whole number is needed, each once`,
      );
    } else if (!(typeof share === 'number' && share >= 0 && share <= 1)) {
      problems.push(
        `generation ${generation}: candidateShare is ${String(share)}: a number from 0 to 1 is needed`,
      );
    } else {
      seen.add(generation);
      generations.push(readGeneration(entry, generation, share, guardrails, problems));
    }
  });
  generations.sort((a, b) => a.generation - b.generation);
  return { generations, sampleRate, problems };
}

function readGeneration(
  entry: unknown,
  generation: number,
  share: number,
  guardrails: readonly string[],
  problems: string[],
): ReadGeneration {
  const say = (text: string): void => void problems.push(`generation ${generation}: ${text}`);
  const pair = (label: string, get: (arm: unknown) => unknown): ArmPair | null => {
    const values = ARMS.map((arm) => get(field(entry, arm)));
    const wrong = values.findIndex((value) => !isCount(value));
    if (wrong < 0) return values as unknown as ArmPair;
    say(`${ARMS[wrong]}.${label} is ${String(values[wrong])}: a whole number from 0 is needed`);
    return null;
  };
  /** `part`, when each arm's is at most the arm's `whole`. */
  const within = (label: string, part: ArmPair | null, of: string, whole: ArmPair | null): ArmPair | null => {
    if (part === null || whole === null) return null;
    if (part[0] <= whole[0] && part[1] <= whole[1]) return part;
    say(`${label} is more than ${of}`);
    return null;
  };
  const plain = (cell: Cell): ArmPair | null => pair(cell, (arm) => field(arm, cell));
  const named = (cell: NamedCell, name: string): ArmPair | null =>
    pair(`${cell}.${name}`, (arm) => field(field(arm, cell), name));

  const requests = plain('requests');
  const keys = onSplit(within('keys', plain('keys'), 'requests', requests), share, say);
  const bad = guardrails.map((name) => within(`bad.${name}`, named('bad', name), 'requests', requests));
  return {
    generation,
    candidateShare: share,
    requests,
    keys,
    firstBad: guardrails.map((name) => within(`firstBad.${name}`, named('firstBad', name), 'keys', keys)),
    newBad: guardrails.map((name, i) =>
      within(`newBad.${name}`, named('newBad', name), 'bad', bad[i] ?? null),
    ),
    bad,
  };
}

/** Keys on an arm that has no share at all contradict the split. */
function onSplit(keys: ArmPair | null, share: number, say: (text: string) => void): ArmPair | null {
  if (keys === null || !((share === 0 && keys[0] > 0) || (share === 1 && keys[1] > 0))) return keys;
  say(`candidate.keys is ${keys[0]} and champion.keys is ${keys[1]} at a candidate share of ${share}`);
  return null;
}
