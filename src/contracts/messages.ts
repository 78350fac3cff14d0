import { defineQuery, defineSignal, defineUpdate } from '@temporalio/workflow';
import type { Answer } from './activities.js';
import type { ApprovalDecision, DecisionOutcome } from './approvals.js';
import type { Manifest } from './manifest.js';
import type { ReconcileRequestFields } from './doctor.js';
import type {
  IncidentAct,
  IncidentClearance,
  IncidentMitigation,
  IncidentRepeat,
  IncidentReport,
  IncidentView,
  Trouble,
} from './incidents.js';
import type { Lineage, VersionRecord } from './model.js';
import type { MonitorReport } from './monitoring.js';
import type { RetrainingReport } from './retraining.js';
import type { ModelView, ReleaseReport, ReleaseView, RetrainingStanding } from './views.js';

/** Every message that changes something says who sent it and carries an id of its own: the same id again is the same message. */
export interface Request {
  readonly requestId: string;
  readonly actor: string;
}

export interface ApplyManifestRequest extends Request {
  readonly manifest: Manifest;
}

export interface RegisterVersionRequest extends Request {
  readonly version: string;
  readonly digest: string;
  readonly lineage: Lineage;
}

export interface SubmitReleaseRequest extends Request {
  readonly version: string;
  /** Replaces a queued release, and one in flight that has not started its canary. */
  readonly supersede: boolean;
}

export interface RollBackRequest extends Request {
  /** A former champion; the newest one when absent. */
  readonly to?: string;
  readonly reason: string;
}

export interface FreezeRequest extends Request {
  readonly reason: string;
  /** ISO 8601; frozen until unfrozen when absent. */
  readonly until?: string;
}

/** `until`: ISO 8601, null for one that somebody must end; absent when it is over, and from older workers. */
export interface FreezeChange {
  readonly frozen: boolean;
  readonly reason: string;
  readonly until?: string | null;
}

export interface ReasonedRequest extends Request {
  readonly reason: string;
}

export interface AbortRequest extends ReasonedRequest {
  readonly release: number;
}

/** A person's act on an incident. */
export interface IncidentRequest extends ReasonedRequest {
  readonly act: IncidentAct;
}

/** From the doctor: the parts were found to disagree, and the model is to set its routing table again. */
export interface ReconcileRequest extends Request, ReconcileRequestFields {}

// modelLifecycle
export const applyManifest = defineUpdate<Answer<{ revision: number }>, [ApplyManifestRequest]>(
  'applyManifest',
);
export const registerVersion = defineUpdate<Answer<{ record: VersionRecord }>, [RegisterVersionRequest]>(
  'registerVersion',
);
export const submitRelease = defineUpdate<
  Answer<{ release: number; queued: boolean }>,
  [SubmitReleaseRequest]
>('submitRelease');
export const rollBackModel = defineUpdate<Answer<{ to: string }>, [RollBackRequest]>('rollBackModel');
export const freezeModel = defineUpdate<Answer<object>, [FreezeRequest]>('freezeModel');
export const unfreezeModel = defineUpdate<Answer<object>, [ReasonedRequest]>('unfreezeModel');
export const retireModel = defineUpdate<Answer<object>, [ReasonedRequest]>('retireModel');
/** Ends a release that is queued or in flight. */
export const abortQueued = defineUpdate<Answer<object>, [AbortRequest]>('abortQueued');
export const reconcileModel = defineUpdate<Answer<object>, [ReconcileRequest]>('reconcileModel');
/** Trains a challenger now, if nothing stands against it. */
export const retrainModel = defineUpdate<Answer<{ retraining: number }>, [ReasonedRequest]>('retrainModel');
/** From a retraining to its model. */
export const retrainingReported = defineSignal<[RetrainingReport]>('retrainingReported');
export const modelState = defineQuery<ModelView>('modelState');
/** From a release to its model: children report by signal, since a parent that continued as new no longer sees their end. */
export const releaseReported = defineSignal<[ReleaseReport]>('releaseReported');
/** From a release to its model: an act of it fails, or does no more. */
export const troubleReported = defineSignal<[Trouble]>('troubleReported');
/** From a monitor to a model: it may come again, and the model ignores findings that it knows. */
export const monitorReported = defineSignal<[MonitorReport]>('monitorReported');

// modelRetraining
/** From its model, which has continued as new: whether it still runs. */
export const modelContinues = defineSignal('modelContinues');

// modelRelease
export const approvalDecision = defineSignal<[ApprovalDecision]>('approvalDecision');
export const decideApproval = defineUpdate<DecisionOutcome, [ApprovalDecision]>('decideApproval');
export const abortRelease = defineSignal<[ReasonedRequest]>('abortRelease');
/** The same, answered; it gets through when the server takes no more signals. */
export const abortReleaseNow = defineUpdate<Answer<object>, [ReasonedRequest]>('abortReleaseNow');
/** Try again what is parked. */
export const retryParked = defineSignal<[Request]>('retryParked');
/** From the model to its release in flight. */
export const freezeChanged = defineSignal<[FreezeChange]>('freezeChanged');
export const releaseState = defineQuery<ReleaseView>('releaseState');

// incident
/** From a person, pasted into the Temporal UI; an acknowledgement needs no more than who it is. */
export const acknowledgeIncident = defineSignal<[Partial<ReasonedRequest>]>('acknowledgeIncident');
/** The same for a resolution and for the report of a serious incident: these need a reason. */
export const resolveIncident = defineSignal<[Partial<ReasonedRequest>]>('resolveIncident');
export const reportIncident = defineSignal<[Partial<ReasonedRequest>]>('reportIncident');
/** Any of them, answered. */
export const actOnIncident = defineUpdate<Answer<{ phase: IncidentView['phase'] }>, [IncidentRequest]>(
  'actOnIncident',
);
/** From the model. */
export const incidentRepeated = defineSignal<[IncidentRepeat]>('incidentRepeated');
export const incidentMitigated = defineSignal<[IncidentMitigation]>('incidentMitigated');
export const incidentCleared = defineSignal<[IncidentClearance]>('incidentCleared');
export const retrainingState = defineQuery<RetrainingStanding>('retrainingState');
export const incidentState = defineQuery<IncidentView>('incidentState');
/** From an incident to its model. */
export const incidentReported = defineSignal<[IncidentReport]>('incidentReported');
