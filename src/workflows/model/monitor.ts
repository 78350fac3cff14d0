import { patched, workflowInfo } from '@temporalio/workflow';
import type { MonitorReport } from '../../contracts/monitoring.js';
import { system } from '../../lifecycle/entries.js';
import { cleared, holdBack, raise, rememberDecided } from '../../lifecycle/model-incidents.js';
import { isRetiring } from '../../lifecycle/model-state.js';
import {
  decidePolicy,
  policyBasis,
  type HeldBackAction,
  type PolicyDecision,
} from '../../lifecycle/policy.js';
import { waitNoMore } from '../../lifecycle/waiting-findings.js';
import { askByFindings } from './retraining-requests.js';
import type { ModelContext } from './context.js';

/**
 * Does what the manifest's policy says of new findings: incidents, one change of traffic at most, or a retraining; and resolves the
 * incidents whose cause is gone. The decision is kept before anything is waited for.
 */
export async function receiveMonitorReport(
  context: ModelContext,
  { findings, cleared: gone }: MonitorReport,
): Promise<void> {
  const basis = policyBasis(context.state, Date.now());
  if (basis === null || isRetiring(context.state)) return;
  for (const { cause, windows, at } of gone) {
    const clearance = { windows, reason: `gone for ${windows} windows`, at };
    context.update(
      waitNoMore(
        cleared(context.state, (open) => open.cause === cause, clearance),
        (finding) => finding.cause === cause,
      ),
    );
  }
  const decision = decidePolicy(basis, findings);
  context.update(rememberDecided(context.state, decision.fresh));
  const opened = openIncidents(context, decision);
  for (const held of decision.heldBack)
    keepHeldBack(
      context,
      held,
      decision.retrain.some(({ finding }) => finding === held.finding),
    );
  if (decision.change !== null) await changeTraffic(context, decision.change, opened);
  await context.tellHold('findings of the monitor');
  const by = workflowInfo().workflowId;
  const [first, ...others] = decision.retrain.map(({ finding: { id, cause, onset }, reason }) => ({
    finding: id,
    cause,
    onset,
    by,
    reason,
  }));
  if (first !== undefined) await askByFindings(context, first, others);
}

function openIncidents(context: ModelContext, { incidents }: PolicyDecision): ReadonlyMap<string, number> {
  const opened = new Map<string, number>();
  const [current] = context.state.champions;
  for (const { finding, holds, retrains } of incidents) {
    const { id, kind, cause, severity, summary, onset, detectedAt, version } = finding;
    const origin = kind === 'monitor-silent' ? ('monitor-silent' as const) : ('finding' as const);
    const raised = raise(
      context.state,
      {
        origin,
        cause,
        severity,
        title: summary.slice(0, 200),
        text: `${kind}${version === null ? '' : ` of ${version.version}`}: ${summary}`,
        findings: [id],
        // The release that brought the version that the finding is about.
        release:
          current !== undefined && version !== null && current.digest === version.digest
            ? current.release
            : null,
        onset,
        detectedAt,
        holds,
        // Of before, what was trained for a finding was held back by it.
        retrains: holds && retrains && patched('the-cure-is-not-held-back'),
      },
      Date.now(),
    );
    if (raised === null) continue;
    context.update(raised.state);
    opened.set(id, raised.incident);
  }
  return opened;
}

/** As an operator's rollback: a release in flight stands between, and is ended first. */
async function changeTraffic(
  context: ModelContext,
  { action, to, finding, reason }: NonNullable<PolicyDecision['change']>,
  opened: ReadonlyMap<string, number>,
): Promise<void> {
  const by = workflowInfo().workflowId;
  const incident = opened.get(finding.id);
  const requestId = `policy/${finding.id}`;
  const why = `${finding.summary}; ${reason}`.slice(0, 1000);
  const act = {
    kind: 'roll-back' as const,
    to,
    by,
    reason: why,
    requestId,
    at: null,
    finding: finding.id,
    ...(incident === undefined ? {} : { incident }),
  };
  context.update({ ...context.state, pending: [...context.state.pending, act] });
  context.recorder.add(
    context.entry(
      `${by}/request/${requestId}`,
      'model.rollback-requested',
      { ...to },
      { reason: why, action, finding: finding.id, incident: incident ?? null },
      system(by),
    ),
  );
  await context.abortInFlight(by, `${action} to ${to.version}: ${why}`, requestId);
}

/** @param waits it goes on asking: its cause is on record, since a lifecycle that is made again must know when to ask no more */
function keepHeldBack(
  context: ModelContext,
  { finding, action, reason }: HeldBackAction,
  waits: boolean,
): void {
  const at = new Date().toISOString();
  const held = holdBack(context.state, { action, finding: finding.id, reason, at }, finding.cause);
  context.update(held.state);
  if (!held.isNews) return;
  const id = `${workflowInfo().workflowId}/held-back/${action}/${finding.id}`;
  const { cause, onset } = finding;
  const since = waits ? { cause, ...(onset === null ? {} : { onset }) } : {};
  const evidence = { trigger: 'finding', action, reason, finding: finding.id, ...since };
  context.recorder.add(
    context.entry(id, action === 'retrain' ? 'retraining.held-back' : 'model.action-held-back', {}, evidence),
  );
}
