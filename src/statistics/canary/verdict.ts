import type {
  ArmPair,
  CanaryPlan,
  CanaryVerdict,
  GuardrailLook,
  LookMoment,
  LookReason,
  LookReasonCode,
  LookState,
} from '../../contracts/canary.js';

export interface VerdictInput {
  readonly plan: CanaryPlan;
  readonly moment: LookMoment;
  readonly guardrails: readonly GuardrailLook[];
  readonly voided: boolean;
  /** How many things were wrong with the counts. */
  readonly problems: number;
  /** Keys counted as evidence. */
  readonly keys: ArmPair;
  readonly newCandidateRequests: number;
  readonly keysInStep: number;
  readonly rateChanged: boolean;
  readonly discarded: number;
}

export interface Decision {
  readonly verdict: CanaryVerdict;
  readonly state: LookState;
  readonly hold: boolean;
  readonly advance: boolean;
  readonly proven: boolean;
  readonly reasons: readonly LookReason[];
}

const because = (code: LookReasonCode, guardrail: string | null = null): LookReason => ({ code, guardrail });

/**
 * The verdict, in a fixed order: what rolls back comes first (a hard limit, then shown to be worse), then what never passes
 * (a wrong split, counts that are inconsistent or absent), then promotion, then the end of the time, else `continue`.
 * Evidence against the candidate is not gathered on a wrong split, so a breach here came before it.
 */
export function decide(input: VerdictInput): Decision {
  const { plan, moment, guardrails } = input;
  const proven = guardrails.length > 0 && guardrails.every((g) => g.proven);
  const notes: LookReason[] = [];
  if (input.rateChanged) notes.push(because('sample-rate-changed'));
  if (input.discarded > 0) notes.push(because('counts-went-back'));
  const say = (
    verdict: CanaryVerdict,
    state: LookState,
    reasons: LookReason[],
    more: Partial<Decision> = {},
  ): Decision => ({
    verdict,
    state,
    hold: false,
    advance: false,
    proven,
    reasons: [...reasons, ...notes],
    ...more,
  });

  const state = stateOf(input);
  const rollBack = [
    ...guardrails.filter((g) => g.hardLimit?.tripped).map((g) => because('hard-limit', g.name)),
    ...guardrails.filter((g) => g.breached).map((g) => because('worse', g.name)),
  ];
  if (rollBack.length > 0) return say('roll-back', state, rollBack);
  if (state === 'void') return say('inconclusive', state, [because('sample-ratio')], { hold: true });
  const { atHorizon } = moment;
  const end = atHorizon ? [because('horizon')] : [];
  if (state !== 'judged') {
    const reason = because(state === 'no-data' ? 'no-data' : 'inconsistent-counts');
    return say('inconclusive', state, [reason, ...end], { hold: atHorizon && !moment.soaking });
  }
  if (moment.soaking) return say('continue', state, [because('soaking')]);

  const step = plan.steps[moment.step];
  const enough = (value: number, least: number): boolean => Number.isFinite(value) && value >= least;
  const reached =
    step !== undefined && enough(input.keysInStep, step.minKeys) && enough(moment.seconds, step.minSeconds);
  const last = moment.step === plan.steps.length - 1;
  const open =
    plan.judgement === 'prove'
      ? guardrails.filter((g) => !g.proven).map((g) => because('unproven', g.name))
      : [];
  const short = reached ? [] : [because('step-minimum')];
  if (reached && last && open.length === 0)
    return say('promote', state, [because(proven ? 'proven' : 'watched')]);
  if (atHorizon) return say('inconclusive', state, [...end, ...open, ...short], { hold: true });
  return say('continue', state, [...open, ...short], { advance: reached && !last });
}

function stateOf(input: VerdictInput): LookState {
  if (input.voided) return 'void';
  if (input.problems > 0) return 'inconsistent';
  // After a change of the sample rate a look brings no new evidence on keys, and their totals rest on one reading.
  if (input.rateChanged) return 'no-data';
  const some = input.keys[0] > 0 && input.keys[1] > 0 && input.newCandidateRequests > 0;
  return some ? 'judged' : 'no-data';
}
