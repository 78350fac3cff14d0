import type { AlertIncident, AlertMessage } from '../../contracts/activities.js';

/** Something that people are told of. */
export interface Alert extends AlertMessage {
  /** Where to look: the workflow in the Temporal UI. */
  readonly link?: string;
}

/** What a receiver joins alerts by: the incident, or the alert that stands alone. */
export const threadOf = ({ key, incident }: Alert): string => incident?.id ?? key;

const SHOWN = 10;

/** `Ada (owner), Ben (on-call)`. */
export const contactsInWords = ({ contacts }: AlertIncident): string =>
  contacts.length === 0
    ? 'no contacts are named'
    : contacts.map(({ name, role }) => `${name} (${role})`).join(', ');

/** Where the evidence is: how to show the incident, and the findings. */
export function evidenceInWords({ id, findings }: AlertIncident): string {
  const [, model = '', number = ''] = /^incident:(.+):(\d+)$/.exec(id) ?? [];
  const more = findings.length > SHOWN ? ` and ${findings.length - SHOWN} more` : '';
  const found = findings.length === 0 ? '' : `; findings ${findings.slice(0, SHOWN).join(', ')}${more}`;
  return `tenure incident show ${model} ${number}${found}`;
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
   * Tries again what not every channel has taken and nobody else tries any more: a receiver that comes back so gets what it missed.
   * What is over is not told late, and what is older than three days is given up. A channel that does not answer is asked once a call.
   * @param limit how many alerts at most, those first that were not tried for longest
   */
  retryPending(limit: number): Promise<Retried>;
}

export interface Retried {
  /** Alerts that every channel has taken now. */
  readonly told: number;
  /** Why others still wait, once each reason. */
  readonly problems: readonly string[];
}
