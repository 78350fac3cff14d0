import type { LedgerEntry, LedgerHead, StoredEvent } from '../contracts/ledger.js';

/** Where an entry stands in its stream. */
export interface Appended extends LedgerHead {
  /** It was there before: this call was a repeat. */
  readonly repeated: boolean;
}

/**
 * The append path. Callers know no more than this, so that one sequencer, which writes batches for all and signs checkpoints, can
 * stand behind it.
 */
export interface LedgerWriter {
  /**
   * Appends in order and returns each entry's place. Durable on a majority when it returns. When it throws, a prefix may have been
   * written; repeating the call completes it.
   * @throws LedgerConflictError, LedgerEntryError, CanonicalError (final); anything else may be repeated
   */
  append(entries: readonly LedgerEntry[]): Promise<readonly Appended[]>;
  /**
   * Appends the entry unless its stream holds an event under one of these ids: there is no moment between the look and the writing.
   * @returns null when it does, and nothing was written
   * @throws as `append`
   */
  appendUnless(entry: LedgerEntry, ids: readonly string[]): Promise<Appended | null>;
}

export interface LedgerReader {
  /** The newest event's place; `EMPTY_HEAD` for a stream without events. */
  head(stream: string): Promise<LedgerHead>;
  /** The event under an id, once a majority has it. */
  find(stream: string, id: string): Promise<StoredEvent | null>;
  /** The events under any of these ids, in no particular order. */
  findAny(stream: string, ids: readonly string[]): Promise<readonly StoredEvent[]>;
}
