import { log } from '@temporalio/activity';
import { MongoError } from 'mongodb';
import type { Alert, AlertDesk } from '../../platform/alerts/index.js';

/**
 * A receiver that is out of order fails no tick: the alert is kept, and the doctor's rounds tell it when the receiver is back. One that
 * could not be kept fails it, as anything does while the database is away: the repeat sends it again.
 */
export async function sendAlert(alerts: AlertDesk, alert: Alert): Promise<void> {
  try {
    await alerts.send(alert);
  } catch (error) {
    if (error instanceof MongoError) throw error;
    const { key: id, title } = alert;
    log.warn('A receiver did not take an alert of a monitor: it is tried again', { id, title, error });
  }
}
