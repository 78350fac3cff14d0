import type { Actor, LedgerEntry, LedgerEvent, LedgerHead } from '../contracts/ledger.js';
import { modelWorkflowId } from '../contracts/ids.js';
import type { VersionRef } from '../contracts/model.js';
import { ledgerEntry } from './entries.js';
import { abandonRelease } from './model-reports.js';
import { clearQueue, startRelease, type ModelState, type PendingAct } from './model-state.js';
import { ModelRecord, type RecordedModel } from './recovery/record.js';

export { type RecordedModel } from './recovery/record.js';

/** A lifecycle made again from the ledger. */
export interface RecoveredModel {
  /** What the workflow is to be started with; null when the record holds no manifest. */
  readonly state: ModelState | null;
  /** Who serves by the last outcome on record, once what was in flight is taken back. */
  readonly champion: VersionRef | null;
  /** Ended `aborted` by the first acts of the lifecycle: they were in flight, and no workflow of theirs is left. */
  readonly aborted: readonly number[];
  /** In flight, with a workflow of their own that runs: they go on. */
  readonly kept: readonly number[];
  /** They waited for their turn: they end `superseded`. */
  readonly superseded: readonly number[];
  /** Over for sure, because a later one has started, but without an end on record: counted as taken back. */
  readonly presumed: readonly number[];
  /** What the record does not say, or says oddly; in words, bounded. */
  readonly problems: readonly string[];
}

export interface RecoveryOptions {
  /** The newest event of the stream. */
  readonly head: LedgerHead;
  /** Epoch milliseconds. */
  readonly now: number;
  /** Why the lifecycle is made again, for the record. */
  readonly reason: string;
  /** Releases whose own workflow runs. */
  readonly running?: readonly number[];
}

/**
 * Makes a model's lifecycle again from its events, oldest first. Pure; never throws.
 *
 * Not on record, so not the same as before: the answers given to earlier requests, alarms, and the times of champions and ends to
 * the second (those of the acts stand for them). What was asked for and not done yet (a rollback, a retirement) is still pending.
 */
export function rebuildModel(
  model: string,
  events: Iterable<LedgerEvent>,
  options: RecoveryOptions,
): RecoveredModel {
  const record = new ModelRecord(model);
  for (const event of events) record.next(event);
  return recoverModel(record.end(options.head), options);
}

/** What becomes of a model as the record has it when its workflow is gone. */
export function recoverModel(recorded: RecordedModel, options: RecoveryOptions): RecoveredModel {
  const { problems, presumed } = recorded;
  const nothing = { aborted: [], kept: [], superseded: [], presumed, problems };
  if (recorded.state === null) return { state: null, champion: null, ...nothing };
  const { now, reason, running = [] } = options;
  // Nothing else was in flight, so the first of the queue had been started: it has only not recorded anything yet.
  const first =
    recorded.state.inFlight ??
    recorded.state.queue.find((number) => running.includes(number)) ??
    (recorded.state.pending.length === 0 ? recorded.state.queue[0] : undefined) ??
    null;
  const started =
    first === null || first === recorded.state.inFlight
      ? recorded.state
      : startRelease(recorded.state, first);
  const superseded = started.queue;
  const alone = clearQueue(started, reason, now);
  if (first !== null && running.includes(first)) {
    return { state: alone, champion: alone.champion, ...nothing, kept: [first], superseded };
  }
  const restore: readonly PendingAct[] =
    first === null
      ? []
      : [
          {
            kind: 'restore',
            release: first,
            reason,
            requestId: `restore-${first}`,
            at: null,
          },
        ];
  return {
    state: { ...alone, inFlight: null, exposed: false, pending: [...restore, ...alone.pending] },
    champion: (first === null ? alone : abandonRelease(alone, first, reason, now)).champion,
    ...nothing,
    aborted: first === null ? [] : [first],
    superseded,
  };
}

/** The first thing that a lifecycle made again records. */
export function recoveredEntry(
  model: string,
  recovered: RecoveredModel,
  options: {
    readonly head: LedgerHead;
    readonly now: number;
    readonly reason: string;
    readonly actor: Actor;
  },
): LedgerEntry {
  const { head, now, reason, actor } = options;
  const { champion, aborted, kept, superseded, presumed, problems } = recovered;
  return ledgerEntry({
    stream: model,
    id: `${modelWorkflowId(model)}/recovered/${head.sequence}`,
    action: 'model.recovered',
    actor,
    subject: { champion },
    evidence: { reason, from: head, aborted, kept, superseded, presumed, problems },
    now,
  });
}
