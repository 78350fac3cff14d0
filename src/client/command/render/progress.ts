import type { LookResult } from '../../../contracts/canary.js';
import type { ReleaseView } from '../../../contracts/views.js';
import type { ReleaseSight } from '../../watch.js';
import { percent } from '../style.js';
import { gateInWords } from './release.js';

/** What a CI log should say of a release that was seen as `before` and is seen as `now`: a line per change, in plain words. */
export function progressLines(before: ReleaseSight | null, now: ReleaseSight): string[] {
  const was = before?.view ?? null;
  const { view } = now;
  const lines = [
    ...reachability(before, now),
    // What was passed, before where that led.
    ...(view === null ? [] : gates(was, view)),
    ...stage(before, now),
    ...(view === null
      ? []
      : [...step(was, view), ...verdict(was, view), ...people(was, view), ...holds(was, view)]),
  ];
  return lines.map((line) => `${now.model}, release ${now.release}: ${line}`);
}

function reachability(before: ReleaseSight | null, now: ReleaseSight): string[] {
  const was = before?.unreachable ?? null;
  if (now.unreachable !== null) return was === null ? [`not reachable: ${now.unreachable}`] : [];
  return was === null ? [] : ['reachable again'];
}

function stage(before: ReleaseSight | null, { stage, ended, view }: ReleaseSight): string[] {
  if (before?.stage === stage && before.ended === ended) return [];
  const reason = view?.reason ?? null;
  if (ended) return [`${stage}${reason === null ? '' : `: ${reason}`}`];
  return [view === null ? stage : `${stage}, waits for ${view.waitingFor}`];
}

function gates(was: ReleaseView | null, { validation }: ReleaseView): string[] {
  if (validation === null || (was?.validation ?? null) !== null) return [];
  const failed = validation.gates.filter(({ passed }) => !passed);
  const all = validation.gates.length;
  return [
    failed.length === 0 ? `all ${all} gates passed` : `${failed.length} of ${all} gates did not pass`,
    ...failed.map(({ gate, verdict, summary }) => `gate ${gate} ${verdict}: ${summary}`),
  ];
}

function step(was: ReleaseView | null, { canary }: ReleaseView): string[] {
  if (canary === null || was?.canary?.step === canary.step) return [];
  // What is sent lags behind the step until every gateway follows: a line that says 0 % would be of the step before.
  const { step, weights, weight } = canary;
  return [`step ${step + 1} of ${weights.length}, ${percent(weights[step] ?? weight)} of the keys`];
}

function verdict(was: ReleaseView | null, { canary }: ReleaseView): string[] {
  const look = canary?.verdict ?? null;
  const before = was?.canary?.verdict ?? null;
  const held = canary?.heldAs ?? null;
  return [
    ...(look === null || (before !== null && essence(before) === essence(look))
      ? []
      : [`look ${look.look}: ${look.sentence}`]),
    ...(held === null || was?.canary?.heldAs === held ? [] : [`held (${held}): a person must decide`]),
  ];
}

/** What is new in a look: further counts alone are not. */
const essence = ({ verdict, state, guardrails }: LookResult): string =>
  JSON.stringify([verdict, state, guardrails.map(({ breached, proven }) => [breached, proven])]);

function people(was: ReleaseView | null, { approval }: ReleaseView): string[] {
  if (approval === null) return [];
  const before = was?.approval?.gate === approval.gate ? was.approval : null;
  const given = approval.approvals.slice(before?.approvals.length ?? 0);
  return [
    ...(before === null
      ? [
          `approval ${gateInWords(approval.gate)} by ${approval.quorum} of ${approval.approvers.join(', ')}, until ${approval.expiresAt}`,
        ]
      : []),
    ...given.map(({ approver, reason }) => `approved by ${approver}: ${reason}`),
  ];
}

function holds(was: ReleaseView | null, { parked, hold, outcome }: ReleaseView): string[] {
  const known = was?.hold ?? null;
  const before = was?.parked ?? null;
  return [
    ...(parked !== null && before?.why !== parked.why
      ? [`parked: ${parked.what}: ${parked.why}; tried again at ${parked.retryAt}`]
      : []),
    ...(parked === null && before !== null ? ['goes on'] : []),
    ...(hold !== null && (known?.reason !== hold.reason || known.until !== hold.until)
      ? [`promotion is held back${hold.until === null ? '' : ` until ${hold.until}`}: ${hold.reason}`]
      : []),
    ...(hold === null && known !== null && outcome === null ? ['promotion is not held back any more'] : []),
  ];
}
