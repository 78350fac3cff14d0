import type { Document } from 'mongodb';
import type { LedgerHead } from '../contracts/ledger.js';
import { ChainCheck } from './check-chain.js';
import { type BadEvent, NOT_SHOWN } from './findings.js';
import type { LedgerCollection } from './mongo-ledger.js';

export interface VerifyOptions {
  /** One stream; all when absent. */
  readonly stream?: string;
  /**
   * Stream -> the newest event that somebody outside the database knows of, such as the lifecycle workflow. Ask for them before
   * verifying: of a head that is newer than the reading, the events would seem to be cut off.
   */
  readonly heads?: Readonly<Record<string, LedgerHead>>;
  /** Between events, so that a long run can show where it is, and be stopped by throwing. */
  readonly onProgress?: (events: number) => void;
}

export interface VerifyResult {
  /** Nothing bad was found. It says no more than that: see `notShown`. */
  readonly ok: boolean;
  readonly streams: number;
  readonly events: number;
  /** The first bad event of each stream, at most a hundred of them, by stream. */
  readonly bad: readonly BadEvent[];
  /** Streams with something bad, also those beyond the hundred. */
  readonly badStreams: number;
  /** Streams whose head was given and found. */
  readonly headsMatched: number;
  /** What this verification cannot show. */
  readonly notShown: readonly string[];
}

const MOST_REPORTED = 100;
const PROGRESS_EVERY = 1_000;

/** Recomputes every hash and link, in one pass and in bounded memory. Reads only. */
export async function verifyLedger(
  events: LedgerCollection,
  options: VerifyOptions = {},
): Promise<VerifyResult> {
  const tally = new Tally();
  const heads = new Map(Object.entries(options.heads ?? {}));
  if (options.stream !== undefined) {
    for (const stream of heads.keys()) if (stream !== options.stream) heads.delete(stream);
  }
  let check: ChainCheck | null = null;
  let current: unknown;
  let kept: LedgerHead | null = null;
  for await (const document of readInOrder(events, options.stream)) {
    const stream: unknown = document['stream'];
    if (check === null || stream !== current) {
      if (check !== null) tally.take(check, kept);
      current = stream;
      const name = typeof stream === 'string' ? stream : JSON.stringify(stream);
      kept = heads.get(name) ?? null;
      heads.delete(name);
      check = new ChainCheck(name, kept);
    }
    check.next(document);
    tally.events += 1;
    if (tally.events % PROGRESS_EVERY === 0) options.onProgress?.(tally.events);
  }
  if (check !== null) tally.take(check, kept);
  // Streams of which nothing is left.
  for (const [stream, head] of heads) if (head.sequence > 0) tally.take(new ChainCheck(stream, head), head);
  return tally.result();
}

/** By the index {stream, sequence}, so nothing is sorted in memory. */
function readInOrder(events: LedgerCollection, stream: string | undefined): AsyncIterable<Document> {
  const sort = { stream: 1, sequence: 1 } as const;
  return events.find(stream === undefined ? {} : { stream }, { sort, batchSize: 500 });
}

class Tally {
  events = 0;
  #streams = 0;
  #badStreams = 0;
  #headsMatched = 0;
  readonly #bad: BadEvent[] = [];

  take(check: ChainCheck, kept: LedgerHead | null): void {
    this.#streams += 1;
    const bad = check.end();
    if (bad === null) {
      if (kept !== null) this.#headsMatched += 1;
      return;
    }
    this.#badStreams += 1;
    if (this.#bad.length < MOST_REPORTED) this.#bad.push(bad);
  }

  result(): VerifyResult {
    return {
      ok: this.#badStreams === 0,
      streams: this.#streams,
      events: this.events,
      bad: this.#bad,
      badStreams: this.#badStreams,
      headsMatched: this.#headsMatched,
      notShown: NOT_SHOWN,
    };
  }
}
