import type { Collection, Db } from 'mongodb';
import { effect } from '../../fail-points/index.js';
import { databaseTime } from '../mongo/time.js';

/** `_id` is the shard. Times are the server's. */
interface BeatDocument {
  readonly _id: number;
  readonly since: Date;
  readonly seenAt: Date;
  readonly models: number;
  readonly limitMs?: number;
}

const ANSWER = { timeoutMS: 20_000 } as const;

/** When each monitor was last here. */
export class MonitorBeats {
  readonly #db: Db;
  readonly #monitors: Collection<BeatDocument>;

  constructor(db: Db) {
    this.#db = db;
    this.#monitors = db.collection('monitors');
  }

  /** The one clock by which windows are closed and silence is judged, epoch milliseconds. */
  now(): Promise<number> {
    return databaseTime(this.#db, ANSWER.timeoutMS);
  }

  /**
   * Notes that it is here.
   * @param limits.limitMs after how long it is silent
   * @param limits.awayMs who was not here for longer is here since now
   */
  async beat(
    shard: number,
    models: number,
    { limitMs, awayMs }: { readonly limitMs: number; readonly awayMs: number },
  ): Promise<void> {
    const wasAway = { $gt: [{ $subtract: ['$$NOW', '$seenAt'] }, awayMs] };
    const since = { $cond: [wasAway, '$$NOW', { $ifNull: ['$since', '$$NOW'] }] };
    await effect('monitor.beat', () =>
      this.#monitors.updateOne({ _id: shard }, [{ $set: { since, seenAt: '$$NOW', models, limitMs } }], {
        upsert: true,
        ...ANSWER,
      }),
    );
  }

  /** Others that are to be there: from now on they are missed. Those of a larger number of monitors than there is are not. */
  async expect(unknown: readonly number[], shards: number): Promise<void> {
    for (const shard of unknown)
      await this.#monitors.updateOne(
        { _id: shard },
        [{ $replaceWith: { $mergeObjects: [{ since: '$$NOW', seenAt: '$$NOW', models: 0 }, '$$ROOT'] } }],
        { upsert: true, ...ANSWER },
      );
    await this.#monitors.deleteMany({ _id: { $gte: shards } }, ANSWER);
  }

  /** Times in epoch milliseconds. */
  async all() {
    const found = await this.#monitors.find({}, ANSWER).toArray();
    return found.map(({ _id, since, seenAt, limitMs }) => ({
      shard: _id,
      since: since.getTime(),
      seenAt: seenAt.getTime(),
      ...(limitMs === undefined ? {} : { limitMs }),
    }));
  }
}
