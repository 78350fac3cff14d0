import type { LedgerEvent } from '../contracts/ledger.js';
import type { LedgerCollection } from './mongo-ledger.js';
import { type StoryLine, tell } from './story.js';

export interface HistoryOptions {
  /** From this place on (default 1). */
  readonly from?: number;
}

/** A stream's events, oldest first, one at a time. */
export async function* readStream(
  events: LedgerCollection,
  stream: string,
  options: HistoryOptions = {},
): AsyncGenerator<LedgerEvent> {
  const filter = { stream, sequence: { $gte: options.from ?? 1 } };
  const cursor = events.find(filter, {
    sort: { sequence: 1 },
    projection: { _id: 0, canonical: 0, hash: 0 },
  });
  for await (const event of cursor) yield event;
}

/** A stream's story in plain words, oldest first. It shows what is stored; whether that was altered is for `verifyLedger`. */
export async function* history(
  events: LedgerCollection,
  stream: string,
  options: HistoryOptions = {},
): AsyncGenerator<StoryLine> {
  for await (const event of readStream(events, stream, options)) yield tell(event);
}
