import type { Recorded } from '../../contracts/activities.js';
import type { LedgerEntry, LedgerHead, StoredEvent } from '../../contracts/ledger.js';
import {
  contentHash,
  LedgerConflictError,
  type LedgerReader,
  type LedgerWriter,
} from '../../ledger/index.js';
import { newest } from '../ledger.js';

/**
 * Writes what belongs to one act. An act towards safety does not wait for the ledger: after a short try it goes on, and what could
 * not be written is handed back to the workflow, which writes it later. A try that was given up may still succeed; then the
 * later one is a repeat.
 */
export class ActRecorder {
  readonly #ledger: LedgerWriter & LedgerReader;
  /** Milliseconds; null: as long as it takes. */
  readonly #patience: number | null;
  #head: LedgerHead | null = null;
  #unrecorded: readonly LedgerEntry[] = [];
  #lastPlace: number | null = null;

  constructor(ledger: LedgerWriter & LedgerReader, patience: number | null) {
    this.#ledger = ledger;
    this.#patience = patience;
  }

  get recorded(): Recorded {
    return { head: this.#head, unrecorded: this.#unrecorded };
  }

  /** Place of what was added last; null when it could not be written. */
  get lastPlace(): number | null {
    return this.#lastPlace;
  }

  /** Writes these after whatever could not be written before. */
  async add(...entries: readonly LedgerEntry[]): Promise<void> {
    const all = [...this.#unrecorded, ...entries];
    if (all.length === 0) return;
    try {
      await this.#append(all);
    } catch (error) {
      this.#keep(all, error);
    }
  }

  async #append(entries: readonly LedgerEntry[]): Promise<void> {
    const places = await within(this.#patience, this.#ledger.append(entries));
    this.#head = newest(places);
    this.#lastPlace = places.at(-1)?.sequence ?? null;
    this.#unrecorded = [];
  }

  #keep(entries: readonly LedgerEntry[], error: unknown): void {
    if (this.#patience === null) throw error;
    this.#unrecorded = entries;
    this.#lastPlace = null;
  }

  /**
   * Writes an act's outcome. Its figures are measured, so an attempt that repeats the act measures others: what the first one
   * recorded of the same generation stands, and the act done anew at another generation gets an id of its own.
   * @param unless where one of these ids is on record nothing is written: only for acts that wait for the ledger
   * @returns whether an outcome stands
   */
  async addOutcome(entry: LedgerEntry, repeated: boolean, unless: readonly string[] = []): Promise<boolean> {
    const earlier = await this.find(entry.stream, entry.id);
    if (earlier === null) return this.#addFirst(entry, repeated, unless);
    if (earlier === 'unknown') await this.add(repeated ? another(entry) : entry);
    else if (earlier.evidence['generation'] === entry.evidence['generation']) this.see(earlier);
    else await this.add(another(entry));
    return true;
  }

  /** `unknown`: the ledger did not answer in time, and the act does not wait. */
  async find(stream: string, id: string): Promise<StoredEvent | null | 'unknown'> {
    const found = await this.findAny(stream, [id]);
    return found === 'unknown' ? found : (found[0] ?? null);
  }

  /** Of these ids; `unknown` as above. */
  async findAny(stream: string, ids: readonly string[]): Promise<readonly StoredEvent[] | 'unknown'> {
    try {
      return await within(this.#patience, this.#ledger.findAny(stream, ids));
    } catch (error) {
      if (this.#patience === null) throw error;
      return 'unknown';
    }
  }

  async #addFirst(entry: LedgerEntry, repeated: boolean, unless: readonly string[]): Promise<boolean> {
    const all = [...this.#unrecorded, entry];
    try {
      if (unless.length === 0) await this.#append(all);
      else {
        const place = await this.#ledger.appendUnless(entry, unless);
        if (place === null) return false;
        this.see(place);
      }
    } catch (error) {
      // Another attempt was quicker: one of the two had been thought dead. Its figures stand, as the act was one.
      if (error instanceof LedgerConflictError && error.id === entry.id)
        return this.addOutcome(entry, repeated, unless);
      this.#keep(all, error);
    }
    return true;
  }

  /** Takes note of an event that stands already. */
  see({ sequence, hash }: LedgerHead): void {
    if (this.#head === null || sequence > this.#head.sequence) this.#head = { sequence, hash };
  }
}

/** Under an id made of its content, which no other content can have. */
const another = (entry: LedgerEntry): LedgerEntry => ({
  ...entry,
  id: `${entry.id}/again/${contentHash(entry).slice(0, 16)}`,
});

async function within<T>(milliseconds: number | null, act: Promise<T>): Promise<T> {
  if (milliseconds === null) return act;
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(
      () => reject(new Error(`The ledger did not answer within ${milliseconds} ms`)),
      milliseconds,
    );
  });
  try {
    return await Promise.race([act, late]);
  } finally {
    clearTimeout(timer);
  }
}
