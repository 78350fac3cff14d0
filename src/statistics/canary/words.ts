import type { GuardrailLook, LookResult } from '../../contracts/canary.js';

type Told = Omit<LookResult, 'sentence'>;

const share = (part: number, of: number): string =>
  of === 0 ? 'none' : `${((100 * part) / of).toFixed(2)} %`;
const list = (names: readonly string[]): string => names.join(', ');

function worse(g: GuardrailLook): string {
  const { candidate, champion } = g;
  const bad = `${candidate.newBad} keys turned bad among the candidate's, ${champion.newBad} among the champion's`;
  return `${g.name} is worse: ${bad} (evidence ${g.rollBack.lnE.toFixed(2)}, needed ${g.rollBack.threshold.toFixed(2)})`;
}

function limit(g: GuardrailLook): string {
  const { hardLimit } = g;
  if (hardLimit === null) return g.name;
  const now = `${hardLimit.bad} of ${hardLimit.requests} requests of the candidate`;
  return `${g.name} passed its hard limit of ${share(hardLimit.limit, 1)}: ${now} (${share(hardLimit.bad, hardLimit.requests)})`;
}

/** The verdict of a look in plain words, one or two sentences. */
export function lookSentence(look: Told): string {
  const has = (code: string): boolean => look.reasons.some((r) => r.code === code);
  const open = look.guardrails.filter((g) => !g.proven);
  switch (look.verdict) {
    case 'roll-back': {
      const causes = look.guardrails.flatMap((g) => [
        ...(g.hardLimit?.tripped === true ? [limit(g)] : []),
        ...(g.breached ? [worse(g)] : []),
      ]);
      return `Roll back: ${causes.join('; ')}.`;
    }
    case 'promote':
      return has('proven')
        ? 'Promote: on every guardrail the candidate is shown not to be worse by more than its margin.'
        : `Promote: the minimum is reached and nothing speaks against the candidate; not proven: ${list(open.map((g) => g.name))}.`;
    case 'inconclusive':
      return inconclusive(look, open, has('horizon'));
    case 'continue':
      return goOn(look, open, has);
    default:
      return look.verdict satisfies never;
  }
}

function needed(look: Told): string {
  if (look.keysToProve !== null) return `about ${look.keysToProve} more keys at these rates`;
  const alike =
    look.keysToProveIfEqual === null ? '' : `; about ${look.keysToProveIfEqual} if the arms are alike`;
  return `at these rates no number of keys would do${alike}`;
}

function inconclusive(look: Told, open: readonly GuardrailLook[], horizon: boolean): string {
  const { candidateKeys, keys, expectedCandidateKeys } = look.sampleRatio;
  const next = look.hold ? 'A person must decide' : 'Look again';
  if (look.state === 'void') {
    const found = `${candidateKeys} of ${keys} keys went to the candidate, about ${Math.round(expectedCandidateKeys)} were due`;
    return `Void: the split is not the configured one (${found}), so the arms cannot be compared. A person must decide.`;
  }
  if (look.state === 'inconsistent')
    return `The counts cannot be judged: ${look.problems[0] ?? 'unknown'}. ${next}.`;
  if (look.state === 'no-data') return `No new evidence on the candidate since the last look. ${next}.`;
  const why =
    open.length === 0
      ? 'the minimum of the steps is not reached'
      : `not proven: ${list(open.map((g) => g.name))} (${needed(look)})`;
  return `Undecided${horizon ? ' at the end of the time' : ''}: ${why}. ${next}.`;
}

function goOn(look: Told, open: readonly GuardrailLook[], has: (code: string) => boolean): string {
  if (has('soaking')) return 'Soaking: nothing speaks against the new champion.';
  const proof =
    open.length === 0
      ? 'all guardrails are proven'
      : `not proven yet: ${list(open.map((g) => g.name))} (${needed(look)})`;
  const step = has('step-minimum')
    ? 'the minimum of this step is not reached'
    : 'the minimum of this step is reached';
  return `Continue: nothing speaks against the candidate; ${proof}; ${step}${look.advance ? ', the next may start' : ''}.`;
}
