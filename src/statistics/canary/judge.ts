import type {
  ArmPair,
  CanaryCounts,
  CanaryHistory,
  CanaryPlan,
  Guardrail,
  GuardrailMemory,
  JudgeState,
  LookMoment,
  LookResult,
} from '../../contracts/canary.js';
import { readCounts, type ReadGeneration } from './counts.js';
import { takeDeltas, type GenerationDelta } from './deltas.js';
import { HARD_LIMIT_MINIMUM, hardLimitTripped, hardLimitWindowSize } from './hard-limit.js';
import { isCount } from './numbers.js';
import { checkCanaryPlan } from './plan.js';
import { HISTORY_KEYS_MAX, promoteEvidence, promoteThreshold } from './promote.js';
import {
  addRollbackInterval,
  NO_ROLLBACK_EVIDENCE,
  rollbackEvidence,
  rollbackThreshold,
} from './rollback.js';
import { sampleRatioEvidence, sampleRatioThreshold } from './sample-ratio.js';
import { tellLook } from './look.js';
import { CANARY_JUDGE_VERSION } from './version.js';

const NONE: ArmPair = [0, 0];
const add = (a: ArmPair, b: ArmPair): ArmPair => [a[0] + b[0], a[1] + b[1]];

/**
 * The judge before its first look.
 * @param history the champion's counts before the release, one outcome a key, by guardrail; what is missing or impossible in
 *   it is left out (it tunes the promote side only; without it the first keys of the canary do that)
 * @throws RangeError when the plan cannot be judged (see checkCanaryPlan)
 */
export function initialJudge(plan: CanaryPlan, history: CanaryHistory = {}): JudgeState {
  const problems = checkCanaryPlan(plan);
  if (problems.length > 0) throw new RangeError(`Canary plan: ${problems.join('; ')}`);
  const guardrails = plan.guardrails.map((g) => initialGuardrail(g, history));
  return { looks: 0, sampleRate: 1, voided: false, generations: [], guardrails };
}

function initialGuardrail(guardrail: Guardrail, history: CanaryHistory): GuardrailMemory {
  const before = Object.hasOwn(history, guardrail.name) ? history[guardrail.name] : undefined;
  const known = isCount(before?.bad) && isCount(before.keys) && before.bad <= before.keys && before.keys > 0;
  const keys = known ? Math.min(before.keys, HISTORY_KEYS_MAX) : 0;
  return {
    name: guardrail.name,
    lnM: NO_ROLLBACK_EVIDENCE,
    lnPromote: 0,
    priorBad: known ? (before.bad * keys) / before.keys : 0,
    priorKeys: keys,
    firstBad: NONE,
    newBad: NONE,
    bad: NONE,
    windowRequests: 0,
    windowBad: 0,
    lastRequests: 0,
    lastBad: 0,
    tripped: false,
    breached: false,
    proven: false,
  };
}

/**
 * One look at the cumulative counts. Takes what is new since the last look, generation by generation, updates the evidence
 * and says the verdict. Never throws, whatever the counts are; anything missing or impossible in them keeps it from passing,
 * but not from rolling back on what is sound.
 */
export function judge(
  state: JudgeState,
  plan: CanaryPlan,
  counts: CanaryCounts,
  moment: LookMoment,
): { readonly state: JudgeState; readonly look: LookResult } {
  const names = plan.guardrails.map((g) => g.name);
  const samePlan =
    names.length === state.guardrails.length && names.every((n, i) => n === state.guardrails[i]?.name);
  // Evidence of other guardrails says nothing here, nor may it be lost: such a look starts from nothing and leaves no trace.
  const known: JudgeState = samePlan
    ? state
    : { ...state, generations: [], guardrails: plan.guardrails.map((g) => initialGuardrail(g, {})) };
  const read = readCounts(counts, names);
  const taken = takeDeltas(known, read, names.length);
  const problems = [
    ...(samePlan ? [] : ['the guardrails are not those of the looks before']),
    ...read.problems,
  ];

  const splits = taken.generations.map((g) => ({
    share: g.candidateShare,
    candidate: g.keys[0],
    champion: g.keys[1],
  }));
  const voided = known.voided || sampleRatioEvidence(splits) >= sampleRatioThreshold();
  const next: JudgeState = {
    looks: known.looks + 1,
    sampleRate: taken.sampleRate,
    voided,
    generations: taken.generations,
    guardrails: plan.guardrails.map((guardrail, i) => {
      const memory = known.guardrails[i] ?? initialGuardrail(guardrail, {});
      return updateGuardrail(memory, guardrail, i, plan, taken.deltas, read.generations, voided);
    }),
  };
  const look = tellLook({
    version: CANARY_JUDGE_VERSION,
    plan,
    state: next,
    moment,
    read,
    newCandidateRequests: taken.deltas.reduce((sum, d) => sum + d.requests[0], 0),
    rateChanged: taken.rateChanged,
    discarded: taken.discarded,
    problems: [...problems, ...taken.problems],
    splits,
  });
  return { state: samePlan ? next : { ...state, looks: next.looks }, look };
}

function updateGuardrail(
  memory: GuardrailMemory,
  guardrail: Guardrail,
  index: number,
  plan: CanaryPlan,
  deltas: readonly GenerationDelta[],
  generations: readonly ReadGeneration[],
  voided: boolean,
): GuardrailMemory {
  let { lnM, lnPromote, priorBad, priorKeys, firstBad, newBad, bad } = memory;
  for (const delta of deltas) {
    const badKeys = delta.newBad[index] ?? NONE;
    const badRequests = delta.bad[index] ?? NONE;
    lnM = addRollbackInterval(lnM, badKeys[0], badKeys[1], delta.candidateShare);
    newBad = add(newBad, badKeys);
    bad = add(bad, badRequests);
    const first = delta.firstBad?.[index];
    if (delta.keys === null || first === undefined) continue;
    // All intervals of this look are judged by the base rate of earlier looks.
    const interval = {
      share: delta.candidateShare,
      candidateKeys: delta.keys[0],
      candidateBad: first[0],
      championKeys: delta.keys[1],
      championBad: first[1],
    };
    lnPromote += promoteEvidence(interval, memory.priorBad, memory.priorKeys, guardrail);
    priorBad += first[0] + first[1];
    priorKeys += delta.keys[0] + delta.keys[1];
    firstBad = add(firstBad, first);
  }
  const limited = updateWindow(memory, guardrail, index, generations, newBad[0]);
  // A split that is wrong makes both comparisons worthless: no new breach, no new proof.
  const worse = rollbackEvidence(lnM) >= rollbackThreshold(plan.guardrails.length, plan.alpha);
  return {
    name: memory.name,
    lnM,
    lnPromote,
    priorBad,
    priorKeys,
    firstBad,
    newBad,
    bad,
    ...limited,
    breached: memory.breached || (!voided && worse),
    proven: memory.proven || (!voided && lnPromote >= promoteThreshold(plan.beta)),
  };
}

/**
 * The hard limit's window. It compares with the last reading, not with the highest: when counts fall, the window only leaves
 * off anew, so that bad requests never meet fewer requests than they came with.
 */
function updateWindow(
  memory: GuardrailMemory,
  guardrail: Guardrail,
  index: number,
  generations: readonly ReadGeneration[],
  badKeys: number,
): Pick<GuardrailMemory, 'windowRequests' | 'windowBad' | 'lastRequests' | 'lastBad' | 'tripped'> {
  const { hardLimit: limit, hardLimitMinimum: minimum = HARD_LIMIT_MINIMUM } = guardrail;
  const full = limit === undefined || memory.windowRequests >= hardLimitWindowSize(limit, minimum);
  let { lastRequests, lastBad, tripped } = memory;
  let window = full ? { requests: 0, bad: 0 } : { requests: memory.windowRequests, bad: memory.windowBad };
  const readable = generations.every((g) => g.requests !== null && (g.bad[index] ?? null) !== null);
  if (readable) {
    const now = { requests: 0, bad: 0 };
    for (const g of generations) {
      now.requests += g.requests?.[0] ?? 0;
      now.bad += g.bad[index]?.[0] ?? 0;
    }
    const requests = now.requests - lastRequests;
    const bad = now.bad - lastBad;
    if (bad >= 0 && requests >= bad) window = { requests: window.requests + requests, bad: window.bad + bad };
    lastRequests = now.requests;
    lastBad = now.bad;
    tripped ||= limit !== undefined && hardLimitTripped(window, badKeys, limit, minimum);
  }
  return { windowRequests: window.requests, windowBad: window.bad, lastRequests, lastBad, tripped };
}
