import {
  getExternalWorkflowHandle,
  log,
  setCurrentDetails,
  upsertSearchAttributes,
  workflowInfo,
} from '@temporalio/workflow';
import { releaseWorkflowId } from '../../contracts/ids.js';
import type { Actor, LedgerEntry } from '../../contracts/ledger.js';
import { abortRelease, freezeChanged, type Request } from '../../contracts/messages.js';
import {
  TenureHealth,
  TenureOwner,
  TenureRiskTier,
  TenureVersion,
} from '../../contracts/search-attributes.js';
import { modelDetails } from '../../lifecycle/details.js';
import { ledgerEntry, person, system } from '../../lifecycle/entries.js';
import {
  modelHealth,
  modelView,
  newer,
  rememberAnswer,
  type ModelState,
} from '../../lifecycle/model-state.js';
import { describeFailure } from '../support/failures.js';
import { ParkingLot } from '../support/parking.js';
import { Recorder } from '../support/recorder.js';

/** What handlers and acts of a model's lifecycle work with. The state is replaced, never changed in place. */
export class ModelContext {
  state: ModelState;
  readonly parking: ParkingLot;
  readonly recorder: Recorder;
  #shown = '';

  constructor(state: ModelState, unrecorded: readonly LedgerEntry[]) {
    this.state = state;
    this.parking = new ParkingLot(state.manifest.name, () => this.show());
    this.recorder = new Recorder(this.parking, state.head, unrecorded);
  }

  get model(): string {
    return this.state.manifest.name;
  }

  /** The state with the newest head that anybody told this workflow of. */
  snapshot(): ModelState {
    return { ...this.state, head: newer(this.state.head, this.recorder.head) };
  }

  update(state: ModelState): void {
    this.state = state;
    this.show();
  }

  show(): void {
    const { manifest, champion } = this.state;
    const now = Date.now();
    setCurrentDetails(modelDetails(modelView(this.snapshot(), now)));
    const shown = [
      { key: TenureHealth, value: modelHealth(this.state, now) },
      { key: TenureVersion, value: champion?.version ?? 'none' },
      { key: TenureOwner, value: manifest.owner },
      { key: TenureRiskTier, value: manifest.riskTier },
    ];
    const text = JSON.stringify(shown.map(({ value }) => value));
    if (text === this.#shown) return;
    this.#shown = text;
    upsertSearchAttributes(shown);
  }

  entry(
    id: string,
    action: string,
    subject: Readonly<Record<string, unknown>>,
    evidence: Readonly<Record<string, unknown>> = {},
    actor: Actor = system(workflowInfo().workflowId),
  ): LedgerEntry {
    return ledgerEntry({ stream: this.model, id, action, actor, subject, evidence, now: Date.now() });
  }

  /** The same request again gets the same answer, also in a later run of the workflow. */
  answered(request: Request): unknown {
    return this.state.answered.find(({ requestId }) => requestId === request.requestId)?.answer;
  }

  /** Records what a request led to, remembers the answer, and gives it once it is in the ledger or safe in the state. */
  async answer<T extends { readonly accepted: boolean }>(
    request: Request,
    answer: T,
    action: string,
    subject: Readonly<Record<string, unknown>>,
    evidence: Readonly<Record<string, unknown>> = {},
  ): Promise<T> {
    const id = `${workflowInfo().workflowId}/request/${request.requestId}`;
    this.recorder.add(this.entry(id, action, subject, evidence, person(request.actor)));
    this.update(rememberAnswer(this.state, request.requestId, answer));
    await this.recorder.flushWithin('10s');
    return answer;
  }

  refuse(request: Request, what: string, reason: string): Promise<{ accepted: false; reason: string }> {
    return this.answer(
      request,
      { accepted: false, reason },
      'request.refused',
      { request: what },
      { reason },
    );
  }

  /** Ends the release in flight; it answers by its report. */
  async abortInFlight(actor: string, reason: string, requestId: string): Promise<void> {
    const { inFlight } = this.state;
    if (inFlight === null) return;
    await this.#tell(inFlight, (handle) => handle.signal(abortRelease, { requestId, actor, reason }));
  }

  async tellFreeze(frozen: boolean, reason: string): Promise<void> {
    const { inFlight } = this.state;
    if (inFlight === null) return;
    await this.#tell(inFlight, (handle) => handle.signal(freezeChanged, { frozen, reason }));
  }

  async #tell(
    release: number,
    send: (handle: ReturnType<typeof getExternalWorkflowHandle>) => Promise<void>,
  ): Promise<void> {
    try {
      await send(getExternalWorkflowHandle(releaseWorkflowId(this.model, release)));
    } catch (error) {
      log.warn('The release did not take the message', { release, reason: describeFailure(error) });
    }
  }
}
