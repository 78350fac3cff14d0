import { patched, workflowInfo } from '@temporalio/workflow';
import type { IncidentReport, OpenIncident } from '../../contracts/incidents.js';
import type { VersionRef } from '../../contracts/model.js';
import type { ReleaseReport } from '../../contracts/views.js';
import {
  applyIncidentReport,
  cleared,
  incidentsOf,
  mitigated,
  raise,
  withIncidents,
} from '../../lifecycle/model-incidents.js';
import { applyReport } from '../../lifecycle/model-reports.js';
import { isRetiring, newer, release } from '../../lifecycle/model-state.js';
import { REVALIDATION, type revalidationNotice } from '../../lifecycle/revalidation.js';
import type { ModelContext } from './context.js';

/** What a release says of itself; that one was taken back is an incident, until a later one succeeds or a person says that it is over. */
export function receiveReleaseReport(context: ModelContext, report: ReleaseReport): void {
  const before = release(context.state, report.release);
  const champion = context.state.champion?.digest;
  context.update(applyReport(context.state, report));
  const after = release(context.state, report.release);
  if (before === undefined || before.endedAt !== null || after?.endedAt == null) {
    if (context.state.champion?.digest !== champion) endRevalidation(context);
    return;
  }
  const reason = `release ${report.release} ended ${report.stage}`;
  endTroubles(context, report.release, reason);
  const wasServing = champion === before.digest;
  if (report.stage === 'rolled-back')
    takenBack(context, { ...report, title: `Release of ${before.version} rolled-back` });
  else if (report.stage === 'aborted' && wasServing) abortedInProduction(context, report, before.version);
  if (report.stage === 'succeeded') {
    context.update(cleared(context.state, ({ origin }) => origin === 'rolled-back', over(reason)));
    rollBackIsOver(context);
  }
  if (context.state.champion?.digest !== champion) endRevalidation(context);
}

const over = (reason: string) => ({ windows: null, reason, at: new Date().toISOString() });

/** Whatever a release could not do, it is over. */
export function endTroubles(context: ModelContext, number: number, reason: string): void {
  const isMeant = ({ origin, release: of }: OpenIncident): boolean =>
    of === number && (origin === 'failed-action' || origin === 'unverified');
  context.update(cleared(context.state, isMeant, over(reason)));
}

/** Users are on another version, or on none: it is mitigated from the start. */
function takenBack(
  context: ModelContext,
  {
    release: number,
    title,
    reason,
    at,
  }: Pick<ReleaseReport, 'release' | 'reason' | 'at'> & { readonly title: string },
): void {
  const raised = raise(
    context.state,
    {
      origin: 'rolled-back',
      cause: `rolled-back/release-${number}`,
      severity: 'warning',
      title,
      text: reason ?? 'without a reason',
      findings: [],
      release: number,
      onset: null,
      detectedAt: at,
      holds: false,
    },
    Date.now(),
  );
  if (raised === null) return;
  const { champion } = context.state;
  const how = champion === null ? 'nothing serves' : `back on ${champion.version}`;
  context.update(mitigated(raised.state, [raised.incident], how, Date.now()));
}

/** Versions of the code from before it told of these by an alert, or not at all. */
const OUT_OF_PRODUCTION = 'what-leaves-production-is-an-incident';

/** A version that had been promoted was aborted; of a finding that asked for it, and of the end of the model, people hear otherwise. */
function abortedInProduction(context: ModelContext, report: ReleaseReport, version: string): void {
  const byFinding = context.state.pending.some(
    (act) => act.kind === 'roll-back' && act.finding !== undefined,
  );
  if (byFinding || isRetiring(context.state) || !patched(OUT_OF_PRODUCTION)) return;
  takenBack(context, { ...report, title: `Release of ${version} aborted in production` });
}

/** The workflow of a release was ended by hand, and could take nothing back itself. */
export function lostRelease(context: ModelContext, number: number, reason: string): void {
  const version = release(context.state, number)?.version ?? 'a version';
  if (!patched(OUT_OF_PRODUCTION)) return;
  const at = new Date().toISOString();
  takenBack(context, { release: number, title: `Release of ${version} ended without a word`, reason, at });
}

/** An operator put a former version in production. @param from what served before */
export function rolledBackByHand(
  context: ModelContext,
  from: VersionRef | null,
  { by, reason }: { readonly by: string; readonly reason: string },
): void {
  const number = context.state.champions.find(({ digest }) => digest === from?.digest)?.release;
  if (from === null || number === undefined || !patched(OUT_OF_PRODUCTION)) return;
  const at = new Date().toISOString();
  takenBack(context, { release: number, title: `${from.version} was rolled back by ${by}`, reason, at });
}

const ROLL_BACK = 'roll back';

/** People must know that what they, or the policy, wanted to get rid of goes on serving. */
export function rollBackFailed(
  { parking, state }: ModelContext,
  { to, reason, requestId }: { readonly to: VersionRef; readonly reason: string; readonly requestId: string },
): void {
  if (!patched('a-failed-rollback-is-told')) return;
  parking.begin({
    origin: 'failed-action',
    what: ROLL_BACK,
    severity: 'critical',
    title: `Rollback to ${to.version} failed: the version cannot be loaded`,
    text: `${state.champion?.version ?? 'Nothing'} goes on serving. Put another version in its place. The rollback was asked for because: ${reason}`,
    key: `${workflowInfo().workflowId}/${requestId}/rollback-failed`,
  });
}

/** What was to be got rid of serves no more. */
export function rollBackIsOver({ parking }: ModelContext): void {
  parking.end('failed-action', ROLL_BACK);
}

const TRAINING = 'train a challenger';

/** The champion stays as it is, which nobody would notice. */
export function trainingFailed({ parking }: ModelContext, retraining: string, reason: string): void {
  if (!patched('a-failed-retraining-is-told')) return;
  parking.begin({
    origin: 'failed-action',
    what: TRAINING,
    severity: 'warning',
    title: 'A retraining failed',
    text: `${retraining}: ${reason}`,
    key: `${retraining}/failed`,
  });
}

/** A later one did not fail. */
export function trainingWorked({ parking }: ModelContext): void {
  parking.end('failed-action', TRAINING);
}

/** Another champion, with a validation of its own. */
function endRevalidation(context: ModelContext): void {
  const reason = `${context.state.champion?.version ?? 'nothing'} serves now`;
  context.update(cleared(context.state, ({ cause }) => cause === REVALIDATION, over(reason)));
}

/** What an incident says of itself. A person who resolves the reminder of a revalidation has validated anew. */
export async function receiveIncidentReport(context: ModelContext, report: IncidentReport): Promise<void> {
  const before = incidentsOf(context.state);
  const known = before.open.find(({ incident }) => incident === report.incident);
  const next = applyIncidentReport(context.state, report);
  const anew = validatedAnew(report, known);
  const told =
    anew === null ? next : withIncidents(next, { revalidatedAt: later(before.revalidatedAt, anew) });
  context.update({ ...told, head: newer(told.head, report.head) });
  await context.tellHold(`incident ${report.incident} is ${report.phase}`);
}

/**
 * When a person said so, as it is on record. A run that was reset may hear of it before it has opened the incident once more, so this
 * rests on the report alone; only those of before it said who resolved it are compared with what the model knows.
 */
function validatedAnew(
  { cause, phase, resolvedAt = null, byPerson }: IncidentReport,
  known: OpenIncident | undefined,
): string | null {
  if (cause !== REVALIDATION || phase !== 'resolved') return null;
  const isByPerson = byPerson ?? (known?.cause === REVALIDATION && known.standing === 'open');
  return isByPerson ? (resolvedAt ?? new Date().toISOString()) : null;
}

const later = (one: string | null, other: string): string =>
  one === null || Date.parse(one) < Date.parse(other) ? other : one;

/** An incident that people are reminded by, and the same one when it is due. */
export function remindOfRevalidation(
  context: ModelContext,
  { state, happening }: NonNullable<ReturnType<typeof revalidationNotice>>,
): void {
  const raised = raise(state, happening, Date.now());
  context.update(raised?.state ?? state);
}
