/** What a tick found goes out of the outbox: stored with the windows that they rest on, recorded, told, in this order, each harmless when repeated. */
import type { Client } from '@temporalio/client';
import { WorkflowNotFoundError } from '@temporalio/common';
import type { Db } from 'mongodb';
import { modelWorkflowId } from '../../contracts/ids.js';
import type { Json, LedgerEntry } from '../../contracts/ledger.js';
import { monitorReported } from '../../contracts/messages.js';
import type { Finding, FindingNotice, MonitorReport } from '../../contracts/monitoring.js';
import { effect } from '../../fail-points/index.js';
import { canonicalHash, LedgerConflictError, type LedgerWriter } from '../../ledger/index.js';
import type { Detector, DetectorStore, FindingStore } from '../../platform/monitors/index.js';
import { citeWindows } from '../../platform/windows/cite.js';
import { SEVERITIES } from '../../statistics/monitor/types.js';

/** What one report holds of them; the rest is in the collection and in the ledger. */
const REPORTED_MOST = 20;

export interface Delivering {
  readonly db: Db;
  readonly client: Client;
  readonly ledger: LedgerWriter;
  readonly findings: FindingStore;
  readonly detectors: DetectorStore;
}

/**
 * Until it is noted that all of it is done, the next tick does it again, before it evaluates anything: so no report is lost, and none comes
 * after a later one. The model ignores findings that it knows.
 * @returns whether the model was told
 */
export async function deliver(deps: Delivering, detector: Detector): Promise<boolean> {
  const { _id: model, outbox } = detector;
  if (outbox === null) return false;
  await deps.findings.add(outbox.findings);
  const found = outbox.findings.filter(({ verdict }) => verdict === 'found');
  await keepEvidence(deps.db, found);
  for (const finding of found) await record(deps.ledger, finding);
  const isNews = found.length + outbox.cleared.length > 0;
  if (isNews) await tell(deps.client, model, reportOf(found, outbox.cleared));
  await deps.detectors.delivered(detector);
  return isNews;
}

/** The windows that findings rest on, once each: several findings are of one window. */
async function keepEvidence(db: Db, found: readonly Finding[]): Promise<void> {
  const stretches = new Map(found.map(({ model, window }) => [window.from + window.to, { model, window }]));
  for (const { model, window } of stretches.values())
    await citeWindows(db, { model, from: Date.parse(window.from), to: Date.parse(window.to) });
}

/** The same evidence that is on record in other words was found before what monitors carry was lost: it is on record. */
export const record = (ledger: LedgerWriter, finding: Finding): Promise<void> =>
  recordEntry(ledger, entryOf(finding));

/** Once: what is on record under this id in other words, of another time say, stays as it is. */
export async function recordEntry(ledger: LedgerWriter, entry: LedgerEntry): Promise<void> {
  try {
    await ledger.append([entry]);
  } catch (error) {
    if (!(error instanceof LedgerConflictError)) throw error;
  }
}

/** Names no shard: who evaluates a model may change between a try and its repeat. */
function entryOf(finding: Finding): LedgerEntry {
  const { id, model, version, kind, cause, severity, summary, rows, window, profile, onset, detectors } =
    finding;
  return {
    stream: model,
    id: `monitor/${id}`,
    action: 'monitor.found',
    actor: { kind: 'system', id: 'monitor' },
    subject: { finding: id, kind, cause, ...(version === null ? {} : { ...version }) },
    evidence: {
      finding: canonicalHash(finding),
      severity,
      summary,
      rows,
      window: { ...window },
      profile,
      onset: onset === null ? null : { ...onset },
      ...(detectors === undefined ? {} : { detectors: detectors.map((one) => ({ ...one })) }),
      features: finding.features as unknown as Json,
    },
    at: finding.detectedAt,
  };
}

export function reportOf(found: readonly Finding[], cleared: MonitorReport['cleared']): MonitorReport {
  const sorted = [...found].sort((a, b) => SEVERITIES.indexOf(b.severity) - SEVERITIES.indexOf(a.severity));
  return {
    findings: sorted
      .slice(0, REPORTED_MOST)
      .map(({ id, version, kind, cause, severity, summary, detectedAt, onset }): FindingNotice => ({
        id,
        version,
        kind,
        cause,
        severity,
        summary,
        detectedAt,
        onset: onset?.estimate ?? null,
      })),
    cleared,
  };
}

/** By the client: an external signal of the monitor's workflow would cost three events there, and the report in its history. */
async function tell(client: Client, model: string, report: MonitorReport): Promise<void> {
  try {
    await effect('monitor.report', () =>
      client.workflow.getHandle(modelWorkflowId(model)).signal(monitorReported, report),
    );
  } catch (error) {
    // A model that was retired meanwhile, or whose workflow is lost: the doctor sees to that, and the finding is on record.
    if (!(error instanceof WorkflowNotFoundError)) throw error;
  }
}
