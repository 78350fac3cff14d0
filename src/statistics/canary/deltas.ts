import type { ArmPair, GenerationMemory, JudgeState, SeenCounts } from '../../contracts/canary.js';
import type { ReadCounts, ReadGeneration } from './counts.js';

/** What one generation added since the last look; null where that evidence is withheld. */
export interface GenerationDelta {
  readonly generation: number;
  readonly candidateShare: number;
  readonly requests: ArmPair;
  readonly keys: ArmPair | null;
  /** All guardrails or none: the promote side takes an interval whole. */
  readonly firstBad: readonly ArmPair[] | null;
  readonly newBad: readonly ArmPair[];
  readonly bad: readonly ArmPair[];
}

export interface Taken {
  readonly generations: readonly GenerationMemory[];
  readonly deltas: readonly GenerationDelta[];
  /** The sample rate in force from now on. */
  readonly sampleRate: number;
  readonly rateChanged: boolean;
  /** Sum of all shortfalls against what was seen before. */
  readonly discarded: number;
  readonly problems: readonly string[];
}

const NONE: ArmPair = [0, 0];
/** Counts may fall a little (a key turns out to have been seen earlier elsewhere); more than this share is a fault. */
const SHORTFALL_MAX = 0.01;

const highest = (a: ArmPair, b: ArmPair): ArmPair => [Math.max(a[0], b[0]), Math.max(a[1], b[1])];
const gained = (from: ArmPair, to: ArmPair): ArmPair => [
  Math.max(0, to[0] - from[0]),
  Math.max(0, to[1] - from[1]),
];
const short = (from: ArmPair, to: ArmPair): number =>
  Math.max(0, from[0] - to[0]) + Math.max(0, from[1] - to[1]);
const add = (a: ArmPair, b: ArmPair): ArmPair => [a[0] + b[0], a[1] + b[1]];
const within = (part: ArmPair, whole: ArmPair): boolean => part[0] <= whole[0] && part[1] <= whole[1];
const total = (pair: ArmPair): number => pair[0] + pair[1];

function unseen(guardrails: number): SeenCounts {
  const none = Array.from({ length: guardrails }, () => NONE);
  return { requests: NONE, keys: NONE, firstBad: none, newBad: none, bad: none };
}

/**
 * What each generation added since the last look. The highest count ever seen is the base line, so that counts that vanish
 * and come back (a gateway missing from one reading) are never evidence twice. Generations are never pooled: each keeps its
 * share. Keys and first outcomes of a generation are taken whole or wait until they are consistent again.
 */
export function takeDeltas(state: JudgeState, read: ReadCounts, guardrails: number): Taken {
  const problems: string[] = [];
  const sampleRate = read.sampleRate ?? state.sampleRate;
  const rateChanged = state.generations.length > 0 && sampleRate !== state.sampleRate;
  const memories: GenerationMemory[] = [];
  const deltas: GenerationDelta[] = [];
  const lost = { requests: 0, keys: 0 };
  const held = { requests: 0, keys: 0 };
  const mode = modeOf(state, read, rateChanged);

  for (const known of state.generations) {
    if (!read.generations.some((g) => g.generation === known.generation)) {
      problems.push(`generation ${known.generation} was seen before and is missing`);
      memories.push(known);
    }
  }
  for (const now of read.generations) {
    const known = state.generations.find((g) => g.generation === now.generation);
    if (known !== undefined && known.candidateShare !== now.candidateShare) {
      const was = `it was ${known.candidateShare}, and a generation has one constant split`;
      problems.push(`generation ${now.generation}: candidateShare is ${now.candidateShare}: ${was}`);
      memories.push(known);
      continue;
    }
    const before = known?.seen ?? unseen(guardrails);
    const step = takeGeneration(before, now, mode);
    lost.requests += step.lostRequests;
    lost.keys += step.lostKeys;
    held.requests += total(before.requests);
    held.keys += total(before.keys);
    const counted = add(known?.keys ?? NONE, step.delta.keys ?? NONE);
    memories.push({
      generation: now.generation,
      candidateShare: now.candidateShare,
      seen: step.seen,
      keys: counted,
    });
    deltas.push(step.delta);
  }
  for (const unit of ['requests', 'keys'] as const) {
    const fell = lost[unit] > Math.max(1, SHORTFALL_MAX * held[unit]);
    if (fell) problems.push(`counts of ${unit} are ${lost[unit]} below what was seen before`);
  }
  memories.sort((a, b) => a.generation - b.generation);
  return {
    generations: memories,
    deltas,
    sampleRate: mode === 'hold' ? state.sampleRate : sampleRate,
    rateChanged,
    discarded: lost.requests + lost.keys,
    problems,
  };
}

interface TakenGeneration {
  readonly seen: SeenCounts;
  readonly delta: GenerationDelta;
  readonly lostRequests: number;
  readonly lostKeys: number;
}

/**
 * What becomes of counts of keys: they are evidence (`take`); or, as the sample rate changed, only the new base line
 * (`rebase`), for all generations at once; or neither (`hold`), when the rate is not known, or a new base line is not.
 */
type Mode = 'take' | 'rebase' | 'hold';

function modeOf(state: JudgeState, read: ReadCounts, rateChanged: boolean): Mode {
  if (read.sampleRate === null) return 'hold';
  if (!rateChanged) return 'take';
  const whole = (g: ReadGeneration): boolean =>
    [g.keys, ...g.firstBad, ...g.newBad].every((pair) => pair !== null);
  const known = state.generations.every((k) =>
    read.generations.some((g) => g.generation === k.generation && g.candidateShare === k.candidateShare),
  );
  return known && read.generations.every(whole) ? 'rebase' : 'hold';
}

function takeGeneration(before: SeenCounts, now: ReadGeneration, mode: Mode): TakenGeneration {
  const requests = now.requests ?? before.requests;
  const bad = before.bad.map((was, i) => now.bad[i] ?? was);
  const newBad = before.newBad.map((was, i) => now.newBad[i] ?? was);
  const firstBad = now.firstBad.filter((pair) => pair !== null);
  const readable = now.keys !== null && firstBad.length === before.firstBad.length;
  const keys = now.keys ?? before.keys;

  const shorts = (was: readonly ArmPair[], is: readonly ArmPair[]): number =>
    was.reduce((sum, pair, i) => sum + short(pair, is[i] ?? pair), 0);
  const gains = (was: readonly ArmPair[], is: readonly ArmPair[]): readonly ArmPair[] =>
    was.map((pair, i) => gained(pair, is[i] ?? pair));
  const highs = (was: readonly ArmPair[], is: readonly ArmPair[]): readonly ArmPair[] =>
    was.map((pair, i) => highest(pair, is[i] ?? pair));

  const taking = mode === 'take';
  const newKeys = gained(before.keys, keys);
  const newFirstBad = gains(before.firstBad, firstBad);
  const promoteShort = readable ? short(before.keys, keys) + shorts(before.firstBad, firstBad) : 0;
  const fits = newFirstBad.every((pair) => within(pair, newKeys));
  const take = taking && readable && promoteShort === 0 && fits;
  const move = take || mode === 'rebase';
  const none = before.newBad.map(() => NONE);
  return {
    seen: {
      requests: highest(before.requests, requests),
      bad: highs(before.bad, bad),
      newBad: taking ? highs(before.newBad, newBad) : move ? newBad : before.newBad,
      keys: move ? keys : before.keys,
      firstBad: move ? firstBad : before.firstBad,
    },
    delta: {
      generation: now.generation,
      candidateShare: now.candidateShare,
      requests: gained(before.requests, requests),
      bad: gains(before.bad, bad),
      newBad: taking ? gains(before.newBad, newBad) : none,
      keys: take ? newKeys : null,
      firstBad: take ? newFirstBad : null,
    },
    lostRequests: short(before.requests, requests) + shorts(before.bad, bad),
    lostKeys: taking ? promoteShort + shorts(before.newBad, newBad) : 0,
  };
}
