import {
  CancellationScope,
  getExternalWorkflowHandle,
  isCancellation,
  log,
  patched,
  setCurrentDetails,
  upsertSearchAttributes,
  workflowInfo,
} from '@temporalio/workflow';
import type { Answer } from '../../contracts/activities.js';
import { modelWorkflowId } from '../../contracts/ids.js';
import type { IncidentAct, IncidentPhase, IncidentReport, IncidentView } from '../../contracts/incidents.js';
import { FLEET_STREAM, type LedgerEntry } from '../../contracts/ledger.js';
import { incidentReported, type IncidentRequest, type ReasonedRequest } from '../../contracts/messages.js';
import { TenureHealth, TenureStage } from '../../contracts/search-attributes.js';
import { ledgerEntry, person, system } from '../../lifecycle/entries.js';
import { incidentDetails } from '../../lifecycle/incident/details.js';
import {
  phaseOf,
  rememberAnswer,
  type IncidentState,
  type Telling,
  type Untold,
} from '../../lifecycle/incident/state.js';
import { act, contactsOf, refusalOf, type IncidentStep } from '../../lifecycle/incident/steps.js';
import { incidentView } from '../../lifecycle/incident/view.js';
import { describeFailure, textOf } from '../support/failures.js';
import { ParkingLot } from '../support/parking.js';
import { Recorder } from '../support/recorder.js';
import { run } from '../support/run.js';

const FIRST_PAUSE_MS = 60_000;
const LONGEST_PAUSE_MS = 30 * 60_000;
/** About three hours: then it is given up, and the view of the incident is where it can be read. */
const MAX_TRIES = 10;

/** What an incident's handlers and its loop work with. The state is replaced, never changed in place. */
export class IncidentContext {
  state: IncidentState;
  readonly parking: ParkingLot;
  readonly recorder: Recorder;
  #telling = 0;
  #line: Promise<void> = Promise.resolve();
  /** Whoever started the workflow has said so much; a run before too. */
  #shown: string;

  constructor(state: IncidentState) {
    this.state = state;
    this.#shown = JSON.stringify([phaseOf(state), state.severity]);
    // That the ledger is away is the model's to tell of: an incident of an incident would help nobody.
    const troubles = { begin: () => true, end: () => undefined };
    this.parking = new ParkingLot(state.input.opening.model, () => this.show(), troubles);
    this.recorder = new Recorder(this.parking, state.head, state.unrecorded);
  }

  get id(): string {
    return workflowInfo().workflowId;
  }

  get phase(): IncidentPhase {
    return phaseOf(this.state);
  }

  /** No alert is under way. */
  get quiet(): boolean {
    return this.#telling === 0;
  }

  snapshot(): IncidentState {
    return { ...this.state, head: this.recorder.head, unrecorded: this.recorder.unrecorded };
  }

  view(): IncidentView {
    return incidentView(this.snapshot(), this.recorder.overdue);
  }

  show(): void {
    setCurrentDetails(incidentDetails(this.view(), Date.now()));
    const { severity } = this.state;
    const shown = [
      { key: TenureStage, value: this.phase },
      { key: TenureHealth, value: severity },
    ];
    const text = JSON.stringify([this.phase, severity]);
    if (text === this.#shown) return;
    this.#shown = text;
    upsertSearchAttributes(shown);
  }

  /** Something happened: the new state stands, it is recorded, and people are told; nothing of it is waited for. */
  take({ state, records, tellings }: IncidentStep): void {
    this.state = state;
    this.recorder.add(
      ...records.map(({ step, action, evidence, by }) =>
        this.#entry(step, action, evidence, by ?? undefined),
      ),
    );
    this.show();
    for (const telling of tellings) this.#tell(telling, 1);
    // Of what is over nobody needs to be told late that it began.
    const ended = tellings.flatMap(({ ends }) => ends.map(({ notice }) => notice));
    if (ended.length > 0) this.#forget(({ telling }) => ended.includes(telling.notice));
  }

  #forget(isMeant: (one: Untold) => boolean): void {
    this.state = { ...this.state, untold: this.state.untold.filter((one) => !isMeant(one)) };
  }

  /** A message that is none. */
  junk(): void {
    this.state = { ...this.state, junk: this.state.junk + 1 };
  }

  /** From a signal that a person pasted: it may lack everything but a reason, where one is needed. */
  receive(what: IncidentAct, message: unknown): void {
    const { actor, reason } = (message ?? {}) as Partial<ReasonedRequest>;
    const why = textOf(reason, '').trim();
    if ((what !== 'acknowledge' && why === '') || refusalOf(this.state, what) !== null) return this.junk();
    const acts = this.state.acts + 1;
    const by = textOf(actor, 'unknown');
    this.take(act({ ...this.state, acts }, what, { by, reason: why, step: `${what}/${acts}` }, Date.now()));
  }

  /** From an update: the same, answered. */
  async answer(request: IncidentRequest): Promise<Answer<{ phase: IncidentPhase }>> {
    const { requestId, actor, reason, act: what } = request;
    const known = this.state.answered.find((answered) => answered.requestId === requestId);
    const refusal = known === undefined ? refusalOf(this.state, what) : known.refusal;
    const step = `request/${requestId}`;
    if (known === undefined) {
      this.state = rememberAnswer(this.state, { requestId, refusal });
      if (refusal === null) this.take(act(this.state, what, { by: actor, reason, step }, Date.now()));
      else this.recorder.add(this.#entry(step, 'request.refused', { request: what, reason: refusal }, actor));
    }
    await this.recorder.flushWithin('10s');
    return refusal === null ? { accepted: true, phase: this.phase } : { accepted: false, reason: refusal };
  }

  #entry(
    step: string,
    action: string,
    evidence: Readonly<Record<string, unknown>>,
    by: string | undefined,
  ): LedgerEntry {
    const { model, incident } = this.state.input.opening;
    return ledgerEntry({
      stream: model,
      id: `${this.id}/${step}`,
      action,
      actor: by === undefined ? system(this.id) : person(by),
      subject: { incident },
      evidence,
      now: Date.now(),
    });
  }

  /** Alerts that a receiver did not take, and whose time has come. */
  retryUntold(): void {
    const now = Date.now();
    const due = this.state.untold.filter(({ retryAt }) => Date.parse(retryAt) <= now);
    if (due.length === 0) return;
    this.#forget((one) => due.includes(one));
    for (const { telling, tries } of due) this.#tell(telling, tries + 1);
  }

  #tell(telling: Telling, tries: number): void {
    const { model } = this.state.input.opening;
    const { key, severity, notice, state, title, text, roles, at, ends } = telling;
    const incident = {
      id: this.id,
      notice,
      contacts: contactsOf(this.state, roles),
      findings: this.state.findings,
      ...(state === 'resolved' ? { ends } : {}),
    };
    const alert = { model, key, severity, title, text, at, state, incident };
    this.#telling += 1;
    // One after the other: an end that came before its beginning would leave an alert that holds for ever.
    this.#line = this.#line
      .then(() => CancellationScope.nonCancellable(() => run('sendAlert', title, alert)))
      .catch((error: unknown) => this.#notTold({ telling, key, tries }, describeFailure(error)))
      .finally(() => {
        this.#telling -= 1;
      });
  }

  #notTold(of: Pick<Untold, 'telling' | 'key' | 'tries'>, why: string): void {
    log.warn('Alert not sent', { key: of.key, reason: why });
    const isOver =
      of.telling.state === 'firing' && !this.state.told.some(({ notice }) => notice === of.telling.notice);
    if (of.tries >= MAX_TRIES || isOver) return;
    const pause = Math.min(FIRST_PAUSE_MS * 2 ** (of.tries - 1), LONGEST_PAUSE_MS);
    const retryAt = new Date(Date.now() + pause).toISOString();
    this.state = { ...this.state, untold: [...this.state.untold, { ...of, why, retryAt }] };
    this.show();
  }

  /** Tells the model's workflow; it may be away or gone, and then asks by its next message. The fleet has none: monitors look. */
  async report(phase: IncidentReport['phase']): Promise<void> {
    const { model, incident, cause } = this.state.input.opening;
    if (model === FLEET_STREAM && patched('the-fleet-has-no-model')) return;
    const { resolved } = this.state;
    const report: IncidentReport = {
      incident,
      cause,
      phase,
      resolvedAt: resolved?.at ?? null,
      byPerson: resolved !== null && resolved.by !== this.id,
      head: this.recorder.head,
    };
    try {
      await getExternalWorkflowHandle(modelWorkflowId(model)).signal(incidentReported, report);
    } catch (error) {
      if (isCancellation(error)) throw error;
      log.warn('The model did not take the report', { phase, reason: describeFailure(error) });
    }
  }
}
