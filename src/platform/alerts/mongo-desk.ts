import type { Db, Document } from 'mongodb';
import { effect } from '../../fail-points/index.js';
import { collectionsOf, type Collections } from '../mongo/connect.js';
import type { AlertDocument } from '../mongo/documents.js';
import { isDuplicateKey } from '../mongo/errors.js';
import type { Alert, AlertChannel, AlertDesk, Retried } from './alerts.js';

/** People wait for it: a database that hangs is not waited for any longer. */
const KEEP_MS = 5_000;
const MOST_UNKEPT = 1_000;
/** So long whoever sent an alert tries by itself. */
const OWN_TRIES_MS = 2 * 60_000;
const GIVEN_UP_MS = 3 * 24 * 3_600_000;

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
    const { done } = await this.#ask(alert, told);
    if (this.#unkept.size >= MOST_UNKEPT) this.#unkept.clear();
    this.#unkept.set(id, [...told, ...done]);
  }

  async retryPending(limit: number): Promise<Retried> {
    const now = Date.now();
    const pending = await this.#alerts
      .find(
        { sentAt: null, at: { $gt: iso(now - GIVEN_UP_MS), $lt: iso(now - OWN_TRIES_MS) } },
        { sort: { triedAt: 1, at: 1 }, limit },
      )
      .toArray();
    const down = new Set<string>();
    const problems = new Set<string>();
    let told = 0;
    for (const document of pending) {
      if (await this.#isOver(document)) {
        await this.#note(document._id, { sentAt: '$$NOW', superseded: true });
        continue;
      }
      const before = document.told ?? [];
      const result = await this.#ask(alertOf(document), [...before, ...down]);
      for (const { name, why } of result.failed) {
        down.add(name);
        problems.add(why);
      }
      const done = [...before, ...result.done];
      const isDone = this.#channels.every(({ name }) => done.includes(name));
      await this.#note(document._id, {
        told: { $setUnion: [{ $ifNull: ['$told', []] }, done] },
        triedAt: '$$NOW',
        ...(isDone ? { sentAt: '$$NOW' } : {}),
      });
      if (isDone) told += 1;
    }
    return { told, problems: [...problems] };
  }

  /** Who heard late that it began would believe that it holds. */
  async #isOver({ _id, model, at, state, incident }: AlertDocument): Promise<boolean> {
    if (state === 'resolved') return false;
    const ofIncident =
      incident === undefined ? [] : [{ 'incident.id': incident.id, 'incident.ends.notice': incident.notice }];
    const end = await this.#alerts.findOne({
      model,
      at: { $gte: at },
      state: 'resolved',
      $or: [{ _id: `${_id}/resolved` }, ...ofIncident],
    });
    return end !== null;
  }

  /** One channel that is out of order keeps the alert from no other. */
  async #tell(id: string, alert: Alert, told: readonly string[]): Promise<void> {
    const { done, failed } = await effect('alert.tell', () => this.#ask(alert, told));
    await effect('alert.note', () =>
      this.#note(id, {
        told: { $setUnion: [{ $ifNull: ['$told', []] }, [...told, ...done]] },
        ...(failed.length === 0 ? { sentAt: '$$NOW' } : {}),
      }),
    );
    if (failed.length > 0)
      throw new Error([...new Set(failed.map(({ why }) => why))].join('; '), { cause: failed[0]?.cause });
  }

  /** Every channel but these, side by side. */
  async #ask(alert: Alert, but: readonly string[]): Promise<Asked> {
    const channels = this.#channels.filter(({ name }) => !but.includes(name));
    const results = await Promise.allSettled(channels.map((channel) => channel.send(alert)));
    const done: string[] = [];
    const failed: Failed[] = [];
    for (const [i, { name }] of channels.entries()) {
      const result = results[i];
      if (result?.status === 'fulfilled') done.push(name);
      else failed.push({ name, why: reasonOf(result?.reason), cause: result?.reason });
    }
    return { done, failed };
  }

  #note(id: string, fields: Document): Promise<unknown> {
    return this.#alerts.updateOne({ _id: id }, [{ $set: fields }]);
  }
}

interface Failed {
  readonly name: string;
  readonly why: string;
  readonly cause: unknown;
}

interface Asked {
  readonly done: readonly string[];
  readonly failed: readonly Failed[];
}

const iso = (time: number): string => new Date(time).toISOString();

const reasonOf = (problem: unknown): string => (problem instanceof Error ? problem.message : String(problem));

function alertOf(document: AlertDocument): Alert {
  const { _id, told: _told, sentAt: _sentAt, triedAt: _triedAt, superseded: _superseded, ...said } = document;
  return { ...said, key: said.state === 'resolved' ? _id.replace(/\/resolved$/, '') : _id };
}
