import { contactsInWords, evidenceInWords, threadOf, type Alert, type AlertChannel } from './alerts.js';
import { postJson } from './post.js';

export interface AlertmanagerOptions {
  readonly name: string;
  /** Base address, e.g. http://127.0.0.1:9093 */
  readonly url: string;
}

/** An alert that nobody resolves ends by itself after so long. Without an end Alertmanager would end it after its `resolve_timeout`. */
const HOLDS_MS = 24 * 3_600_000;
/** An incident is resolved by its workflow, however long that takes. */
const INCIDENT_HOLDS_MS = 90 * HOLDS_MS;

/**
 * Prometheus Alertmanager, API v2. It groups, silences and routes by the labels; the key among them makes a repeat the same alert.
 * The alerts of an incident have its id as their key, and the label `notice` tells them apart, so that an escalation is told too.
 */
export const alertmanagerChannel = ({ name, url }: AlertmanagerOptions): AlertChannel => ({
  name,
  async send(alert) {
    const address = `${url.replace(/\/+$/, '')}/api/v2/alerts`;
    await postJson({ receiver: name, url: address, body: JSON.stringify(alertmanagerAlerts(alert)) });
  },
});

/** One, or at the end of an incident each that was told. */
function alertmanagerAlerts(alert: Alert): readonly object[] {
  const { incident, severity, state } = alert;
  if (state !== 'resolved' || incident?.ends === undefined) return [alertmanagerAlert(alert, severity)];
  return incident.ends.map((told) => alertmanagerAlert(alert, told.severity, told.notice));
}

function alertmanagerAlert(
  alert: Alert,
  severity: Alert['severity'],
  notice: string | undefined = alert.incident?.notice,
): object {
  const { model, title, text, at, state, link, incident } = alert;
  const holds = incident === undefined ? HOLDS_MS : INCIDENT_HOLDS_MS;
  const ends = state === 'resolved' ? at : new Date(Date.parse(at) + holds).toISOString();
  return {
    labels: {
      alertname: 'Tenure',
      model,
      severity,
      key: threadOf(alert),
      ...(notice === undefined ? {} : { notice }),
    },
    annotations: { summary: title, description: text, ...incidentAnnotations(incident) },
    // A resolution must not look as if the alert had begun at its end.
    ...(state === 'resolved' ? {} : { startsAt: at }),
    endsAt: ends,
    ...(link === undefined ? {} : { generatorURL: link }),
  };
}

const incidentAnnotations = (incident: Alert['incident']): object =>
  incident === undefined ? {} : { contacts: contactsInWords(incident), evidence: evidenceInWords(incident) };
