import type { IncidentReport, OpenIncident } from '../../contracts/incidents.js';
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
import { newer, release } from '../../lifecycle/model-state.js';
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
  if (report.stage === 'rolled-back') takenBack(context, report, before.version);
  if (report.stage === 'succeeded')
    context.update(cleared(context.state, ({ origin }) => origin === 'rolled-back', over(reason)));
  if (context.state.champion?.digest !== champion) endRevalidation(context);
}

const over = (reason: string) => ({ windows: null, reason, at: new Date().toISOString() });

/** Whatever a release could not do, it is over. */
export function endTroubles(context: ModelContext, number: number, reason: string): void {
  const isMeant = ({ origin, release: of }: OpenIncident): boolean =>
    of === number && (origin === 'failed-action' || origin === 'unverified');
  context.update(cleared(context.state, isMeant, over(reason)));
}

function takenBack(
  context: ModelContext,
  { release: number, reason, at }: ReleaseReport,
  version: string,
): void {
  const raised = raise(
    context.state,
    {
      origin: 'rolled-back',
      cause: `rolled-back/release-${number}`,
      severity: 'warning',
      title: `Release of ${version} rolled-back`,
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

/** Another champion, with a validation of its own. */
function endRevalidation(context: ModelContext): void {
  const reason = `${context.state.champion?.version ?? 'nothing'} serves now`;
  context.update(cleared(context.state, ({ cause }) => cause === REVALIDATION, over(reason)));
}

/** What an incident says of itself. A person who resolves the reminder of a revalidation has validated anew. */
export async function receiveIncidentReport(context: ModelContext, report: IncidentReport): Promise<void> {
  const { open } = incidentsOf(context.state);
  const known = open.find(({ incident }) => incident === report.incident);
  const next = applyIncidentReport(context.state, report);
  const isRevalidated =
    known?.cause === REVALIDATION && known.standing === 'open' && report.phase === 'resolved';
  const told = isRevalidated ? withIncidents(next, { revalidatedAt: new Date().toISOString() }) : next;
  context.update({ ...told, head: newer(told.head, report.head) });
  await context.tellHold(`incident ${report.incident} is ${report.phase}`);
}

/** An incident that people are reminded by, and the same one when it is due. */
export function remindOfRevalidation(
  context: ModelContext,
  { state, happening }: NonNullable<ReturnType<typeof revalidationNotice>>,
): void {
  const raised = raise(state, happening, Date.now());
  context.update(raised?.state ?? state);
}
