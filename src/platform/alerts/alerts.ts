/** Something that people are told of. */
export interface Alert {
  readonly model: string;
  /** The same key again is the same alert. */
  readonly key: string;
  readonly severity: 'info' | 'warning' | 'critical';
  readonly title: string;
  readonly text: string;
  /** ISO 8601. */
  readonly at: string;
}

/** A way to reach people: a log, a mailbox, a chat. */
export interface AlertChannel {
  readonly name: string;
  send(alert: Alert): Promise<void>;
}

export interface AlertDesk {
  /**
   * Tells every channel, once a key. A crash between telling and noting it can tell twice, never not at all.
   * @returns false when the alert had been sent before
   * @throws when a channel fails; a repeat tries all of them again
   */
  send(alert: Alert): Promise<boolean>;
}
