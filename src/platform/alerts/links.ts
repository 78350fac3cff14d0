import type { Alert, AlertChannel } from './alerts.js';

/** Gives every alert a link to where one looks, unless it has one. */
export const withLinks = (
  channels: readonly AlertChannel[],
  linkOf: (alert: Alert) => string,
): readonly AlertChannel[] =>
  channels.map((channel) => ({
    name: channel.name,
    send: (alert) => channel.send({ link: linkOf(alert), ...alert }),
  }));
