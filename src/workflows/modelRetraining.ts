import {
  CancellationScope,
  condition,
  getExternalWorkflowHandle,
  isCancellation,
  log,
  patched,
  setCurrentDetails,
  setHandler,
  sleep,
  workflowInfo,
} from '@temporalio/workflow';
import { FailureType } from '../contracts/failures.js';
import { modelWorkflowId, retrainingWorkflowId } from '../contracts/ids.js';
import { modelContinues, retrainingReported, retrainingState, retryParked } from '../contracts/messages.js';
import type {
  Challenger,
  RetrainingInput,
  RetrainingOutcome,
  RetrainingReport,
} from '../contracts/retraining.js';
import type { RetrainingStanding } from '../contracts/views.js';
import { ledgerEntry, system } from '../lifecycle/entries.js';
import { judgeChallenger, rowsSince, shownSet } from '../lifecycle/retraining.js';
import { beside } from './support/beside.js';
import { isSettled } from './support/continuing.js';
import { applicationFailure, describeFailure, isRefusal } from './support/failures.js';
import { ParkingLot } from './support/parking.js';
import { Recorder } from './support/recorder.js';
import { work } from './support/run.js';

type Ended = Pick<RetrainingReport, 'outcome' | 'reason' | 'challenger'>;

const ended = (outcome: RetrainingOutcome, reason: string | null): Ended => ({
  outcome,
  reason,
  challenger: null,
});

/**
 * Trains a challenger once: assemble the training set, train, compare with the champion. Whether it is registered and released
 * is the affair of its model, which it tells how it ended.
 */
export async function modelRetraining(input: RetrainingInput): Promise<RetrainingOutcome> {
  const retraining = new Retraining(input);
  setHandler(retryParked, () => retraining.parking.retry(), { description: 'Try again what is parked' });
  setHandler(retrainingState, () => retraining.standing, { description: 'Where the retraining stands' });
  setHandler(modelContinues, () => retraining.hear(), { description: 'From the model' });
  beside(CancellationScope.nonCancellable(() => retraining.recorder.work()));
  let end: Ended;
  try {
    end = await retraining.train();
  } catch (error) {
    if (isCancellation(error)) end = ended('cancelled', 'the workflow was cancelled in Temporal');
    else if (isRefusal(error) || isOfTrainer(error)) end = ended('failed', describeFailure(error));
    // What nobody foresaw fails the task: fixed code goes on from here.
    else throw error;
  }
  return CancellationScope.nonCancellable(() => retraining.finish(end));
}

const isOfTrainer = (error: unknown): boolean =>
  applicationFailure(error)?.type === FailureType.TrainingFailed;

/**
 * Once a minute, since the model's workflow may be away for a while; then four times a day for a week, since somebody may make it again.
 * Then it asks after its retraining, and is told at once.
 */
const REPORT_TRIES = { soon: 10, most: 10 + 7 * 4 };

class Retraining {
  readonly parking: ParkingLot;
  readonly recorder: Recorder;
  readonly #input: RetrainingInput;
  #waitingFor = '';
  #end: Ended | null = null;
  #heard = 0;
  #facts: readonly string[] = [];

  constructor(input: RetrainingInput) {
    this.#input = input;
    this.parking = new ParkingLot(input.model, () => this.#show());
    this.recorder = new Recorder(this.parking);
  }

  get standing(): RetrainingStanding {
    return { waitingFor: this.#waitingFor, parked: this.parking.parked, facts: this.#facts };
  }

  /** Of the model, which is there, or there again. */
  hear(): void {
    this.#heard += 1;
  }

  async train(): Promise<Ended> {
    const { manifest, champion, retraining, trigger, finding, onset } = this.#input;
    const { retraining: settings } = manifest;
    if (settings === null) return ended('failed', 'the manifest has no section retraining');
    const { command, metric, margin, recentSeconds } = settings;
    this.#record('started', { champion, trigger, finding, command, metric, margin });
    const now = workflowInfo().startTime.getTime();
    const since = rowsSince(recentSeconds, null, now);
    const comparedSince = rowsSince(recentSeconds, onset, now);
    const set = await this.#step('assemble the training set', (what) =>
      work('assembleTrainingSet', what, { manifest, since, comparedSince }),
    );
    this.#facts = shownSet(set);
    const { training, comparison } = set;
    if (training === null) return ended('insufficient', 'there is not a single row to train on');
    // Nothing is trained that nobody could compare.
    if (comparison === null) return ended('insufficient', 'there is not a single row to compare on');
    const challenger = await this.#step('train', (what) =>
      work('trainChallenger', what, { retraining, manifest, champion, training }, settings.timeoutSeconds),
    );
    const judgement = await this.#step('compare with the champion', (what) =>
      work('judgeChallenger', what, {
        manifest,
        challenger: { version: `retrained-${retraining}`, digest: challenger.digest },
        champion,
        comparison,
      }),
    );
    const { outcome, reason } = judgeChallenger(judgement, margin);
    const better = outcome === 'submitted';
    this.#record('compared', { better, reason, margin, judgement, challenger, champion, set });
    if (!better) return ended(outcome, reason);
    return {
      outcome,
      reason,
      challenger: {
        digest: challenger.digest,
        trainingDataDigest: training.digest,
        comparedWith: champion,
        metrics: metricsOf(challenger),
      },
    };
  }

  async finish(end: Ended): Promise<RetrainingOutcome> {
    this.#waitFor('the record');
    await this.recorder.flush();
    for (let attempt = 1; !(await this.#report(end)); attempt += 1) {
      const isSoon = attempt < REPORT_TRIES.soon;
      // Of before, a challenger was lost with a model that was not there for ten minutes.
      if (!isSoon && (attempt >= REPORT_TRIES.most || !patched('reports-are-sent-for-a-week'))) break;
      this.#waitFor(`the model's workflow to take its report (try ${attempt} of ${REPORT_TRIES.most})`);
      const summary = 'tell the model again how it ended';
      const heard = this.#heard;
      if (isSoon) await sleep('1m', { summary });
      else await condition(() => this.#heard !== heard, '6h', { summary });
    }
    this.#end = end;
    this.#waitFor(`nothing: ${end.outcome}`);
    await condition(() => isSettled(this));
    return end.outcome;
  }

  async #report(end: Ended): Promise<boolean> {
    const { model, retraining } = this.#input;
    try {
      const report = { retraining, ...end, head: this.recorder.head };
      await getExternalWorkflowHandle(modelWorkflowId(model)).signal(retrainingReported, report);
      return true;
    } catch (error) {
      log.warn('The model did not take the report', { reason: describeFailure(error) });
      return false;
    }
  }

  /** Parks when attempts are spent: what comes back by itself loses no training. */
  #step<T>(what: string, act: (what: string) => Promise<T>): Promise<T> {
    this.#waitFor(what);
    let refused: unknown;
    return this.parking
      .untilDone(what, async () => {
        try {
          return { done: await act(what) };
        } catch (error) {
          if (!isOfTrainer(error)) throw error;
          refused = error;
          return null;
        }
      })
      .then((result) => {
        if (result === null) throw refused;
        return result.done;
      });
  }

  #record(step: string, evidence: Readonly<Record<string, unknown>>): void {
    const { model, retraining } = this.#input;
    const id = retrainingWorkflowId(model, retraining);
    this.recorder.add(
      ledgerEntry({
        stream: model,
        id: `${id}/${step}`,
        action: `retraining.${step}`,
        actor: system(id),
        subject: { retraining },
        evidence,
        now: Date.now(),
      }),
    );
  }

  #waitFor(what: string): void {
    this.#waitingFor = what;
    this.#show();
  }

  #show(): void {
    const { model, retraining, trigger, champion } = this.#input;
    const { parked } = this.parking;
    setCurrentDetails(
      [
        `**Retraining ${retraining} of ${model}**, asked for by ${trigger}, against champion ${champion.version}`,
        this.#end === null ? `Waiting for: ${this.#waitingFor}` : endedAs(this.#end),
        ...(parked === null
          ? []
          : [`Parked: ${parked.what}: ${parked.why}; tried again at ${parked.retryAt}`]),
        ...this.#facts,
        ...(this.#end === null
          ? [
              'How far the trainer is stands in the heartbeat of the pending activity. To end it, cancel this workflow.',
            ]
          : []),
      ].join('\n\n'),
    );
  }
}

const endedAs = ({ outcome, reason }: Ended): string =>
  `Ended **${outcome}**${reason === null ? '' : `: ${reason}`}`;

const metricsOf = ({ metrics }: Challenger): Readonly<Record<string, number>> => metrics ?? {};
