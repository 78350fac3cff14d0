import { createHmac } from 'node:crypto';
import type { Alert, AlertChannel } from './alerts.js';
import { postJson } from './post.js';

export interface WebhookOptions {
  readonly name: string;
  readonly url: string;
  /** Signs every message, so that the receiver knows who sent it. */
  readonly secret: string;
}

/**
 * Any receiver of one's own: a CloudEvents 1.0 event in structured mode, signed as Standard Webhooks does it: `webhook-signature` is
 * `v1,` and the base64 HMAC-SHA256 of `id.timestamp.body`. A repeat has the same `id`.
 */
export const webhookChannel = ({ name, url, secret }: WebhookOptions): AlertChannel => ({
  name,
  async send(alert) {
    const event = cloudEvent(alert);
    const body = JSON.stringify(event);
    const timestamp = String(Math.floor(Date.now() / 1000));
    await postJson({
      receiver: name,
      url,
      headers: {
        'content-type': 'application/cloudevents+json',
        'webhook-id': event.id,
        'webhook-timestamp': timestamp,
        'webhook-signature': `v1,${signature(secret, `${event.id}.${timestamp}.${body}`)}`,
      },
      body,
    });
  },
});

const signature = (secret: string, text: string): string =>
  createHmac('sha256', secret).update(text).digest('base64');

function cloudEvent(alert: Alert): { readonly id: string; readonly [field: string]: unknown } {
  const { model, key, at, state = 'firing', ...data } = alert;
  return {
    specversion: '1.0',
    id: `${key}/${state}`,
    source: `tenure/${model}`,
    type: `tenure.alert.${state}`,
    subject: model,
    time: at,
    datacontenttype: 'application/json',
    data: { model, key, at, state, ...data },
  };
}
