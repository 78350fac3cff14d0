import { createHash } from 'node:crypto';
import { contactsInWords, evidenceInWords, threadOf, type Alert, type AlertChannel } from './alerts.js';
import { postJson } from './post.js';

export interface PagerDutyOptions {
  readonly name: string;
  /** Of the service's Events API v2 integration; a secret. */
  readonly routingKey: string;
  /** Another address than PagerDuty's, e.g. its one in Europe. */
  readonly url?: string;
}

const ADDRESS = 'https://events.pagerduty.com/v2/enqueue';
/** Limits of the Events API v2, in characters. */
const KEY_LENGTH = 255;
const SUMMARY_LENGTH = 1024;

/** PagerDuty, Events API v2: one incident a key, or an incident of Tenure, triggered and resolved. */
export const pagerDutyChannel = ({ name, routingKey, url = ADDRESS }: PagerDutyOptions): AlertChannel => ({
  name,
  async send(alert) {
    await postJson({
      receiver: name,
      url,
      body: JSON.stringify({ routing_key: routingKey, ...pagerDutyEvent(alert) }),
    });
  },
});

function pagerDutyEvent(alert: Alert): object {
  const { model, key, severity, title, text, at, state, link, incident } = alert;
  const common = { dedup_key: shortKey(threadOf(alert)) };
  if (state === 'resolved') return { ...common, event_action: 'resolve' };
  return {
    ...common,
    event_action: 'trigger',
    payload: {
      summary: `${model}: ${title}`.slice(0, SUMMARY_LENGTH),
      source: `tenure/${model}`,
      severity,
      timestamp: at,
      component: model,
      custom_details: {
        text,
        key,
        ...(incident === undefined
          ? {}
          : { contacts: contactsInWords(incident), evidence: evidenceInWords(incident) }),
      },
    },
    ...(link === undefined ? {} : { links: [{ href: link, text: 'Temporal UI' }] }),
  };
}

/** Keys beyond the limit would be refused; cut off, two could be one. */
const shortKey = (key: string): string =>
  key.length <= KEY_LENGTH ? key : createHash('sha256').update(key).digest('hex');
