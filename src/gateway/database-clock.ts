import type { Logger } from 'pino';

/** No clock that is kept by anybody is off by so much, and far less than what makes a window late. */
const OFF_SECONDS = 30;
/** Of an answer that took longer nobody knows when it was true. */
const SLOWEST_MS = 5_000;

export interface DatabaseClockSettings {
  /** What the database's clock says, epoch milliseconds; null: nobody to ask. */
  readonly ask: (() => Promise<number>) | null;
  readonly everyMs: number;
  readonly log: Logger;
}

/**
 * The time by the database's clock: windows are placed by it, and a machine's own may be hours off. Asked for now and then, off the way
 * of requests; in between, and while the database is away, the steady clock goes on from there, which nobody sets.
 */
export class DatabaseClock {
  readonly #settings: DatabaseClockSettings;
  /** The database's time when the steady clock was at 0; null until it was asked. */
  #origin: number | null = null;
  #wasOff = false;
  #timer: NodeJS.Timeout | undefined;

  constructor(settings: DatabaseClockSettings) {
    this.#settings = settings;
  }

  /** Epoch milliseconds, by this machine's clock until the database has answered. */
  now(): number {
    return this.#origin === null ? Date.now() : Math.round(this.#origin + performance.now());
  }

  /** By how much this machine's clock is behind, below 0: ahead; null until the database has answered. */
  get behindSeconds(): number | null {
    return this.#origin === null ? null : Math.round((this.now() - Date.now()) / 100) / 10;
  }

  get isOff(): boolean {
    return Math.abs(this.behindSeconds ?? 0) > OFF_SECONDS;
  }

  /** Asks once before it returns, also when there is no answer. */
  async start(): Promise<void> {
    const { ask, everyMs } = this.#settings;
    if (ask === null) return;
    await this.#look(ask);
    this.#timer = setInterval(() => void this.#look(ask), everyMs);
    this.#timer.unref();
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  async #look(ask: () => Promise<number>): Promise<void> {
    const before = performance.now();
    // A database that is away is told by whoever reads the tables.
    const told = await ask().catch(() => null);
    const after = performance.now();
    if (told === null || after - before > SLOWEST_MS) return;
    this.#origin = told - (before + after) / 2;
    const { isOff, behindSeconds } = this;
    if (isOff && !this.#wasOff)
      this.#settings.log.warn(
        { behindSeconds },
        'The clock of this machine is not that of MongoDB: windows carry the time of MongoDB',
      );
    if (!isOff && this.#wasOff) this.#settings.log.info('The clock of this machine is right again');
    this.#wasOff = isOff;
  }
}
