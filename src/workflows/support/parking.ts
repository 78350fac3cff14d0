import { condition, isCancellation, log, workflowInfo } from '@temporalio/workflow';
import { describeFailure, isRefusal } from './failures.js';
import { run } from './run.js';

export interface Parked {
  readonly what: string;
  readonly why: string;
  readonly since: string;
  readonly retryAt: string;
}

const FIRST_PAUSE_MS = 60_000;
const LONGEST_PAUSE_MS = 30 * 60_000;

/**
 * Keeps at an act until it is done. When an activity's attempts are spent, the workflow parks: people are told, and it tries
 * again on a durable timer or when an operator says so. A bug in an activity so never loses a release.
 */
export class ParkingLot {
  #parked: readonly Parked[] = [];
  #retries = 0;

  readonly #model: string;
  readonly #changed: () => void;

  constructor(model: string, changed: () => void) {
    this.#model = model;
    this.#changed = changed;
  }

  /** What has been parked longest. */
  get parked(): Parked | null {
    return this.#parked[0] ?? null;
  }

  /** How often an operator has asked to try again. */
  get retries(): number {
    return this.#retries;
  }

  /** The operator's `retry`. */
  retry(): void {
    this.#retries += 1;
  }

  /**
   * @param what the act in words, e.g. `promote v2`
   * @param evenIfRefused park on the typed refusals of contracts/failures.ts too, for acts that have no way out
   * @throws those refusals, and cancellation; nothing else
   */
  async untilDone<T>(what: string, act: () => Promise<T>, evenIfRefused = false): Promise<T> {
    for (let pause = FIRST_PAUSE_MS; ; pause = Math.min(2 * pause, LONGEST_PAUSE_MS)) {
      try {
        return await act();
      } catch (error) {
        if (isCancellation(error) || (isRefusal(error) && !evenIfRefused)) throw error;
        await this.#park(what, describeFailure(error), pause);
      }
    }
  }

  async #park(what: string, why: string, pause: number): Promise<void> {
    const now = Date.now();
    const parked: Parked = {
      what,
      why,
      since: new Date(now).toISOString(),
      retryAt: new Date(now + pause).toISOString(),
    };
    this.#parked = [...this.#parked, parked];
    this.#changed();
    await alert(
      this.#model,
      `${workflowInfo().workflowId}/parked/${what}`,
      'warning',
      `Parked: ${what}`,
      why,
    );
    const seen = this.#retries;
    try {
      await condition(() => this.#retries !== seen, pause, { summary: `try again: ${what}` });
    } finally {
      this.#parked = this.#parked.filter((other) => other !== parked);
      this.#changed();
    }
  }
}

/** Tells people. An alert that cannot be sent stops nothing. */
export async function alert(
  model: string,
  key: string,
  severity: 'info' | 'warning' | 'critical',
  title: string,
  text: string,
): Promise<void> {
  try {
    await run('sendAlert', title, { model, key, severity, title, text, at: new Date().toISOString() });
  } catch (error) {
    if (isCancellation(error)) throw error;
    log.warn('Alert not sent', { key, reason: describeFailure(error) });
  }
}
