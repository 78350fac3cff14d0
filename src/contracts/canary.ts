/**
 * What the canary's judge reads and says. Plain JSON throughout: the workflow carries the state over continue-as-new, the
 * ledger keeps counts and looks, the command prints them.
 *
 * The unit of analysis is the routing key: assignment is sticky, so requests of one key are not independent.
 */

/**
 * Cumulative counts of one arm in one generation. Only requests assigned by the split are counted (no fallbacks, drills,
 * forced routes, client errors, nor requests routed while a lease was out). Each guardrail of the plan must be named in
 * all three records, with an explicit 0: an absent entry is missing data, not good data.
 */
export interface ArmCounts {
  /** Split-assigned requests. */
  readonly requests: number;
  /** Routing keys first seen in this release in this generation, on this arm. Counted once the first outcome is known. */
  readonly keys: number;
  /** Guardrail -> keys among `keys` whose first outcome was bad, or not seen as the request failed (promote side). */
  readonly firstBad: Readonly<Record<string, number>>;
  /** Guardrail -> keys whose first bad event of this release happened here (roll-back side). */
  readonly newBad: Readonly<Record<string, number>>;
  /** Guardrail -> bad requests (for display and hard limits). */
  readonly bad: Readonly<Record<string, number>>;
}

/** Cumulative counts of one generation (one constant split), merged over all gateways. */
export interface GenerationCounts {
  readonly generation: number;
  /** Configured share of the candidate, 0..1. */
  readonly candidateShare: number;
  readonly candidate: ArmCounts;
  readonly champion: ArmCounts;
}

/** All generations of one release so far. */
export interface CanaryCounts {
  readonly generations: readonly GenerationCounts[];
  /** 1, or 2^-k when keys are hash-sampled (by a hash independent of the split). Concerns keys, firstBad and newBad only. */
  readonly sampleRate: number;
}

export type GuardrailKind = 'errors' | 'slow' | 'share';

/** A share of bad outcomes that the candidate may not worsen by more than the margin, the wider of its two parts. */
export interface Guardrail {
  readonly name: string;
  readonly kind: GuardrailKind;
  /** Factor on the champion's share, at least 1 (usually 1.5). */
  readonly relativeMargin: number;
  /** Added to the champion's share, 0..1 (usually 0.005). */
  readonly absoluteMargin: number;
  /** Share of the candidate's requests that rolls back at once, in (0, 1]. Absent: no hard limit. */
  readonly hardLimit?: number;
  /** Fewest candidate requests before the hard limit may act (default 20). */
  readonly hardLimitMinimum?: number;
}

export interface CanaryStep {
  /** The candidate's share, in (0, 1]. */
  readonly weight: number;
  /** First-seen routing keys, both arms together, that the step needs. */
  readonly minKeys: number;
  readonly minSeconds: number;
}

/** `prove` promotes only what is shown not to be worse by the margin; `watch` promotes after the minimum unless rolled back. */
export type CanaryJudgement = 'prove' | 'watch';

export interface CanaryPlan {
  readonly guardrails: readonly Guardrail[];
  /** Bound on rolling back a healthy candidate, over all guardrails and looks (usually 0.01). */
  readonly alpha: number;
  /** Bound on proving a candidate that is worse by the margin on some guardrail (usually 0.05). */
  readonly beta: number;
  readonly steps: readonly CanaryStep[];
  readonly judgement: CanaryJudgement;
}

/** Champion's counts before the release, by guardrail. They tune the promote side only: wrong ones cost time, not validity. */
export type CanaryHistory = Readonly<Record<string, { readonly bad: number; readonly keys: number }>>;

/** Where the canary stands at a look; recorded with the counts, as both are inputs of the verdict. */
export interface LookMoment {
  /** Index into the plan's steps. */
  readonly step: number;
  /** First generation of this step: its keys are counted from there. */
  readonly sinceGeneration: number;
  /** Seconds since the step began. */
  readonly seconds: number;
  /** The canary's time is over: an undecided look becomes `inconclusive`, held for a person. */
  readonly atHorizon: boolean;
  /** After promotion, with a hold-back: only `roll-back`, `continue` or `inconclusive` can come. */
  readonly soaking: boolean;
}

export type CanaryVerdict = 'continue' | 'promote' | 'roll-back' | 'inconclusive';

/** `judged`: the counts were usable; the others never pass. */
export type LookState = 'judged' | 'void' | 'inconsistent' | 'no-data';

export type LookReasonCode =
  | 'hard-limit' // a hard limit was passed (guardrail named)
  | 'worse' // the candidate is shown to be worse (guardrail named)
  | 'sample-ratio' // the split is not the configured one
  | 'inconsistent-counts' // see `problems`
  | 'no-data' // no keys at all, or no new evidence on the candidate since the last look
  | 'sample-rate-changed' // keys between the two looks carry no evidence
  | 'counts-went-back' // some counts fell; that evidence is withheld
  | 'soaking'
  | 'proven' // every guardrail is proven
  | 'watched' // judgement `watch`: minimum reached, nothing found, not proven
  | 'unproven' // this guardrail is not proven yet (guardrail named)
  | 'step-minimum' // the step's keys or seconds are not reached
  | 'horizon'; // the time is over

export interface LookReason {
  readonly code: LookReasonCode;
  readonly guardrail: string | null;
}

/** Counts of one arm over the release, as used for evidence. */
export interface ArmFigures {
  readonly requests: number;
  readonly keys: number;
  readonly firstBad: number;
  readonly newBad: number;
  readonly bad: number;
  /** firstBad / keys; null without keys. */
  readonly rate: number | null;
}

/** Evidence as the natural logarithm of an e-value, and the value at which it suffices. */
export interface Evidence {
  readonly lnE: number;
  readonly threshold: number;
}

export interface HardLimitLook {
  readonly limit: number;
  /** Fewest candidate requests before it may act. */
  readonly minimum: number;
  /** The window judged: candidate requests since the last closed window. */
  readonly requests: number;
  readonly bad: number;
  readonly share: number | null;
  readonly tripped: boolean;
}

/** One row of the verdict table. */
export interface GuardrailLook {
  readonly name: string;
  readonly kind: GuardrailKind;
  readonly candidate: ArmFigures;
  readonly champion: ArmFigures;
  readonly rollBack: Evidence;
  readonly promote: Evidence;
  /** Shown to be worse; stays so. */
  readonly breached: boolean;
  /** Shown not to be worse by the margin; stays so. */
  readonly proven: boolean;
  readonly hardLimit: HardLimitLook | null;
  /** Routing keys (both arms) still needed to prove, at the rates seen; 0 when proven, null when they would never do. */
  readonly keysToProve: number | null;
  /** The same if both arms were alike at the base rate: what a healthy candidate still needs. Null without a real split. */
  readonly keysToProveIfEqual: number | null;
}

export interface SampleRatioLook extends Evidence {
  /** First-seen keys in generations with a real split. */
  readonly candidateKeys: number;
  readonly keys: number;
  /** Candidate keys that the configured shares predict. */
  readonly expectedCandidateKeys: number;
  readonly violated: boolean;
}

/** The verdict table of one look. */
export interface LookResult {
  /** Version of the deciding code. */
  readonly judge: string;
  /** 1, 2, 3... */
  readonly look: number;
  readonly verdict: CanaryVerdict;
  readonly state: LookState;
  /** A person must decide (voided, or undecided at the end of the time). An `inconclusive` without it: look again. */
  readonly hold: boolean;
  /** The step's minimum is reached and another step follows. */
  readonly advance: boolean;
  /** All guardrails are proven. A `promote` with false is an unproven one (`watch`). */
  readonly proven: boolean;
  readonly reasons: readonly LookReason[];
  /** The verdict in plain words. */
  readonly sentence: string;
  readonly guardrails: readonly GuardrailLook[];
  readonly sampleRatio: SampleRatioLook;
  /** First-seen routing keys, both arms, over the release; estimated by sampleRate. */
  readonly keys: number;
  readonly keysInStep: number;
  /** The look after this one is due at this many keys. */
  readonly nextLookAt: number;
  /** Keys still needed until the last guardrail is proven, at the rates seen; null when some never would be. */
  readonly keysToProve: number | null;
  /** The same if both arms were alike. */
  readonly keysToProveIfEqual: number | null;
  /** By how much counts fell below what was seen before; withheld, never counted again. */
  readonly discarded: number;
  /** What was wrong with the counts (at most ten). */
  readonly problems: readonly string[];
}

/** [candidate, champion] */
export type ArmPair = readonly [candidate: number, champion: number];

/** The cells of one generation that earlier looks have used up. */
export interface SeenCounts {
  readonly requests: ArmPair;
  readonly keys: ArmPair;
  /** One entry a guardrail, in the plan's order. */
  readonly firstBad: readonly ArmPair[];
  readonly newBad: readonly ArmPair[];
  readonly bad: readonly ArmPair[];
}

export interface GenerationMemory {
  readonly generation: number;
  readonly candidateShare: number;
  readonly seen: SeenCounts;
  /** Keys counted as evidence (differs from `seen.keys` only after a change of the sample rate). */
  readonly keys: ArmPair;
}

export interface GuardrailMemory {
  readonly name: string;
  /** ln M(r) for each alternative of the roll-back side. */
  readonly lnM: readonly number[];
  readonly lnPromote: number;
  /** Bad outcomes and keys before this look, both arms, with the champion's history. */
  readonly priorBad: number;
  readonly priorKeys: number;
  readonly firstBad: ArmPair;
  readonly newBad: ArmPair;
  readonly bad: ArmPair;
  /** Open window of the hard limit: candidate requests, and the totals at which the last reading left off. */
  readonly windowRequests: number;
  readonly windowBad: number;
  readonly lastRequests: number;
  readonly lastBad: number;
  readonly tripped: boolean;
  readonly breached: boolean;
  readonly proven: boolean;
}

/** What the judge carries from look to look. */
export interface JudgeState {
  readonly looks: number;
  readonly sampleRate: number;
  readonly voided: boolean;
  readonly generations: readonly GenerationMemory[];
  readonly guardrails: readonly GuardrailMemory[];
}

/** A look as the ledger keeps it: all inputs, and what was said. */
export interface RecordedLook {
  readonly counts: CanaryCounts;
  readonly moment: LookMoment;
  readonly look: LookResult;
}

/** A share of bad outcomes against a fixed bound (soak without a champion; shadow disagreement = 1 - agreement). */
export interface FixedBound {
  /** Largest acceptable share of bad outcomes, in (0, 1). */
  readonly bound: number;
  /** Error bound of `breached` (divide by the number of bounds watched together). */
  readonly alpha: number;
  /** Error bound of `proven`. */
  readonly beta: number;
}

export interface BoundState {
  readonly breached: boolean;
  readonly proven: boolean;
}

export interface BoundLook {
  /** False: the counts were missing or impossible and carried no evidence. */
  readonly valid: boolean;
  readonly bad: number;
  readonly total: number;
  readonly rate: number | null;
  readonly breach: Evidence;
  readonly proof: Evidence;
  readonly breached: boolean;
  readonly proven: boolean;
}
