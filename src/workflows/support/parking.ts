import {
  CancellationScope,
  condition,
  isCancellation,
  log,
  patched,
  workflowInfo,
} from '@temporalio/workflow';
import type { AlertMessage, TrafficChanged } from '../../contracts/activities.js';
import type { Trouble } from '../../contracts/incidents.js';
import { describeFailure, isRefusal, recordedEnd } from './failures.js';
import { run } from './run.js';

export interface Parked {
  readonly what: string;
  readonly why: string;
  readonly since: string;
  readonly retryAt: string;
}

/** An act that fails, or is not seen done, until it is. */
export interface TroubleBegun {
  readonly origin: Trouble['origin'];
  /** What fails, in words; the same again is the same trouble. */
  readonly what: string;
  readonly severity: Trouble['severity'];
  readonly title: string;
  readonly text: string;
  /** Of the alert, where it is told as one. */
  readonly key: string;
}

/** Where troubles are told: as incidents. */
export interface Troubles {
  /** @returns false when it takes none: then it is an alert */
  begin(trouble: TroubleBegun): boolean;
  end(origin: Trouble['origin'], what: string): void;
}

const NO_TROUBLES: Troubles = { begin: () => false, end: () => undefined };

const FIRST_PAUSE_MS = 60_000;
const LONGEST_PAUSE_MS = 30 * 60_000;

/**
 * Keeps at an act until it is done. When an activity's attempts are spent, the workflow parks: people are told, and it tries
 * again on a durable timer or when an operator says so. A bug in an activity so never loses a release.
 */
export class ParkingLot {
  #parked: readonly Parked[] = [];
  #retries = 0;
  #telling = 0;
  #countedOut = '';

  readonly #model: string;
  readonly #changed: () => void;
  readonly #troubles: Troubles;

  /** @param troubles where what fails becomes an incident; without, or where it takes none, it is told as an alert of its own */
  constructor(model: string, changed: () => void, troubles: Troubles = NO_TROUBLES) {
    this.#model = model;
    this.#changed = changed;
    this.#troubles = troubles;
  }

  /** What has been parked longest. */
  get parked(): Parked | null {
    return this.#parked[0] ?? null;
  }

  /** Something is parked that is not this. */
  holdsUp(except: string): boolean {
    return this.#parked.some(({ what }) => what !== except);
  }

  /** How often an operator has asked to try again. */
  get retries(): number {
    return this.#retries;
  }

  /** No alert is under way. */
  get quiet(): boolean {
    return this.#telling === 0;
  }

  /** The operator's `retry`. */
  retry(): void {
    this.#retries += 1;
  }

  /**
   * @param what the act in words, e.g. `promote v2`
   * @param evenIfRefused park on the typed refusals of contracts/failures.ts too, for acts that have no way out
   * @throws those refusals, `ReleaseOver`, and cancellation; nothing else
   */
  async untilDone<T>(what: string, act: () => Promise<T>, evenIfRefused = false): Promise<T> {
    let since: string | undefined;
    for (let pause = FIRST_PAUSE_MS; ; pause = Math.min(2 * pause, LONGEST_PAUSE_MS)) {
      try {
        const done = await act();
        this.#troubles.end('failed-action', what);
        return done;
      } catch (error) {
        const isFinal = isCancellation(error) || recordedEnd(error) !== null;
        if (isFinal || (isRefusal(error) && !evenIfRefused)) {
          this.#troubles.end('failed-action', what);
          throw error;
        }
        const why = describeFailure(error);
        // Told once each time that it comes to this, not once for ever.
        if (since === undefined) {
          since = new Date().toISOString();
          const key = `${workflowInfo().workflowId}/parked/${what}/${since}`;
          const title = `Parked: ${what}`;
          this.begin({ origin: 'failed-action', what, severity: 'warning', title, text: why, key });
        }
        await this.#park({ what, why, since, retryAt: new Date(Date.now() + pause).toISOString() }, pause);
      }
    }
  }

  async #park(parked: Parked, pause: number): Promise<void> {
    const seen = this.#retries;
    this.#parked = [...this.#parked, parked];
    this.#changed();
    try {
      await condition(() => this.#retries !== seen, pause, { summary: `try again: ${parked.what}` });
    } finally {
      this.#parked = this.#parked.filter((other) => other !== parked);
      this.#changed();
    }
  }

  /**
   * A change that was done without a gateway: it is safe, but somebody should look after that gateway. Told once for the same
   * gateways in the same run.
   */
  tellCountedOut(changeId: string, { unreachable }: Pick<TrafficChanged, 'unreachable'>): void {
    if (unreachable.length === 0 || !patched('counted-out-is-told')) return;
    const names = unreachable.join(', ');
    if (this.#countedOut === names) return;
    this.#countedOut = names;
    this.tell(
      `${changeId}/counted-out`,
      'warning',
      `Counted out: gateway(s) ${names}`,
      'Silent for longer than lease and margin: no candidate gets requests there any more, but what serves there may be an old ' +
        'champion. Start it again, or retire it',
    );
  }

  /** An act fails until `end` says that it does not: an incident where the model has them, else an alert. */
  begin(trouble: TroubleBegun): void {
    const { key, severity, title, text } = trouble;
    if (!this.#troubles.begin(trouble)) this.tell(key, severity, title, text);
  }

  end(origin: Trouble['origin'], what: string): void {
    this.#troubles.end(origin, what);
  }

  /** Tells people; the same key again is the same alert. Nothing waits for it, and one that cannot be sent stops nothing. */
  tell(key: string, severity: 'info' | 'warning' | 'critical', title: string, text: string): void {
    this.send({ model: this.#model, key, severity, title, text, at: new Date().toISOString() });
  }

  /** The same, of any alert. */
  send(alert: AlertMessage): void {
    this.carry(() =>
      run('sendAlert', alert.title, alert).catch((error: unknown) =>
        log.warn('Alert not sent', { key: alert.key, reason: describeFailure(error) }),
      ),
    );
  }

  /** A message that nothing waits for, but no run of the workflow ends without. */
  carry(send: () => Promise<void>): void {
    this.#telling += 1;
    void CancellationScope.nonCancellable(send).finally(() => {
      this.#telling -= 1;
    });
  }
}
