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
/** Shorter than the activities' own limits, so that it is told that MongoDB hangs, and not that the activity did. */
const ANSWER = { timeoutMS: 8_000 } as const;
/**
 * So long an event that this writer was told is durable is taken for its stream's head without asking: the acts of a model come in
 * bursts, and asking costs nearly as much as writing. If somebody came between, the index says so. No longer, because after a
 * database was put back to an earlier state the index would not.
 */
const HEAD_KNOWN_MS = 1_000;
const MOST_HEADS = 1_000;

/** The ledger in a MongoDB collection with the unique indexes {stream, sequence} and {stream, id}. Inserts and reads, nothing else. */
export class MongoLedger implements LedgerWriter, LedgerReader {
  readonly #events: LedgerCollection;
  /** Stream -> the newest event that was appended here, and when. */
  readonly #heads = new Map<string, LedgerHead & { readonly knownAt: number }>();
  readonly #now: () => number;

  /** @param now a clock that only goes forward, milliseconds */
  constructor(events: LedgerCollection, now: () => number = () => performance.now()) {
    this.#events = events;
    this.#now = now;
  }

  async append(entries: readonly LedgerEntry[]): Promise<readonly Appended[]> {
    entries.forEach(checkEntry);
    const places: Appended[] = [];
    for (const entry of entries) {
      const place = await this.#appendOne(entry, []);
      if (place !== null) places.push(place);
    }
    return places;
  }

  async appendUnless(entry: LedgerEntry, ids: readonly string[]): Promise<Appended | null> {
    checkEntry(entry);
    return this.#appendOne(entry, ids);
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
      { readConcern: { level: 'majority' }, ...ANSWER },
    );
    return (await found.toArray()).map(({ _id, ...event }) => event);
  }

  /** @returns null when the stream holds one of these ids */
  async #appendOne(entry: LedgerEntry, unless: readonly string[]): Promise<Appended | null> {
    // A local read is enough: an insert that follows an event is durable only after that event is.
    let head = this.#known(entry.stream) ?? (await this.#newest(entry.stream, 'local'));
    for (let attempt = 1; ; attempt += 1) {
      // After the head was read: what is written from here on takes the place that this event would have.
      if (unless.length > 0 && (await this.#holdsAny(entry.stream, unless))) return null;
      const event = chain(entry, head);
      try {
        await effect('ledger.insert', () =>
          this.#events.insertOne(
            { _id: event.hash, ...event },
            { writeConcern: { w: 'majority', journal: true }, ...ANSWER },
          ),
        );
        this.#know(event);
        return { sequence: event.sequence, hash: event.hash, repeated: false };
      } catch (error) {
        this.#heads.delete(entry.stream);
        if (!isDuplicateKey(error) || attempt >= ATTEMPTS) throw error;
      }
      const existing = await this.find(entry.stream, entry.id);
      if (existing !== null) return repeatOf(entry, existing);
      await pause(attempt);
      head = await this.#newest(entry.stream, 'local');
    }
  }

  async #holdsAny(stream: string, ids: readonly string[]): Promise<boolean> {
    const query = { stream, id: { $in: [...ids] } };
    return (await this.#events.findOne(query, { readConcern: { level: 'local' }, ...ANSWER })) !== null;
  }

  #known(stream: string): LedgerHead | null {
    const known = this.#heads.get(stream);
    return known !== undefined && this.#now() - known.knownAt < HEAD_KNOWN_MS ? known : null;
  }

  #know({ stream, sequence, hash }: StoredEvent): void {
    if (this.#heads.size >= MOST_HEADS) this.#heads.clear();
    this.#heads.set(stream, { sequence, hash, knownAt: this.#now() });
  }

  async #newest(stream: string, level: 'local' | 'majority'): Promise<LedgerHead> {
    const found = await this.#events.findOne(
      { stream },
      {
        sort: { sequence: -1 },
        projection: { _id: 0, sequence: 1, hash: 1 },
        readConcern: { level },
        ...ANSWER,
      },
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
