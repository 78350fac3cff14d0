import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { type WorkflowHandle, WithStartWorkflowOperation } from '@temporalio/client';
import type { Answer } from '../contracts/activities.js';
import type { ApprovalDecision, ApprovalGate, DecisionOutcome } from '../contracts/approvals.js';
import type { DoctorRoundInput, DoctorRoundResult } from '../contracts/doctor.js';
import type { Manifest } from '../contracts/manifest.js';
import {
  abortQueued,
  abortRelease,
  abortReleaseNow,
  applyManifest,
  approvalDecision,
  decideApproval,
  freezeModel,
  modelState,
  registerVersion,
  releaseState,
  retireModel,
  retrainModel,
  retryParked,
  rollBackModel,
  submitRelease,
  unfreezeModel,
  type ReasonedRequest,
  type Request,
} from '../contracts/messages.js';
import type { Lineage, ReleaseOutcome, VersionRecord } from '../contracts/model.js';
import {
  TenureHealth,
  TenureModel,
  TenureOwner,
  TenureRiskTier,
  TenureVersion,
} from '../contracts/search-attributes.js';
import { lifecycleStart } from '../contracts/starting.js';
import type { ModelView, ReleaseView } from '../contracts/views.js';
import { absence, isOver } from './absence.js';
import { explain, isFlooded, TenureError } from './errors.js';

import { connect, type TenureOptions } from './link.js';
import { Retrainings } from './retrainings.js';
import { lastScheduledRound, runRound } from './rounds.js';

/** A row of the list of models, from Temporal's visibility store: may lag behind by a second or two. */
export interface ModelRow {
  readonly model: string;
  readonly version: string;
  readonly health: string;
  readonly riskTier: string;
  readonly owner: string;
}

export interface Decision {
  readonly decision: ApprovalDecision['decision'];
  readonly approver: string;
  readonly reason: string;
  readonly requestId?: string;
  /** What the approver saw; what the release shows now when absent. */
  readonly digest?: string;
  readonly evidenceHash?: string;
  readonly gate?: ApprovalGate;
}

/** Before a decision that was not weighed yet is sent again. */
const AGAIN_MS = 500;

/** Models, releases, incidents and retrainings, through Temporal. Each call may be repeated with the same `requestId`: it then acts once. */
export class Tenure extends Retrainings {
  /** @throws TenureError `unreachable` */
  static async connect(options: TenureOptions): Promise<Tenure> {
    return new Tenure(await connect(options), options);
  }

  /** Starts the model's lifecycle if it has none, and gives it the manifest. `validation.dataDigest` must be filled. */
  async applyManifest(
    manifest: Manifest,
    request: Partial<Request> = {},
  ): Promise<{ readonly revision: number }> {
    const { name } = manifest;
    // One each time that it is sent: it can be used once.
    const start = () =>
      new WithStartWorkflowOperation('modelLifecycle', {
        ...lifecycleStart(manifest, this.options.taskQueue),
        workflowIdConflictPolicy: 'USE_EXISTING',
        args: [{ manifest }],
      });
    const sent = { ...this.request(request), manifest };
    const answer = await this.patiently(name, () =>
      this.client.workflow.executeUpdateWithStart(applyManifest, {
        startWorkflowOperation: start(),
        updateId: sent.requestId,
        args: [sent],
      }),
    );
    return accepted(answer);
  }

  /** Registers an artifact that is in the artifact store. The worker reads, checks and loads it. */
  async registerVersion(
    model: string,
    version: { readonly version: string; readonly digest: string; readonly lineage?: Lineage },
    request: Partial<Request> = {},
  ): Promise<VersionRecord> {
    const { record } = accepted(
      await this.update(model, registerVersion, { ...this.request(request), lineage: {}, ...version }),
    );
    return record;
  }

  /** @returns the number of the release; `queued` when another one is in flight */
  async submitRelease(
    model: string,
    version: string,
    options: Partial<Request> & { readonly supersede?: boolean } = {},
  ): Promise<{ readonly release: number; readonly queued: boolean }> {
    const { supersede = false, ...request } = options;
    return accepted(
      await this.update(model, submitRelease, { ...this.request(request), version, supersede }),
    );
  }

  async rollBack(
    model: string,
    options: Partial<Request> & { readonly to?: string; readonly reason: string },
  ): Promise<{ readonly to: string }> {
    return accepted(await this.update(model, rollBackModel, { ...options, ...this.request(options) }));
  }

  async freeze(
    model: string,
    options: Partial<Request> & { readonly reason: string; readonly until?: string },
  ): Promise<void> {
    accepted(await this.update(model, freezeModel, { ...options, ...this.request(options) }));
  }

  async unfreeze(model: string, options: Partial<Request> & { readonly reason: string }): Promise<void> {
    accepted(await this.update(model, unfreezeModel, { ...options, ...this.request(options) }));
  }

  /**
   * Trains a challenger now.
   * @returns the number of the retraining
   * @throws TenureError `refused` with what holds it back: cooldown, budget, too few labels …
   */
  async retrain(model: string, options: Partial<Request> & { readonly reason: string }): Promise<number> {
    const answer = await this.update(model, retrainModel, { ...options, ...this.request(options) });
    return accepted(answer).retraining;
  }

  async retire(model: string, options: Partial<Request> & { readonly reason: string }): Promise<void> {
    accepted(await this.update(model, retireModel, { ...options, ...this.request(options) }));
  }

  /** @throws TenureError `not-found` */
  model(model: string): Promise<ModelView> {
    return this.patiently(model, () => this.modelHandle(model).query(modelState));
  }

  async listModels(): Promise<readonly ModelRow[]> {
    const rows: ModelRow[] = [];
    const query = `WorkflowType = 'modelLifecycle' AND ExecutionStatus = 'Running'`;
    try {
      for await (const { workflowId, typedSearchAttributes: found } of this.client.workflow.list({ query }))
        rows.push({
          model: found.get(TenureModel) ?? workflowId.replace(/^model:/, ''),
          version: found.get(TenureVersion) ?? 'none',
          health: found.get(TenureHealth) ?? 'unknown',
          riskTier: found.get(TenureRiskTier) ?? 'unknown',
          owner: found.get(TenureOwner) ?? 'unknown',
        });
    } catch (error) {
      throw explain(error, 'the list of models is not there');
    }
    return rows.sort((a, b) => a.model.localeCompare(b.model));
  }

  /** @throws TenureError `not-found` */
  release(model: string, release: number): Promise<ReleaseView> {
    return this.#onRelease(model, release, (handle) => handle.query(releaseState));
  }

  /** The release in flight, else the newest one. */
  async currentRelease(model: string): Promise<number> {
    const { inFlight, releases } = await this.model(model);
    const release = inFlight ?? releases[0]?.release;
    if (release === undefined)
      throw new TenureError('not-found', `model ${model} has no release: start one first`);
    return release;
  }

  /**
   * Sends a decision on what the release is waiting for, bound to the artifact and the evidence that are shown now, and waits for
   * the answer.
   * @throws TenureError `refused` with the reason, which is also on the record
   */
  async decide(model: string, release: number, decision: Decision): Promise<DecisionOutcome> {
    const { sent, known } = await this.#bind(model, release, decision);
    const outcome = known ?? (await this.#decide(model, release, sent));
    if (!outcome.accepted) throw new TenureError('refused', outcome.reason ?? 'refused without a reason');
    return outcome;
  }

  /** A release that is flooded, or just goes over to a new run, says that it has not weighed the decision yet: it is sent again. */
  async #decide(model: string, release: number, sent: ApprovalDecision): Promise<DecisionOutcome> {
    const end = performance.now() + this.patienceMs;
    for (let attempt = 1; ; attempt += 1) {
      // Within one run the same update id gets the same answer.
      const updateId = attempt === 1 ? sent.requestId : `${sent.requestId}/${attempt}`;
      const outcome = await this.#onRelease(model, release, (handle) =>
        handle.executeUpdate(decideApproval, { args: [sent], updateId }),
      );
      if (outcome.pending !== true || performance.now() > end) return outcome;
      await sleep(AGAIN_MS);
    }
  }

  /** The same as a signal, which is durable even while no worker runs; what became of it is on the record. */
  async signalDecision(model: string, release: number, decision: Decision): Promise<ApprovalDecision> {
    const { sent } = await this.#bind(model, release, decision);
    await this.#onRelease(model, release, (handle) => handle.signal(approvalDecision, sent));
    return sent;
  }

  async #bind(
    model: string,
    release: number,
    decision: Decision,
  ): Promise<{ readonly sent: ApprovalDecision; readonly known: DecisionOutcome | undefined }> {
    const view = await this.release(model, release);
    const { approval, stage, version } = view;
    const known = view.decisions.find(({ requestId }) => requestId === decision.requestId);
    if (known === undefined && view.outcome !== null) throw isOver(model, release, view.outcome);
    const gate = decision.gate ?? approval?.gate;
    if (known === undefined && gate === undefined)
      throw new TenureError(
        'refused',
        `release ${release} of ${model} is not waiting for a decision: it is ${stage}, waiting for ${view.waitingFor}`,
      );
    const sent: ApprovalDecision = {
      requestId: decision.requestId ?? randomUUID(),
      gate: gate ?? 'beforeDeploy',
      decision: decision.decision,
      approver: decision.approver,
      reason: decision.reason,
      // With no request open there is no evidence to bind to: it is sent all the same, refused there and recorded.
      digest: decision.digest ?? approval?.digest ?? version.digest,
      evidenceHash: decision.evidenceHash ?? approval?.evidenceHash ?? 'none',
    };
    return { sent, known };
  }

  /** Aborting always wins; the call returns when the release has taken the order, not when all traffic is back. */
  async abort(
    model: string,
    release: number,
    options: Partial<Request> & { readonly reason: string },
  ): Promise<void> {
    const sent = { ...this.request(options), reason: options.reason };
    const handle = this.releaseHandle(model, release);
    try {
      await this.#onRelease(model, release, () => abortNow(handle, sent));
    } catch (error) {
      if (!(error instanceof TenureError) || error.code !== 'not-found') throw error;
      const { releases } = await this.model(model);
      if (releases.find((known) => known.release === release)?.stage !== 'queued') throw error;
      accepted(await this.update(model, abortQueued, { ...sent, release }));
    }
  }

  /** Tries again at once what is parked. */
  retry(model: string, release: number, options: Partial<Request> = {}): Promise<void> {
    const sent = this.request(options);
    return this.#onRelease(model, release, (handle) => handle.signal(retryParked, sent));
  }

  /** Waits for the end of a release, however long it takes. */
  async outcome(model: string, release: number): Promise<ReleaseOutcome> {
    try {
      return (await this.underWay(() => this.releaseHandle(model, release).result())) as ReleaseOutcome;
    } catch (error) {
      throw explain(error, `release ${release} of ${model} is not there`);
    }
  }

  /** One round of the doctor, in a worker; see `doctor.ts`. @param id identity of the round */
  doctorRound(id: string, input: DoctorRoundInput): Promise<DoctorRoundResult> {
    const { taskQueue } = this.options;
    return runRound(this.client, { id, taskQueue, input, patienceMs: this.patienceMs });
  }

  /** The newest round of the Schedule that has ended; null when there is none. */
  lastDoctorRound(): Promise<DoctorRoundResult | null> {
    return lastScheduledRound(this.client, this.options.taskQueue);
  }

  /** A release that does not answer has not started, is over, or never was: the model knows. */
  async #onRelease<T>(
    model: string,
    release: number,
    call: (handle: WorkflowHandle) => Promise<T>,
  ): Promise<T> {
    try {
      return await this.patiently(`${model}, release ${release}`, () =>
        call(this.releaseHandle(model, release)),
      );
    } catch (error) {
      if (!(error instanceof TenureError) || error.code !== 'not-found') throw error;
      const { releases } = await this.model(model);
      throw absence(model, release, releases);
    }
  }
}

/** A signal is taken even while no worker runs, but not when a flood has used up what a run can take. */
async function abortNow(handle: WorkflowHandle, sent: ReasonedRequest): Promise<void> {
  try {
    await handle.signal(abortRelease, sent);
  } catch (error) {
    if (!isFlooded(error)) throw error;
    await handle.executeUpdate(abortReleaseNow, { args: [sent], updateId: sent.requestId });
  }
}

function accepted<T>(answer: Answer<T>): T {
  if (!answer.accepted) throw new TenureError('refused', answer.reason);
  return answer;
}
