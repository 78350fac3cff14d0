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
import type { RecordedEnd, TrafficChanged } from '../../contracts/activities.js';
import { actId, modelWorkflowId } from '../../contracts/ids.js';
import type { Actor, LedgerEntry } from '../../contracts/ledger.js';
import { releaseReported } from '../../contracts/messages.js';
import type { ReleaseStage, VersionRef } from '../../contracts/model.js';
import type { DesiredRoute } from '../../contracts/routes.js';
import type { ReleaseView } from '../../contracts/views.js';
import { TenureStage } from '../../contracts/search-attributes.js';
import { releaseDetails } from '../../lifecycle/details.js';
import { ledgerEntry, system } from '../../lifecycle/entries.js';
import type { ReleaseState } from '../../lifecycle/release-state.js';
import { releaseView } from '../../lifecycle/release-state.js';
import type { RouteBasis } from '../../lifecycle/routing.js';
import { isOutcome, mayMove } from '../../lifecycle/stages.js';
import { describeFailure } from '../support/failures.js';
import { ParkingLot } from '../support/parking.js';
import { Recorder } from '../support/recorder.js';
import { run } from '../support/run.js';
import { releaseTroubles } from './troubles.js';

/** Stages that the model's own workflow hears of; the others are of no use to it, and each report costs seven events. */
const REPORTED: readonly ReleaseStage[] = ['awaiting-approval', 'canary', 'soaking'];

/** What every stage of a release works with. */
export class ReleaseContext {
  readonly state: ReleaseState;
  readonly parking: ParkingLot;
  readonly recorder: Recorder;

  constructor(state: ReleaseState) {
    this.state = state;
    const troubles = releaseTroubles(state.input, () => this.parking);
    this.parking = new ParkingLot(state.input.model, () => this.show(), troubles);
    this.recorder = new Recorder(this.parking, state.head, state.unrecorded, (end) =>
      this.endAsRecorded(end),
    );
  }

  /** Called when the release turns out to be over by its record. */
  whenOver: () => void = () => undefined;

  /** The recorded end is of this artifact, not of another one that had the same number. */
  get isOverAsItself(): boolean {
    const { over, input } = this.state;
    return over !== undefined && (over.digest === null || over.digest === input.version.digest);
  }

  endAsRecorded(end: RecordedEnd): void {
    this.state.over ??= end;
    this.whenOver();
  }

  get basis(): RouteBasis {
    const { input, slowThresholdMs } = this.state;
    return {
      manifest: input.manifest,
      champion: input.champion,
      warm: input.warm,
      release: input.release,
      slowThresholdMs,
    };
  }

  get taskQueue(): string {
    return workflowInfo().taskQueue;
  }

  /** The state as it is carried over and shown: with what the helpers hold. */
  snapshot(): ReleaseState {
    return {
      ...this.state,
      parked: this.parking.parked,
      head: this.recorder.head,
      unrecorded: this.recorder.unrecorded,
    };
  }

  view(): ReleaseView {
    return releaseView(this.snapshot(), this.recorder.overdue);
  }

  /** Identity of an act; `count` numbers what a release does many times. */
  id(step: string, count = 1): string {
    return actId(this.state.input.model, this.state.input.release, step, count);
  }

  /** The last number that was given out under the name; 0 before the first. */
  count(counter: string): number {
    return this.state.counters[counter] ?? 0;
  }

  /** 1, 2, 3… per name; survives continue-as-new. */
  next(counter: string): number {
    const count = this.count(counter) + 1;
    this.state.counters = { ...this.state.counters, [counter]: count };
    return count;
  }

  entry(
    id: string,
    action: string,
    evidence: Readonly<Record<string, unknown>> = {},
    actor: Actor = system(workflowInfo().workflowId),
  ): LedgerEntry {
    const { model, release, version } = this.state.input;
    return ledgerEntry({
      stream: model,
      id,
      action,
      actor,
      subject: { release, version: version.version, digest: version.digest },
      evidence,
      now: Date.now(),
    });
  }

  /** Goes to the next stage: shown, searchable, reported to the model. */
  async moveTo(stage: ReleaseStage, waitingFor: string, reason: string | null = null): Promise<void> {
    const { state } = this;
    if (!mayMove(state.stage, stage)) log.warn('Unusual change of stage', { from: state.stage, to: stage });
    const changed = state.stage !== stage;
    state.stage = stage;
    state.reason = reason ?? state.reason;
    this.waitFor(waitingFor);
    if (!changed) return;
    upsertSearchAttributes([{ key: TenureStage, value: stage }]);
    if (REPORTED.includes(stage)) await this.report();
  }

  waitFor(what: string): void {
    this.state.waitingFor = what;
    this.show();
  }

  show(): void {
    setCurrentDetails(releaseDetails(this.view(), Date.now()));
  }

  /** Tells the model's workflow. It may be away for a while, or gone for good: then `tenure doctor` mends the difference. */
  async report(): Promise<boolean> {
    const { state } = this;
    const { input } = state;
    try {
      await getExternalWorkflowHandle(modelWorkflowId(input.model)).signal(releaseReported, {
        release: input.release,
        stage: state.stage,
        at: new Date().toISOString(),
        reason: state.reason,
        champion: this.serving,
        former: state.promoted ? input.champion : null,
        generation: state.generation,
        head: this.recorder.head,
      });
      return true;
    } catch (error) {
      if (isCancellation(error)) throw error;
      log.warn('The model did not take the report', { stage: state.stage, reason: describeFailure(error) });
      return false;
    }
  }

  /** What serves by default now, as far as this release changed it. */
  get serving(): VersionRef | null {
    const { promoted, stage, input, over } = this.state;
    if (over !== undefined)
      return over.outcome === 'succeeded' && this.isOverAsItself ? input.version : input.champion;
    const stands = promoted && (!isOutcome(stage) || stage === 'succeeded');
    return stands ? input.version : input.champion;
  }

  /** What led to an act is recorded by the act's own activity, instead of before it by one of its own. */
  get #recordsAlong(): boolean {
    return patched('recorded-with-the-act');
  }

  /**
   * An act on the traffic: recorded, done, read back, recorded, in one activity.
   * @param step its name within the release, part of its identity
   */
  async changeTraffic(options: {
    readonly step: string;
    readonly summary: string;
    readonly desired: DesiredRoute;
    readonly action: string;
    readonly evidence?: Readonly<Record<string, unknown>>;
  }): Promise<TrafficChanged> {
    const { step, summary, desired, action, evidence } = options;
    const { state } = this;
    const along = this.#recordsAlong;
    if (!along) await this.recorder.flush();
    const id = this.id(step);
    state.touchedTraffic = true;
    const change = {
      model: state.input.model,
      changeId: id,
      desired,
      expectedGeneration: state.generation ?? 0,
      before: [this.entry(`${id}/intent`, `${action}-requested`, evidence)],
      after: this.entry(id, action, evidence),
      safety: false,
    };
    const act = (queued: readonly LedgerEntry[]): Promise<TrafficChanged> =>
      run('changeTraffic', summary, { ...change, before: [...queued, ...change.before] });
    const changed = await this.parking.untilDone(summary, () => (along ? this.recorder.along(act) : act([])));
    state.generation = changed.generation;
    this.recorder.take(changed);
    this.parking.tellCountedOut(id, changed);
    return changed;
  }

  /** For acts towards safety: neither an abort nor a cancelled workflow can cut them short. */
  uncancelled<T>(act: () => Promise<T>): Promise<T> {
    return CancellationScope.nonCancellable(act);
  }
}
