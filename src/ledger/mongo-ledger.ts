import type { Collection } from 'mongodb';
import { EMPTY_HEAD, type LedgerEntry, type LedgerHead, type StoredEvent } from '../contracts/ledger.js';
import { effect } from '../fail-points/index.js';
import { chain, checkEntry, contentHash } from './event.js';
import { LedgerConflictError } from './errors.js';
import type { Appended, LedgerReader, LedgerWriter } from './writer.js';

/** Stored events; the key is the hash. */
export type LedgerCollection = Collection<StoredEvent & { readonly _id: string }>;

/** Of N writers on one stream one wins each round, so this is also about the most that can work on it at once. */
const ATTEMPTS = 200;
const LONGEST_PAUSE_MS = 50;
const DUPLICATE_KEY = 11_000;

/** The ledger in a MongoDB collection with the unique indexes {stream, sequence} and {stream, id}. Inserts and reads, nothing else. */
export class MongoLedger implements LedgerWriter, LedgerReader {
  readonly #events: LedgerCollection;

  constructor(events: LedgerCollection) {
    this.#events = events;
  }

  async append(entries: readonly LedgerEntry[]): Promise<readonly Appended[]> {
    entries.forEach(checkEntry);
    const places: Appended[] = [];
    for (const entry of entries) {
      const last = places.at(-1);
      // The event just written is the likeliest head of the next one; if somebody came between, the index says so.
      const guess =
        last !== undefined && !last.repeated && entries[places.length - 1]?.stream === entry.stream
          ? last
          : null;
      places.push(await this.#appendOne(entry, guess));
    }
    return places;
  }

  async head(stream: string): Promise<LedgerHead> {
    return this.#newest(stream, 'majority');
  }

  async find(stream: string, id: string): Promise<StoredEvent | null> {
    const [found = null] = await this.findAny(stream, [id]);
    return found;
  }

  async findAny(stream: string, ids: readonly string[]): Promise<readonly StoredEvent[]> {
    const found = this.#events.find(
      { stream, id: { $in: [...ids] } },
      { readConcern: { level: 'majority' } },
    );
    return (await found.toArray()).map(({ _id, ...event }) => event);
  }

  async #appendOne(entry: LedgerEntry, guess: LedgerHead | null): Promise<Appended> {
    // A local read is enough: an insert that follows an event is durable only after that event is.
    let head = guess ?? (await this.#newest(entry.stream, 'local'));
    for (let attempt = 1; ; attempt += 1) {
      const event = chain(entry, head);
      try {
        await effect('ledger.insert', () =>
          this.#events.insertOne(
            { _id: event.hash, ...event },
            { writeConcern: { w: 'majority', journal: true } },
          ),
        );
        return { sequence: event.sequence, hash: event.hash, repeated: false };
      } catch (error) {
        if (!isDuplicateKey(error) || attempt >= ATTEMPTS) throw error;
      }
      const existing = await this.find(entry.stream, entry.id);
      if (existing !== null) return repeatOf(entry, existing);
      await pause(attempt);
      head = await this.#newest(entry.stream, 'local');
    }
  }

  async #newest(stream: string, level: 'local' | 'majority'): Promise<LedgerHead> {
    const found = await this.#events.findOne(
      { stream },
      { sort: { sequence: -1 }, projection: { _id: 0, sequence: 1, hash: 1 }, readConcern: { level } },
    );
    return found === null ? EMPTY_HEAD : { sequence: found.sequence, hash: found.hash };
  }
}

function repeatOf(entry: LedgerEntry, existing: StoredEvent): Appended {
  if (contentHash(entry) !== contentHash(existing)) {
    throw new LedgerConflictError(entry.stream, entry.id, existing.sequence);
  }
  return { sequence: existing.sequence, hash: existing.hash, repeated: true };
}

const isDuplicateKey = (error: unknown): boolean =>
  error instanceof Error && 'code' in error && error.code === DUPLICATE_KEY;

/** A random wait, so that writers who met do not meet again. */
const pause = (attempt: number): Promise<void> =>
  new Promise((resolve) => setTimeout(resolve, Math.random() * Math.min(LONGEST_PAUSE_MS, 2 ** attempt)));
