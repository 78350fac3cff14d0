/** Something that people are told of. */
export interface Alert {
  readonly model: string;
  /** The same key again is the same alert. */
  readonly key: string;
  readonly severity: Severity;
  readonly title: string;
  readonly text: string;
  /** ISO 8601. */
  readonly at: string;
  /** `resolved`: what the key told of is over. Absent: it holds. */
  readonly state?: 'firing' | 'resolved';
  /** Where to look, e.g. the workflow in the Temporal UI. */
  readonly link?: string;
}

export const SEVERITIES = ['info', 'warning', 'critical'] as const;
export type Severity = (typeof SEVERITIES)[number];

/** A way to reach people: a log, a pager, a chat. */
export interface AlertChannel {
  readonly name: string;
  /**
   * The same alert may come twice: the key tells the receiver.
   * @throws ReceiverError when the receiver did not take it
   */
  send(alert: Alert): Promise<void>;
}

/** A receiver did not take an alert. Never holds its address: the address of a chat's webhook is a secret. */
export class ReceiverError extends Error {
  override readonly name = 'ReceiverError';
  readonly receiver: string;

  constructor(receiver: string, reason: string, options?: ErrorOptions) {
    super(`Receiver ${receiver}: ${reason}`, options);
    this.receiver = receiver;
  }
}

export interface AlertDesk {
  /**
   * Tells every channel, once a key and state. A crash between telling and noting it can tell twice, never not at all.
   * @returns false when the alert had been sent before
   * @throws when a channel fails, after the others were told; a repeat tries those that failed
   */
  send(alert: Alert): Promise<boolean>;
  /**
   * Tries again what not every channel has taken, oldest first.
   * @returns how many were told now
   * @throws when a channel fails again
   */
  retryPending(limit: number): Promise<number>;
}
