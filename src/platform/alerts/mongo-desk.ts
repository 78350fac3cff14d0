import type { Db } from 'mongodb';
import { effect } from '../../fail-points/index.js';
import { collectionsOf, type Collections } from '../mongo/connect.js';
import type { AlertDocument } from '../mongo/documents.js';
import { isDuplicateKey } from '../mongo/errors.js';
import type { Alert, AlertChannel, AlertDesk } from './alerts.js';

/** Alerts kept in MongoDB, so that each is told once a channel, and none is forgotten. The database must be prepared. */
export class MongoAlertDesk implements AlertDesk {
  readonly #alerts: Collections['alerts'];
  readonly #channels: readonly AlertChannel[];

  constructor(db: Db, channels: readonly AlertChannel[]) {
    this.#alerts = collectionsOf(db).alerts;
    this.#channels = channels;
  }

  async send(alert: Alert): Promise<boolean> {
    const { key, ...said } = alert;
    const id = alert.state === 'resolved' ? `${key}/resolved` : key;
    let told: readonly string[] = [];
    try {
      await effect('alert.keep', () => this.#alerts.insertOne({ _id: id, ...said, sentAt: null }));
    } catch (error) {
      if (!isDuplicateKey(error)) throw error;
      const before = await this.#alerts.findOne({ _id: id });
      if (before !== null && before.sentAt !== null) return false;
      told = before?.told ?? [];
    }
    await this.#tell(id, alert, told);
    return true;
  }

  async retryPending(limit: number): Promise<number> {
    const pending = await this.#alerts.find({ sentAt: null }, { sort: { at: 1 }, limit }).toArray();
    const problems: unknown[] = [];
    for (const document of pending) {
      try {
        await this.#tell(document._id, alertOf(document), document.told ?? []);
      } catch (error) {
        problems.push(error);
      }
    }
    if (problems.length > 0) throw togetherOf(problems);
    return pending.length;
  }

  /** One channel that is out of order keeps the alert from no other. */
  async #tell(id: string, alert: Alert, told: readonly string[]): Promise<void> {
    const channels = this.#channels.filter(({ name }) => !told.includes(name));
    const results = await effect('alert.tell', () =>
      Promise.allSettled(channels.map((channel) => channel.send(alert))),
    );
    const done = channels.filter((_, i) => results[i]?.status === 'fulfilled').map(({ name }) => name);
    const problems = results.flatMap((result) => (result.status === 'rejected' ? [result.reason] : []));
    await effect('alert.note', () =>
      this.#alerts.updateOne({ _id: id }, [
        {
          $set: {
            told: { $setUnion: [{ $ifNull: ['$told', []] }, done] },
            ...(problems.length === 0 ? { sentAt: '$$NOW' } : {}),
          },
        },
      ]),
    );
    if (problems.length > 0) throw togetherOf(problems);
  }
}

function alertOf({ _id, told: _told, sentAt: _sentAt, ...said }: AlertDocument): Alert {
  return { ...said, key: said.state === 'resolved' ? _id.replace(/\/resolved$/, '') : _id };
}

function togetherOf(problems: readonly unknown[]): Error {
  const reasons = problems.map((problem) => (problem instanceof Error ? problem.message : String(problem)));
  return new Error([...new Set(reasons)].join('; '), { cause: problems[0] });
}
