import type { Collection, Db } from 'mongodb';
import { effect } from '../../fail-points/index.js';
import { databaseTime } from '../mongo/time.js';

/** `_id` is the shard. Times are the server's. */
interface BeatDocument {
  readonly _id: number;
  readonly since: Date;
  readonly seenAt: Date;
  readonly models: number;
}

export interface Beat {
  readonly shard: number;
  /** Epoch milliseconds. */
  readonly since: number;
  readonly seenAt: number;
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

  /** Notes that it is here. */
  async beat(shard: number, models: number): Promise<void> {
    await effect('monitor.beat', () =>
      this.#monitors.updateOne(
        { _id: shard },
        [{ $set: { since: { $ifNull: ['$since', '$$NOW'] }, seenAt: '$$NOW', models } }],
        { upsert: true, ...ANSWER },
      ),
    );
  }

  async all(): Promise<readonly Beat[]> {
    const found = await this.#monitors.find({}, ANSWER).toArray();
    return found.map(({ _id, since, seenAt }) => ({
      shard: _id,
      since: since.getTime(),
      seenAt: seenAt.getTime(),
    }));
  }
}
