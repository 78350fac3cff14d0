import { condition, patched } from '@temporalio/workflow';
import { EMPTY_HEAD, type LedgerEntry, type LedgerHead } from '../../contracts/ledger.js';
import type { Recorded, RecordedEnd } from '../../contracts/activities.js';
import { FailureType } from '../../contracts/failures.js';
import { applicationFailure, recordedEnd } from './failures.js';
import type { ParkingLot } from './parking.js';
import { run } from './run.js';

/** Entries that may gather before they are written: a look is read by auditors, not by anybody who waits for it. */
const GATHER = 10;
const BATCH = 50;

/**
 * Writes the workflow's own decisions to the ledger, in order and in batches, and keeps the newest head that it knows.
 * What cannot be written yet stays in the workflow's state and is written when it can be.
 */
export class Recorder {
  #queue: LedgerEntry[];
  #urgent = 0;
  #recorded = 0;
  #added: number;
  #writing = false;
  /** So many entries are written one by one: among them is one that the ledger refuses. */
  #single = 0;
  #resting = false;
  /** So many entries, the first ones, are being recorded by an act. */
  #lent = 0;
  head: LedgerHead;

  readonly #parking: ParkingLot;
  readonly #ended: (end: RecordedEnd) => void;

  /** @param ended told when the ledger says that the release is over */
  constructor(
    parking: ParkingLot,
    head: LedgerHead = EMPTY_HEAD,
    unrecorded: readonly LedgerEntry[] = [],
    ended: (end: RecordedEnd) => void = () => undefined,
  ) {
    this.#parking = parking;
    this.#ended = ended;
    this.head = head;
    this.#queue = [...unrecorded];
    this.#added = unrecorded.length;
    this.#urgent = unrecorded.length;
  }

  get unrecorded(): readonly LedgerEntry[] {
    return this.#queue;
  }

  /** What should have been written by now; the others are still gathering. */
  get overdue(): readonly LedgerEntry[] {
    return this.#queue.slice(0, Math.max(0, this.#urgent - this.#recorded));
  }

  /** No write is under way: what is still queued can be carried over. */
  get settled(): boolean {
    return !this.#writing;
  }

  /** Writes nothing more in this run: what is queued is for the next. */
  rest(): void {
    this.#resting = true;
  }

  wake(): void {
    this.#resting = false;
  }

  /** To be written soon. */
  add(...entries: readonly LedgerEntry[]): void {
    this.addLazily(...entries);
    this.#urgent = this.#added;
  }

  /** To be written with the next that is, or when enough have gathered. */
  addLazily(...entries: readonly LedgerEntry[]): void {
    this.#queue.push(...entries);
    this.#added += entries.length;
    if (this.#queue.length >= GATHER) this.#urgent = this.#added;
  }

  /** What an act towards safety could not record. */
  take(recorded: Recorded): void {
    this.see(recorded.head);
    if (recorded.unrecorded.length > 0) this.add(...recorded.unrecorded);
  }

  see(head: LedgerHead | null): void {
    if (head !== null && head.sequence > this.head.sequence) this.head = head;
  }

  /** Waits until all that was added so far is in the ledger. */
  async flush(): Promise<LedgerHead> {
    const upTo = this.#added;
    this.#urgent = Math.max(this.#urgent, upTo);
    await condition(() => this.#recorded >= upTo);
    return this.head;
  }

  /** Like `flush`, but a message's sender gets an answer after `timeout` at the latest: the entry is safe in the workflow's state. */
  async flushWithin(timeout: '10s'): Promise<void> {
    const upTo = this.#added;
    this.#urgent = Math.max(this.#urgent, upTo);
    if (this.#recorded < upTo)
      await condition(() => this.#recorded >= upTo, timeout, { summary: 'longest wait for the ledger' });
  }

  /**
   * Does an act whose activity records what is queued before its own events: a round trip and six events of history fewer than writing
   * first. Where the ledger refuses, what is queued is written as ever, and the act done by itself.
   * @param act records these first, and acts only then
   */
  async along<T>(act: (queued: readonly LedgerEntry[]) => Promise<T>): Promise<T> {
    const queued = [...this.#queue];
    const isBusy = this.#writing || this.#single > 0 || this.#resting || this.#lent > 0;
    if (queued.length > 0 && queued.length <= BATCH && !isBusy) {
      this.#lent = queued.length;
      try {
        const done = await act(queued);
        this.#queue.splice(0, queued.length);
        this.#recorded += queued.length;
        return done;
      } catch (error) {
        if (!isOfLedger(error)) throw error;
      } finally {
        this.#lent = 0;
      }
    }
    await this.flush();
    return act([]);
  }

  /** The loop that writes; started once a workflow run, ends with it. */
  async work(): Promise<never> {
    for (;;) {
      await condition(
        () => this.#queue.length > 0 && this.#urgent > this.#recorded && !this.#resting && this.#lent === 0,
      );
      // Lent between the moment that it was due and this one.
      if (this.#lent > 0) continue;
      const entries = this.#queue.slice(0, this.#single > 0 ? 1 : BATCH);
      const head = await this.#parking.untilDone('record in the ledger', () => this.#write(entries), true);
      if (head === 'refused') {
        if (entries.length > 1) this.#single = entries.length;
        else this.#resolve(entries);
        continue;
      }
      this.#queue.splice(0, entries.length);
      this.#single = Math.max(0, this.#single - 1);
      this.#recorded += entries.length;
      this.see(head);
    }
  }

  /** One entry that the ledger refuses. */
  #resolve(entries: readonly LedgerEntry[]): void {
    // That a message was refused this time is no news beside what it did when it came first.
    const isDispensable = ({ id, action }: LedgerEntry): boolean =>
      !isMessage(id) || action === 'request.refused';
    const stands = entries.every(isDispensable) && patched('first-record-stands');
    if (!stands) {
      this.#queue.splice(0, 1, ...entries.map(again));
      return;
    }
    // The same act of the same workflow, recorded before it was reset.
    this.#queue.splice(0, 1);
    this.#single = Math.max(0, this.#single - 1);
    this.#recorded += 1;
  }

  async #write(entries: readonly LedgerEntry[]): Promise<LedgerHead | 'refused'> {
    const what = entries.length === 1 ? `record ${entries[0]?.action}` : `record ${entries.length} events`;
    this.#writing = true;
    try {
      return await run('recordEvents', what, { entries });
    } catch (error) {
      if (!isOfLedger(error)) throw error;
      const end = recordedEnd(error);
      if (end !== null) this.#ended(end);
      return 'refused';
    } finally {
      this.#writing = false;
    }
  }
}

/** The ledger has another event of an id, or the end of the release. */
const isOfLedger = (error: unknown): boolean =>
  applicationFailure(error)?.type === FailureType.LedgerConflict || recordedEnd(error) !== null;

/** Of a message: its sender chose a part of the id, and may choose the same for something else. */
const isMessage = (id: string): boolean => /\/(request|decision)\//.test(id);

/** Another event has the id, e.g. of a request that was sent a second time long after: this one is kept beside it. */
const again = (entry: LedgerEntry): LedgerEntry => ({ ...entry, id: `${entry.id}/again/${entry.at}` });
