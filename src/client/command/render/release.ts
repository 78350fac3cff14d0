import type { GuardrailLook, LookResult } from '../../../contracts/canary.js';
import type { ApprovalView, ReleaseView } from '../../../contracts/views.js';
import type { ReleaseSight } from '../../watch.js';
import { count, figure, percent, shortDigest, type Style, table, time } from '../style.js';

/** A release as `release status` and `release watch` show it. */
export function releaseFrame(sight: ReleaseSight, style: Style): string {
  const { view, unreachable } = sight;
  const lost =
    unreachable === null ? [] : [style.red(`Not reachable, so this is as last seen: ${unreachable}`)];
  if (view === null) return [title(sight, style), stageLine(sight, style, ''), ...lost].join('\n');
  const blocks = [
    [title(sight, style), stageLine(sight, style, waitingFor(view)), ...lost, ...holds(view, style)],
    gates(view, style),
    canary(view, style),
    approval(view, style),
    [
      style.dim(
        `Artifact ${shortDigest(view.version.digest)} · submitted by ${view.submittedBy} at ${time(view.submittedAt)} · ` +
          `generation ${view.generation ?? '–'} · ledger event ${view.head.sequence}`,
      ),
    ],
  ];
  return blocks
    .filter((lines) => lines.length > 0)
    .map((lines) => lines.join('\n'))
    .join('\n\n');
}

function title({ model, release, view }: ReleaseSight, style: Style): string {
  const against =
    view === null ? '' : view.champion === null ? ' (first version)' : ` against ${view.champion.version}`;
  return style.bold(
    `${model}, release ${release}${view === null ? '' : `: ${view.version.version}${against}`}`,
  );
}

function stageLine({ stage, ended }: ReleaseSight, style: Style, waitingFor: string): string {
  const shown = stageIn(stage, style);
  if (stage === 'queued') return `${shown} · waits for the release before it to end`;
  if (ended || waitingFor === '') return shown;
  return `${shown} · waits for ${waitingFor}`;
}

/** Without the verdict, which stands below. */
const waitingFor = ({ waitingFor, canary }: ReleaseView): string =>
  waitingFor.replace(`: ${canary?.verdict?.sentence}`, '');

export function stageIn(stage: ReleaseSight['stage'], style: Style): string {
  if (stage === 'succeeded') return style.green(stage);
  return ['rejected', 'rolled-back', 'aborted'].includes(stage) ? style.red(stage) : style.cyan(stage);
}

function holds(view: ReleaseView, style: Style): string[] {
  const { reason, hold, parked, model, release } = view;
  return [
    ...(reason === null ? [] : [`Reason: ${reason}`]),
    ...(hold === null
      ? []
      : [
          style.yellow(
            `Promotion is held back${hold.until === null ? '' : ` until ${time(hold.until)}`}, rollback is not: ${hold.reason}`,
          ),
        ]),
    ...(parked === null
      ? []
      : [
          style.yellow(`Parked since ${time(parked.since)}: ${parked.what}: ${parked.why}`),
          `  It is tried again at ${time(parked.retryAt)}, or at once after \`tenure release retry ${model} ${release}\``,
        ]),
  ];
}

function gates({ validation }: ReleaseView, style: Style): string[] {
  if (validation === null) return [];
  const passed = validation.gates.filter((gate) => gate.passed).length;
  const head = `Gates: ${passed} of ${validation.gates.length} passed on ${count(validation.rows)} rows`;
  if (validation.passed) return [style.green(head)];
  const failed = validation.gates.filter((gate) => !gate.passed);
  const rows = failed.map(({ gate, verdict, summary }) => `  ${style.red(verdict)}  ${gate}: ${summary}`);
  return [style.red(head), ...rows];
}

function canary({ canary }: ReleaseView, style: Style): string[] {
  if (canary === null) return [];
  const { step, weights, weight, looks, verdict, heldAs } = canary;
  const plan = weights.map((each, i) => (i === step ? style.bold(percent(each)) : percent(each))).join(' → ');
  const head = `Canary: step ${step + 1} of ${weights.length}, ${percent(weight)} of the keys (${plan}), ${looks} look(s)`;
  const held = heldAs === null ? [] : [style.yellow(`Held (${heldAs}): a person must decide`)];
  return [head, ...held, ...(verdict === null ? [] : verdictTable(verdict, style))];
}

/** The verdict, and the evidence of each guardrail against what suffices. */
function verdictTable(look: LookResult, style: Style): string[] {
  const rows = look.guardrails.map((row) => [
    row.name,
    bad(row.candidate.firstBad, row.candidate.keys),
    bad(row.champion.firstBad, row.champion.keys),
    evidence(row.rollBack),
    evidence(row.promote),
    hardLimit(row),
    finding(row, style),
  ]);
  const head = ['guardrail', 'candidate bad', 'champion bad', 'to roll back', 'to promote', 'hard limit', ''];
  const { candidateKeys, keys, expectedCandidateKeys, violated } = look.sampleRatio;
  const split = `Split: ${count(candidateKeys)} of ${count(keys)} keys on the candidate, ${count(expectedCandidateKeys)} expected`;
  return [
    `Verdict: ${verdictIn(look, style)}`,
    '',
    table(style, head, rows),
    '',
    `Keys: ${count(look.keys)}, ${count(look.keysInStep)} in this step; next look at ${count(look.nextLookAt)}`,
    ...(look.proven ? [] : [stillNeeded(look)]),
    violated ? style.red(`${split}: not the configured split`) : split,
    ...look.problems.map((problem) => style.yellow(`Counts: ${problem}`)),
  ];
}

/** The sentence begins with the verdict. */
const verdictIn = ({ verdict, sentence }: LookResult, style: Style): string =>
  verdict === 'roll-back'
    ? style.red(sentence)
    : verdict === 'promote'
      ? style.green(sentence)
      : style.cyan(sentence);

function stillNeeded({ keysToProve, keysToProveIfEqual }: LookResult): string {
  const seen =
    keysToProve === null
      ? 'no number would do at the rates seen'
      : `about ${count(keysToProve)} at the rates seen`;
  const equal = keysToProveIfEqual === null ? '' : `; about ${count(keysToProveIfEqual)} if both are alike`;
  return `Keys still needed to prove: ${seen}${equal}`;
}

const bad = (events: number, keys: number): string =>
  `${count(events)} of ${count(keys)}${keys === 0 ? '' : ` (${percent(events / keys)})`}`;

const evidence = ({ lnE, threshold }: GuardrailLook['promote']): string =>
  `${figure(lnE)} of ${figure(threshold)}`;

function hardLimit({ hardLimit }: GuardrailLook): string {
  if (hardLimit === null) return '–';
  const { share, limit, tripped } = hardLimit;
  return `${share === null ? '–' : percent(share)} of ${percent(limit)}${tripped ? ' tripped' : ''}`;
}

function finding(row: GuardrailLook, style: Style): string {
  if (row.breached) return style.red('worse');
  if (row.proven) return style.green('proven');
  return row.keysToProve === null ? 'undecided' : `needs ${count(row.keysToProve)} keys`;
}

function approval(view: ReleaseView, style: Style): string[] {
  const { approval: open, model, release, decisions } = view;
  if (open === null || view.outcome !== null) return [];
  const refused = decisions.filter(({ accepted }) => !accepted).slice(-3);
  return [
    ...openApproval(open, style),
    `  Decide: tenure release approve|reject ${model} ${release} --as NAME --reason TEXT`,
    ...refused.map(({ reason }) => style.yellow(`  Refused before: ${reason ?? 'without a reason'}`)),
  ];
}

function openApproval(open: ApprovalView, style: Style): string[] {
  const { gate, quorum, approvals, approvers, requiredRoles, rejection, expiresAt } = open;
  return [
    style.bold(`Approval ${gateInWords(gate)}: ${approvals.length} of ${quorum}, until ${time(expiresAt)}`),
    `  May decide: ${approvers.join(', ')}`,
    ...(open.deadlock === undefined ? [] : [`  ${style.red(`Nobody can: ${open.deadlock}`)}`]),
    ...(requiredRoles.length === 0 ? [] : [`  Roles needed: ${requiredRoles.join(', ')}`]),
    ...approvals.map(
      ({ approver, reason, at }) => `  ${style.green('approved')} by ${approver} at ${time(at)}: ${reason}`,
    ),
    ...(rejection === null
      ? []
      : [
          `  ${style.red('rejected')} by ${rejection.approver} at ${time(rejection.at)}: ${rejection.reason}`,
        ]),
    `  Evidence ${shortDigest(open.evidenceHash)}, artifact ${shortDigest(open.digest)}`,
  ];
}

export const gateInWords = (gate: ApprovalView['gate']): string =>
  gate === 'beforeDeploy' ? 'before deployment' : 'before promotion';
