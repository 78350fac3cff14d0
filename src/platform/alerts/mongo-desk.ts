import type { Db } from 'mongodb';
import { effect } from '../../fail-points/index.js';
import { collectionsOf, type Collections } from '../mongo/connect.js';
import { isDuplicateKey } from '../mongo/errors.js';
import type { Alert, AlertChannel, AlertDesk } from './alerts.js';

/** Alerts kept in MongoDB, so that each is told once. The database must be prepared. */
export class MongoAlertDesk implements AlertDesk {
  readonly #alerts: Collections['alerts'];
  readonly #channels: readonly AlertChannel[];

  constructor(db: Db, channels: readonly AlertChannel[]) {
    this.#alerts = collectionsOf(db).alerts;
    this.#channels = channels;
  }

  async send(alert: Alert): Promise<boolean> {
    const { key, model, severity, title, text, at } = alert;
    try {
      await effect('alert.keep', () =>
        this.#alerts.insertOne({ _id: key, model, severity, title, text, at, sentAt: null }),
      );
    } catch (error) {
      if (!isDuplicateKey(error)) throw error;
      const before = await this.#alerts.findOne({ _id: key });
      if (before !== null && before.sentAt !== null) return false;
    }
    await effect('alert.tell', () => Promise.all(this.#channels.map((channel) => channel.send(alert))));
    await effect('alert.note', () => this.#alerts.updateOne({ _id: key }, [{ $set: { sentAt: '$$NOW' } }]));
    return true;
  }
}
