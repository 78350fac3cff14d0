/**
 * After its lease was over, a gateway sends nothing to candidates for so long again: what was decided while the store was away is
 * written within about 15 s (src/workflows/support/pauses.ts), and must not be overtaken by the old table.
 */
export const RESUME_MS = 20_000;
/** An absence that no call to MongoDB has to time out in: what it held up is tried again within a pause of 5 s. */
const SHORT_MS = 10_000;
const RESUME_SOON_MS = 5_000;

/** How long a gateway may believe its tables: from a reading that was reported, for the table's lease. */
export class Lease {
  readonly #resumeMs: number;
  #heldFrom: number | null = null;
  #heldFromClock = 0;
  /** The longest time without renewal that matters still. */
  #gap = { ms: 0, endedAt: Number.NEGATIVE_INFINITY };
  /** What counts as the time before the first renewal. */
  #beforeMs = 0;

  constructor(resumeMs: number = RESUME_MS) {
    this.#resumeMs = resumeMs;
  }

  /** The store was away when the gateway started: nobody knows for how long. */
  startedWithout(): void {
    this.#beforeMs = Number.POSITIVE_INFINITY;
  }

  /**
   * @param from steady milliseconds before the reading: what it says was true then
   * @param fromClock the same by the clock that can be set
   */
  renew(from: number, fromClock: number): void {
    const ms = this.#heldFrom === null ? this.#beforeMs : from - this.#heldFrom;
    if (ms >= this.#gap.ms || from - this.#gap.endedAt >= this.#resumeMs) this.#gap = { ms, endedAt: from };
    this.#heldFrom = from;
    this.#heldFromClock = fromClock;
  }

  /**
   * Over as soon as one of two clocks says so: the steady one stands still while a machine is suspended, and the other can be set.
   * A clock that is set forward costs the candidate its requests until the next reading, a second later.
   */
  holds(leaseSeconds: number): boolean {
    const ms = leaseSeconds * 1_000;
    const now = performance.now();
    if (this.#heldFrom === null || now - this.#heldFrom > ms || Date.now() - this.#heldFromClock > ms)
      return false;
    const resumeMs = this.#gap.ms < SHORT_MS ? Math.min(RESUME_SOON_MS, this.#resumeMs) : this.#resumeMs;
    return this.#gap.ms <= ms || now - this.#gap.endedAt >= resumeMs;
  }
}
