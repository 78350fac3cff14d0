import type { LookResult } from '../contracts/canary.js';
import type { ModelView, ReleaseView } from '../contracts/views.js';
import { gateInWords } from './approvals.js';
import { rollBackReason } from './canary-plan.js';
import { inWords } from './freezing.js';
import { tableLines } from './markdown.js';

/** Markdown for the Temporal UI: where a release stands, on what evidence, and what to send to go on. */
export function releaseDetails(view: ReleaseView, now: number): string {
  const { version, champion, stage, release, model } = view;
  const lines = [
    `## ${model}, release ${release}: ${version.version}${champion === null ? ' (first version)' : ` against ${champion.version}`}`,
    '',
    `**${stage}** · waits for: ${view.waitingFor}`,
    ...(view.reason === null ? [] : ['', `Reason: ${view.reason}`]),
    ...(view.hold === null
      ? []
      : ['', `Promotion is **held back** (${inWords(view.hold)}); rollback is not.`]),
    ...parkedLines(view),
    ...canaryLines(view),
    ...approvalLines(view),
    ...gateLines(view),
    '',
    `Artifact \`${version.digest}\` · submitted by ${view.submittedBy} · generation ${view.generation ?? '–'} · ledger event ${view.head.sequence} · ${new Date(now).toISOString()}`,
  ];
  return lines.join('\n');
}

function parkedLines({ parked }: ReleaseView): string[] {
  if (parked === null) return [];
  return [
    '',
    `**Parked**: ${parked.what}: ${parked.why}`,
    '',
    `It is tried again at ${parked.retryAt}, or at once after the signal \`retryParked\` with \`{"requestId":"…","actor":"…"}\`.`,
  ];
}

function canaryLines({ canary, reason }: ReleaseView): string[] {
  if (canary === null) return [];
  const { step, weights, weight, looks, verdict, heldAs } = canary;
  const head = `### Canary: step ${step + 1} of ${weights.length}, ${percent(weight)} (${weights.map(percent).join(' → ')}), ${looks} ${looks === 1 ? 'look' : 'looks'}`;
  const held = heldAs === null ? [] : ['', `**Held (${heldAs})**: a person must decide.`];
  return ['', head, ...held, ...(verdict === null ? [] : verdictLines(verdict, reason))];
}

/** @param said above already, why the release ended */
function verdictLines(look: LookResult, said: string | null): string[] {
  const rows = look.guardrails.map((row) => {
    const { candidate, champion, rollBack, promote } = row;
    const state = row.breached ? 'worse' : row.proven ? 'proven' : need(row.keysToProve);
    return [
      row.name,
      share(candidate.firstBad, candidate.keys),
      share(champion.firstBad, champion.keys),
      `${figure(rollBack.lnE)} / ${figure(rollBack.threshold)}`,
      `${figure(promote.lnE)} / ${figure(promote.threshold)}`,
      state,
    ];
  });
  return [
    '',
    `Verdict: **${look.verdict}**${rollBackReason(look) === said ? '' : `. ${look.sentence}`}`,
    '',
    ...tableLines(
      [
        'guardrail',
        'candidate: bad keys',
        'champion: bad keys',
        'evidence to roll back',
        'evidence to promote',
        'state',
      ],
      rows,
    ),
    '',
    `Split: ${look.sampleRatio.candidateKeys} of ${look.sampleRatio.keys} keys on the candidate, ${Math.round(look.sampleRatio.expectedCandidateKeys)} expected${look.sampleRatio.violated ? ': **not the configured split**' : ''}. Next look at ${look.nextLookAt} keys.`,
  ];
}

const need = (keys: number | null): string => (keys === null ? 'undecided' : `needs about ${keys} more keys`);
const percent = (weight: number): string => `${Math.round(weight * 10_000) / 100} %`;
const share = (bad: number, total: number): string =>
  `${bad} of ${total}${total === 0 ? '' : ` (${Math.round((bad / total) * 10_000) / 100} %)`}`;
const figure = (value: number): string => value.toFixed(2);

function approvalLines({ approval, stage, release, model }: ReleaseView): string[] {
  if (approval === null || stage !== 'awaiting-approval') return [];
  const example = {
    requestId: `${model}-${release}-${approval.gate}-${approval.evidenceHash.slice(0, 8)}`,
    gate: approval.gate,
    decision: 'approve',
    approver: 'YOUR NAME',
    reason: 'WHY',
    digest: approval.digest,
    evidenceHash: approval.evidenceHash,
  };
  const given = approval.approvals.map(({ approver, reason, at }) => `- ${approver} at ${at}: ${reason}`);
  return [
    '',
    `### Approval ${gateInWords(approval.gate)}: ${approval.approvals.length} of ${approval.quorum}, until ${approval.expiresAt}`,
    '',
    `May decide: ${approval.approvers.join(', ')}${approval.requiredRoles.length === 0 ? '' : ` · roles needed: ${approval.requiredRoles.join(', ')}`}`,
    ...(approval.deadlock === undefined ? [] : ['', `**Nobody can decide**: ${approval.deadlock}`]),
    // Without the blank line the Temporal UI takes the list for more of the sentence above.
    ...(given.length === 0 ? [] : ['', ...given]),
    '',
    'To decide, send the signal `approvalDecision` with',
    '',
    '```json',
    JSON.stringify(example, null, 2),
    '```',
  ];
}

function gateLines({ validation }: ReleaseView): string[] {
  if (validation === null) return [];
  const rows = validation.gates.map(({ gate, verdict, summary }) => [gate, verdict, summary]);
  return [
    '',
    `### Gates: ${validation.passed ? 'passed' : 'not passed'} on ${validation.rows} rows`,
    '',
    ...tableLines(['gate', 'verdict', 'what was seen'], rows),
  ];
}

/** Markdown for the Temporal UI: what a model is doing. */
export function modelDetails(view: ModelView): string {
  const { model, manifest, champion, health, warm, queue, inFlight, freeze } = view;
  const releases = view.releases
    .slice(0, 10)
    .map(({ release, version, stage, submittedBy, reason }) => [
      String(release),
      version,
      stage,
      submittedBy,
      reason ?? '',
    ]);
  return [
    `## ${model}: ${champion === null ? 'nothing serves' : `${champion.version} serves`}`,
    '',
    `**${health}** · waits for: ${view.waitingFor}`,
    ...(freeze === null
      ? []
      : [
          '',
          `Frozen by ${freeze.by}${freeze.until === null ? '' : ` until ${freeze.until}`}: ${freeze.reason}`,
        ]),
    '',
    `${manifest.purpose} · team ${manifest.team} · owner ${manifest.owner} · risk tier ${manifest.riskTier}`,
    '',
    `In flight: ${inFlight ?? 'none'} · queued: ${queue.length === 0 ? 'none' : queue.join(', ')} · warm: ${warm.map((kept) => `${kept.version} until ${kept.until}`).join(', ') || 'none'}`,
    '',
    ...tableLines(['release', 'version', 'stage', 'submitted by', 'reason'], releases),
    ...incidentLines(view),
    ...retrainingLines(view),
    '',
    `Generation ${view.generation ?? '–'} · ledger event ${view.head.sequence}`,
  ].join('\n');
}

function retrainingLines({ retraining }: ModelView): string[] {
  if (retraining == null) return [];
  const { running, last, heldBack } = retraining;
  const lines = [
    ...(running === null ? [] : [`Retraining ${running.retraining} runs, by ${running.trigger}`]),
    ...(last === null
      ? []
      : [
          `Retraining ${last.retraining} ended ${last.outcome}${last.reason === null ? '' : `: ${last.reason}`}`,
        ]),
    ...(heldBack === null
      ? []
      : [`Held back at ${heldBack.at}: a retraining by ${heldBack.trigger}: ${heldBack.reason}`]),
  ];
  return lines.flatMap((line) => ['', line]);
}

function incidentLines({
  incidents = [],
  heldBack = [],
  hold = null,
  freeze,
  revalidationDue,
}: ModelView): string[] {
  const rows = incidents.map(({ incident, severity, standing, title, openedAt }) => [
    String(incident),
    severity,
    standing,
    openedAt,
    title,
  ]);
  const held = heldBack.map(
    ({ action, reason, finding, at }) => `- ${at}: ${action}: ${reason} (\`${finding}\`)`,
  );
  return [
    ...(hold === null || freeze !== null
      ? []
      : ['', `Promotion is **held back** (${hold.reason}); rollback is not.`]),
    ...(rows.length === 0
      ? []
      : ['', ...tableLines(['incident', 'severity', 'state', 'opened', 'title'], rows)]),
    ...(held.length === 0 ? [] : ['', '### Asked for by findings, and not done', '', ...held]),
    ...(revalidationDue == null ? [] : ['', `Validation due again: ${revalidationDue}`]),
  ];
}
