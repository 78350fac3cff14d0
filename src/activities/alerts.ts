import type { AlertActivities } from '../contracts/activities.js';
import type { AlertDesk } from '../platform/alerts/index.js';

export function createAlertActivities(deps: { readonly alerts: AlertDesk }): AlertActivities {
  return {
    async sendAlert(alert) {
      await deps.alerts.send(alert);
    },
  };
}
