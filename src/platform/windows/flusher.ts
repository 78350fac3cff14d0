import type { WindowBatch } from '../../contracts/windows.js';
import type { Spool } from './spool.js';
import type { WindowStore } from './store.js';

/** Batches stored at a time when the spool is worked off. */
const CHUNK = 200;
/** While the store is away it is tried so often; in between batches go straight to the spool. */
const RETRY_MS = 2_000;
/** Beyond this age the compactor has forgotten which batches it merged, so that a repeat could be counted twice. */
const OLDEST_MS = 30 * 86_400_000;

export interface FlusherState {
  /** False after a store failed, until one succeeds. */
  readonly storing: boolean;
  readonly spooledBatches: number;
  readonly spooledBytes: number;
  readonly lostBatches: number;
  readonly lostRequests: number;
  readonly lastError: string | null;
  /** Why the spool's file does not take what it should; null when it does. */
  readonly spoolError: string | null;
}

/**
 * Brings closed windows into the store, or into the spool while the store is away; the spool goes first when it is back.
 * A crash loses what was counted since the last flush and what is on its way to the spool; a batch is never counted twice.
 */
export class Flusher {
  readonly #store: WindowStore;
  readonly #spool: Spool;
  #tail: Promise<void> = Promise.resolve();
  #storing = true;
  #lostBatches = 0;
  #lostRequests = 0;
  #lastError: string | null = null;
  #spoolError: string | null = null;
  #retryAt = 0;

  constructor(store: WindowStore, spool: Spool) {
    this.#store = store;
    this.#spool = spool;
  }

  get state(): FlusherState {
    return {
      storing: this.#storing,
      spooledBatches: this.#spool.batches,
      spooledBytes: this.#spool.bytes,
      lostBatches: this.#lostBatches,
      lostRequests: this.#lostRequests,
      lastError: this.#lastError,
      spoolError: this.#spoolError,
    };
  }

  get lost(): WindowBatch['lost'] {
    return { batches: this.#lostBatches, requests: this.#lostRequests };
  }

  /** Stores or spools, one flush after the other; never throws. */
  flush(batches: readonly WindowBatch[]): Promise<void> {
    this.#tail = this.#tail.then(() => this.#work(batches)).catch((error: unknown) => this.#failed(error));
    return this.#tail;
  }

  /** The last flush: tries the store whatever happened before. */
  finish(batches: readonly WindowBatch[]): Promise<void> {
    this.#tail = this.#tail.then(() => void (this.#retryAt = 0));
    return this.flush(batches);
  }

  async #work(batches: readonly WindowBatch[]): Promise<void> {
    try {
      if (performance.now() < this.#retryAt) throw new Error(this.#lastError ?? 'the store is away');
      await this.#drain();
      await this.#store.insert(batches);
      this.#storing = true;
      this.#lastError = null;
    } catch (error) {
      if (performance.now() >= this.#retryAt) this.#retryAt = performance.now() + RETRY_MS;
      this.#failed(error);
      for (const batch of batches) {
        if (!(await this.#spooled(batch))) this.#give(batch);
      }
    }
  }

  async #spooled(batch: WindowBatch): Promise<boolean> {
    try {
      const kept = await this.#spool.add(batch);
      this.#spoolError = kept ? null : 'the spool is full';
      return kept;
    } catch (error) {
      this.#spoolError = messageOf(error);
      return false;
    }
  }

  async #drain(): Promise<void> {
    if (this.#spool.batches === 0) return;
    const oldest = Date.now() - OLDEST_MS;
    const tooOld: WindowBatch[] = [];
    for await (const chunk of this.#spool.chunks(CHUNK)) {
      tooOld.push(...chunk.filter(({ to }) => to < oldest));
      await this.#store.insert(chunk.filter(({ to }) => to >= oldest));
    }
    await this.#spool.clear();
    this.#spoolError = null;
    // Once, when nothing is sent again.
    for (const batch of tooOld) this.#give(batch);
  }

  #give({ cells }: WindowBatch): void {
    this.#lostBatches += 1;
    for (const { requests } of cells) {
      for (const count of Object.values(requests)) this.#lostRequests += count;
    }
  }

  #failed(error: unknown): void {
    this.#storing = false;
    this.#lastError = messageOf(error);
  }
}

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
