import type { Db } from 'mongodb';
import { effect } from '../../fail-points/index.js';
import { collectionsOf, type Collections } from '../mongo/connect.js';
import type { AlertDocument } from '../mongo/documents.js';
import { isDuplicateKey } from '../mongo/errors.js';
import type { Alert, AlertChannel, AlertDesk } from './alerts.js';

/** People wait for it: a database that hangs is not waited for any longer. */
const KEEP_MS = 5_000;
const MOST_UNKEPT = 1_000;

/**
 * Alerts kept in MongoDB, so that each is told once a channel, and none is forgotten. That MongoDB is away is something to be told
 * of too: then the channels are told all the same, once in this process. The database must be prepared.
 */
export class MongoAlertDesk implements AlertDesk {
  readonly #alerts: Collections['alerts'];
  readonly #channels: readonly AlertChannel[];
  /** Told although they could not be kept: id -> channels. */
  readonly #unkept = new Map<string, readonly string[]>();

  constructor(db: Db, channels: readonly AlertChannel[]) {
    this.#alerts = collectionsOf(db).alerts;
    this.#channels = channels;
  }

  async send(alert: Alert): Promise<boolean> {
    const { key, ...said } = alert;
    const id = alert.state === 'resolved' ? `${key}/resolved` : key;
    let told: readonly string[] = this.#unkept.get(id) ?? [];
    try {
      await effect('alert.keep', () =>
        this.#alerts.insertOne({ _id: id, ...said, sentAt: null }, { timeoutMS: KEEP_MS }),
      );
    } catch (error) {
      if (!isDuplicateKey(error)) {
        await this.#tellUnkept(id, alert, told);
        throw error;
      }
      const before = await this.#alerts.findOne({ _id: id }, { timeoutMS: KEEP_MS });
      if (before !== null && before.sentAt !== null) return false;
      told = [...told, ...(before?.told ?? [])];
    }
    await this.#tell(id, alert, told);
    this.#unkept.delete(id);
    return true;
  }

  async #tellUnkept(id: string, alert: Alert, told: readonly string[]): Promise<void> {
    const channels = this.#channels.filter(({ name }) => !told.includes(name));
    const results = await Promise.allSettled(channels.map((channel) => channel.send(alert)));
    const done = channels.filter((_, i) => results[i]?.status === 'fulfilled').map(({ name }) => name);
    if (this.#unkept.size >= MOST_UNKEPT) this.#unkept.clear();
    this.#unkept.set(id, [...told, ...done]);
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
            told: { $setUnion: [{ $ifNull: ['$told', []] }, [...told, ...done]] },
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
