import {
  ApplicationFailure,
  condition,
  getExternalWorkflowHandle,
  isCancellation,
  log,
  setCurrentDetails,
  upsertSearchAttributes,
  workflowInfo,
} from '@temporalio/workflow';
import { releaseWorkflowId } from '../../contracts/ids.js';
import type { OpenIncident } from '../../contracts/incidents.js';
import type { Actor, LedgerEntry } from '../../contracts/ledger.js';
import { abortRelease, freezeChanged, type Request } from '../../contracts/messages.js';
import type { HoldView, ModelView } from '../../contracts/views.js';
import {
  TenureHealth,
  TenureOwner,
  TenureRiskTier,
  TenureVersion,
} from '../../contracts/search-attributes.js';
import { modelDetails } from '../../lifecycle/details.js';
import { ledgerEntry, person, system, unrecordedView } from '../../lifecycle/entries.js';
import { lostIncident } from '../../lifecycle/lost-incident.js';
import { incidentSettingsOf, promotionHold } from '../../lifecycle/model-incidents.js';
import { newer, release, rememberAnswer, type ModelState } from '../../lifecycle/model-state.js';
import { modelHealth, modelView } from '../../lifecycle/model-view.js';
import { describeFailure } from '../support/failures.js';
import { ParkingLot } from '../support/parking.js';
import { Recorder } from '../support/recorder.js';
import { IncidentDesk } from './incident-desk.js';
import { modelTroubles } from './troubles.js';

/** What handlers and acts of a model's lifecycle work with. The state is replaced, never changed in place. */
export class ModelContext {
  state: ModelState;
  readonly parking: ParkingLot;
  readonly recorder: Recorder;
  readonly incidents: IncidentDesk;
  /** The release whose workflow is being started: messages for it wait so long. */
  starting: number | null = null;
  readonly #answering = new Map<string, { readonly message: string; readonly answer: Promise<unknown> }>();
  #shown = '';
  /** What the release in flight knows of what holds promotion back. */
  #toldHold: HoldView | null;

  /** Tests lower it: continue as new after so many events of history. */
  readonly historyLimit: number | undefined;

  constructor(state: ModelState, unrecorded: readonly LedgerEntry[], historyLimit: number | undefined) {
    this.historyLimit = historyLimit;
    this.state = state;
    this.#toldHold = promotionHold(state, Date.now(), state.inFlight);
    this.incidents = new IncidentDesk(this);
    this.parking = new ParkingLot(state.manifest.name, () => this.show(), modelTroubles(this));
    this.recorder = new Recorder(this.parking, state.head, unrecorded);
  }

  /** Activities of its own that are under way: this run does not end between them and their results. */
  #busy = 0;

  async busy<T>(act: () => Promise<T>): Promise<T> {
    this.#busy += 1;
    try {
      return await act();
    } finally {
      this.#busy -= 1;
    }
  }

  get isBusy(): boolean {
    return this.#busy > 0;
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

  view(): ModelView {
    const unrecorded = unrecordedView(this.recorder.overdue);
    return modelView(this.snapshot(), Date.now(), { parked: this.parking.parked, unrecorded });
  }

  show(): void {
    const { manifest, champion } = this.state;
    const now = Date.now();
    setCurrentDetails(modelDetails(this.view()));
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
    now: number = Date.now(),
  ): LedgerEntry {
    return ledgerEntry({ stream: this.model, id, action, actor, subject, evidence, now });
  }

  /** The same request again gets the same answer, also while it is being worked on, and in a later run of the workflow. */
  once<R extends Request, A extends { readonly accepted: boolean }>(
    message: string,
    handle: (context: ModelContext, request: R) => Promise<A>,
    request: R,
  ): Promise<A> {
    const { requestId } = request;
    const known =
      this.#answering.get(requestId) ??
      this.state.answered.find((answered) => answered.requestId === requestId);
    if (known === undefined) {
      const answer = handle(this, request).then((given) => {
        this.update(rememberAnswer(this.state, { requestId, message, answer: given }));
        return given;
      });
      this.#answering.set(requestId, { message, answer });
      return answer.finally(() => this.#answering.delete(requestId));
    }
    if (known.message === message) return Promise.resolve(known.answer as A);
    throw ApplicationFailure.nonRetryable(
      `requestId ${requestId} was used for ${known.message}: each message needs an id of its own`,
      'InvalidRequest',
    );
  }

  /** Records what a request led to, and answers once that is in the ledger or safe in the state. */
  async answer<T extends { readonly accepted: boolean }>(
    request: Request,
    answer: T,
    action: string,
    subject: Readonly<Record<string, unknown>>,
    evidence: Readonly<Record<string, unknown>> = {},
  ): Promise<T> {
    const id = `${workflowInfo().workflowId}/request/${request.requestId}`;
    this.recorder.add(this.entry(id, action, subject, evidence, person(request.actor)));
    this.show();
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

  /** Also how a run that continues as new finds out whether the release in flight still is. */
  async tellFreeze(frozen: boolean, reason: string): Promise<void> {
    const { inFlight } = this.state;
    if (inFlight === null) return;
    const hold = promotionHold(this.state, Date.now(), this.state.inFlight);
    const held = frozen || hold !== null;
    this.#toldHold = hold;
    await this.#tell(inFlight, (handle) =>
      handle.signal(freezeChanged, {
        frozen: held,
        // A freeze that ends is over for the release only when no incident holds it back.
        reason: frozen ? reason : (hold?.reason ?? reason),
        ...(held ? { until: frozen ? (this.state.freeze?.until ?? null) : (hold?.until ?? null) } : {}),
      }),
    );
  }

  /** Whether incidents hold promotion back may have changed: the release in flight is told if so. */
  async tellHold(why: string): Promise<void> {
    const hold = promotionHold(this.state, Date.now(), this.state.inFlight);
    if (JSON.stringify(hold) === JSON.stringify(this.#toldHold)) return;
    this.#toldHold = hold;
    await this.tellFreeze(false, hold?.reason ?? `nothing holds promotion back: ${why}`);
  }

  async #tell(
    number: number,
    send: (handle: ReturnType<typeof getExternalWorkflowHandle>) => Promise<void>,
  ): Promise<void> {
    await condition(() => this.starting !== number);
    try {
      await send(getExternalWorkflowHandle(releaseWorkflowId(this.model, number)));
    } catch (error) {
      if (isCancellation(error)) throw error;
      const reason = describeFailure(error);
      log.warn('The release did not take the message', { release: number, reason });
      if (/not found/i.test(reason)) this.lose(number);
    }
  }

  ignoreCancellation(): void {
    const id = `${workflowInfo().workflowId}/cancellation/${new Date().toISOString()}`;
    const reason = 'a model is not cancelled: retire it, or abort its release';
    this.recorder.add(this.entry(id, 'model.cancellation-ignored', {}, { reason }));
    this.parking.tell(id, 'warning', `Cancellation of ${this.model} ignored`, reason);
  }

  /** An incident that was terminated holds nothing back any more, and neither people nor the record are left to believe that it does. */
  async lost(known: OpenIncident): Promise<void> {
    const about = {
      model: this.model,
      by: workflowInfo().workflowId,
      settings: incidentSettingsOf(this.state),
    };
    const { entry, alert } = lostIncident(about, known, Date.now());
    this.recorder.add(entry);
    this.parking.send(alert);
    await this.tellHold(`incident ${known.incident} was ended by hand`);
  }

  /** A release that was terminated cannot report or compensate: its traffic is taken back for it. */
  lose(number: number): void {
    const { inFlight, pending } = this.state;
    if (inFlight !== number || release(this.state, number)?.endedAt !== null) return;
    const reason = 'the workflow of the release ended without compensating';
    const act = {
      kind: 'restore' as const,
      release: number,
      reason,
      requestId: `restore-${number}`,
      at: null,
    };
    this.update({ ...this.state, inFlight: null, pending: [act, ...pending] });
  }
}
