import type { Logger } from 'pino';
import type { Alert, AlertChannel } from './alerts.js';

const LEVELS = { info: 'info', warning: 'warn', critical: 'error' } as const;

/** Alerts as log lines, for whoever watches the log. */
export const logChannel = (logger: Logger): AlertChannel => ({
  name: 'log',
  async send({ model, key, severity, title, text, at, state = 'firing', incident }: Alert) {
    const level = state === 'resolved' ? 'info' : LEVELS[severity];
    logger[level](
      {
        model,
        alert: key,
        severity,
        state,
        at,
        text,
        ...(incident === undefined ? {} : { incident: incident.id }),
      },
      title,
    );
  },
});
