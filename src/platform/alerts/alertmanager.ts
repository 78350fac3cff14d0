import type { Alert, AlertChannel } from './alerts.js';
import { postJson } from './post.js';

export interface AlertmanagerOptions {
  readonly name: string;
  /** Base address, e.g. http://127.0.0.1:9093 */
  readonly url: string;
}

/** An alert that nobody resolves ends by itself after so long. Without an end Alertmanager would end it after its `resolve_timeout`. */
const HOLDS_MS = 24 * 3_600_000;

/** Prometheus Alertmanager, API v2. It groups, silences and routes by the labels; the key among them makes a repeat the same alert. */
export const alertmanagerChannel = ({ name, url }: AlertmanagerOptions): AlertChannel => ({
  name,
  async send(alert) {
    const address = `${url.replace(/\/+$/, '')}/api/v2/alerts`;
    await postJson({ receiver: name, url: address, body: JSON.stringify([alertmanagerAlert(alert)]) });
  },
});

export function alertmanagerAlert({ model, key, severity, title, text, at, state, link }: Alert): object {
  const ends = state === 'resolved' ? at : new Date(Date.parse(at) + HOLDS_MS).toISOString();
  return {
    labels: { alertname: 'Tenure', model, severity, key },
    annotations: { summary: title, description: text },
    // A resolution must not look as if the alert had begun at its end.
    ...(state === 'resolved' ? {} : { startsAt: at }),
    endsAt: ends,
    ...(link === undefined ? {} : { generatorURL: link }),
  };
}
