import type {
  ArmFigures,
  ArmPair,
  CanaryPlan,
  GenerationMemory,
  Guardrail,
  GuardrailLook,
  GuardrailMemory,
  HardLimitLook,
  JudgeState,
  LookMoment,
  LookResult,
  SampleRatioLook,
} from '../../contracts/canary.js';
import type { ReadCounts } from './counts.js';
import { HARD_LIMIT_MINIMUM } from './hard-limit.js';
import { isCount, shown } from './numbers.js';
import { promoteThreshold } from './promote.js';
import { rollbackEvidence, rollbackThreshold } from './rollback.js';
import { sampleRatioEvidence, sampleRatioThreshold, type SplitKeys } from './sample-ratio.js';
import { keysToProve, nextLookAt } from './schedule.js';
import { decide } from './verdict.js';
import { lookSentence } from './words.js';

/** What the judge knows after taking the counts in. */
export interface LookInput {
  readonly version: string;
  readonly plan: CanaryPlan;
  readonly state: JudgeState;
  readonly moment: LookMoment;
  readonly read: ReadCounts;
  readonly newCandidateRequests: number;
  readonly rateChanged: boolean;
  readonly discarded: number;
  readonly problems: readonly string[];
  readonly splits: readonly SplitKeys[];
}

const PROBLEMS_MAX = 10;

const sumPairs = (pairs: readonly ArmPair[]): ArmPair =>
  pairs.reduce<ArmPair>((sum, pair) => [sum[0] + pair[0], sum[1] + pair[1]], [0, 0]);

/** Builds the verdict table of a look. */
export function tellLook(input: LookInput): LookResult {
  const { plan, state, moment, read, splits } = input;
  const rate = read.sampleRate ?? state.sampleRate;
  const keysIn = (from: number): number => {
    const pairs = read.generations
      .filter((g) => isCount(from) && g.generation >= from)
      .map((g) => g.keys ?? ([0, 0] as const));
    const [candidate, champion] = sumPairs(pairs);
    return (candidate + champion) / rate;
  };
  const keys = keysIn(0);
  const keysInStep = keysIn(moment.sinceGeneration);
  const share = lastSplit(state.generations);
  const counted = sumPairs(state.generations.map((g) => g.keys));
  const requests = sumPairs(state.generations.map((g) => g.seen.requests));
  const guardrails = plan.guardrails.flatMap((guardrail, i) => {
    const memory = state.guardrails[i];
    return memory === undefined
      ? []
      : [guardrailLook(guardrail, memory, plan, counted, requests, share, rate)];
  });
  const sampleRatio = sampleRatioLook(splits, state.voided);
  const decision = decide({
    plan,
    moment,
    guardrails,
    voided: state.voided,
    problems: input.problems.length,
    keys: counted,
    newCandidateRequests: input.newCandidateRequests,
    keysInStep,
    rateChanged: input.rateChanged,
    discarded: input.discarded,
  });
  const look = {
    judge: input.version,
    look: state.looks,
    ...decision,
    guardrails,
    sampleRatio,
    keys,
    keysInStep,
    nextLookAt: nextLookAt(keys, share ?? plan.steps[moment.step]?.weight ?? 0.5),
    keysToProve: longest(guardrails.map((g) => g.keysToProve)),
    keysToProveIfEqual: longest(guardrails.map((g) => g.keysToProveIfEqual)),
    discarded: input.discarded,
    problems: input.problems.slice(0, PROBLEMS_MAX),
  };
  return { ...look, sentence: lookSentence(look) };
}

/** The largest; null when any is. */
function longest(keys: readonly (number | null)[]): number | null {
  return keys.reduce<number | null>((most, n) => (most === null || n === null ? null : Math.max(most, n)), 0);
}

/** The newest share that compares anything. */
function lastSplit(generations: readonly GenerationMemory[]): number | null {
  const real = generations.filter((g) => g.candidateShare > 0 && g.candidateShare < 1);
  return real[real.length - 1]?.candidateShare ?? null;
}

function guardrailLook(
  guardrail: Guardrail,
  memory: GuardrailMemory,
  plan: CanaryPlan,
  keys: ArmPair,
  requests: ArmPair,
  share: number | null,
  sampleRate: number,
): GuardrailLook {
  const arm = (i: 0 | 1): ArmFigures => ({
    requests: requests[i],
    keys: keys[i],
    firstBad: memory.firstBad[i],
    newBad: memory.newBad[i],
    bad: memory.bad[i],
    rate: keys[i] === 0 ? null : memory.firstBad[i] / keys[i],
  });
  const threshold = promoteThreshold(plan.beta);
  const open = {
    lnE: memory.lnPromote,
    threshold,
    share: share ?? 0,
    priorBad: memory.priorBad,
    priorKeys: memory.priorKeys,
    candidateKeys: keys[0],
    candidateBad: memory.firstBad[0],
    championKeys: keys[1],
    championBad: memory.firstBad[1],
  };
  const needed = (alike: boolean): number | null => {
    const sampled = memory.proven ? 0 : keysToProve(open, guardrail, alike);
    return sampled === null ? null : sampled / sampleRate;
  };
  return {
    name: memory.name,
    kind: guardrail.kind,
    candidate: arm(0),
    champion: arm(1),
    rollBack: {
      lnE: shown(rollbackEvidence(memory.lnM)),
      threshold: shown(rollbackThreshold(plan.guardrails.length, plan.alpha)),
    },
    promote: { lnE: shown(memory.lnPromote), threshold: shown(threshold) },
    breached: memory.breached,
    proven: memory.proven,
    hardLimit: hardLimitLook(guardrail, memory),
    keysToProve: needed(false),
    keysToProveIfEqual: needed(true),
  };
}

function hardLimitLook(guardrail: Guardrail, memory: GuardrailMemory): HardLimitLook | null {
  const { hardLimit: limit, hardLimitMinimum: minimum = HARD_LIMIT_MINIMUM } = guardrail;
  if (limit === undefined) return null;
  const { windowRequests, windowBad, tripped } = memory;
  const share = windowRequests === 0 ? null : windowBad / windowRequests;
  return { limit, minimum, requests: windowRequests, bad: windowBad, share, tripped };
}

function sampleRatioLook(splits: readonly SplitKeys[], violated: boolean): SampleRatioLook {
  const real = splits.filter((s) => s.share > 0 && s.share < 1);
  return {
    lnE: shown(sampleRatioEvidence(splits)),
    threshold: shown(sampleRatioThreshold()),
    candidateKeys: real.reduce((sum, s) => sum + s.candidate, 0),
    keys: real.reduce((sum, s) => sum + s.candidate + s.champion, 0),
    expectedCandidateKeys: shown(real.reduce((sum, s) => sum + s.share * (s.candidate + s.champion), 0)),
    violated,
  };
}
