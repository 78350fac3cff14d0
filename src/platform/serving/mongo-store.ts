import type { Db } from 'mongodb';
import type { GatewayRecord, RoutingTable } from '../../contracts/routes.js';
import { effect } from '../../fail-points/index.js';
import { collectionsOf, type Collections } from '../mongo/connect.js';
import type { GatewayDocument, RouteDocument } from '../mongo/documents.js';
import { isDuplicateKey } from '../mongo/errors.js';
import { databaseTime } from '../mongo/time.js';
import {
  type GatewaysSeen,
  OvertakenError,
  type RouteChange,
  type RouteChanged,
  type RoutingStore,
  StaleGenerationError,
} from './store.js';

/** How often an act towards safety tries against somebody who changes the same table. */
const ATTEMPTS = 50;
/** Shorter than a silent activity may be, so that it is told that MongoDB hangs, and not that the activity did. */
const ANSWER = { timeoutMS: 8_000 } as const;

/** Routing tables in MongoDB: one document a model, one a gateway. The database must be prepared. */
export class MongoRoutingStore implements RoutingStore {
  readonly #db: Db;
  readonly #routes: Collections['routes'];
  readonly #gateways: Collections['gateways'];

  constructor(db: Db) {
    this.#db = db;
    ({ routes: this.#routes, gateways: this.#gateways } = collectionsOf(db));
  }

  async read(model: string): Promise<RoutingTable | null> {
    const found = await this.#routes.findOne({ _id: model }, ANSWER);
    return found === null ? null : tableOf(found);
  }

  async readAll(): Promise<readonly RoutingTable[]> {
    const found = await this.#routes.find({}, { sort: { _id: 1 }, ...ANSWER }).toArray();
    return found.map(tableOf);
  }

  async compareAndSet(change: RouteChange): Promise<RouteChanged> {
    const { model, expectedGeneration: expected } = change;
    if (expected !== 'any') return this.#tryAt(expected, change);
    const intent = change.intent ?? Number.POSITIVE_INFINITY;
    for (let attempt = 1; ; attempt += 1) {
      const current = await this.#current(model);
      const isRepeat = current?.changeId === change.changeId;
      if (!isRepeat && (current?.intent ?? 0) > intent)
        throw new OvertakenError(model, current?.generation ?? 0, current?.intent ?? 0);
      try {
        if (current !== null) return await this.#tryAt(current.generation, change);
        return await this.#tryAt(await this.#lastSeen(model), change, true);
      } catch (error) {
        if (!(error instanceof StaleGenerationError) || attempt >= ATTEMPTS) throw error;
      }
    }
  }

  async gateways(): Promise<GatewaysSeen> {
    // Asked before the records: a gateway can only look less silent than it is, and is never counted out too early.
    const now = await databaseTime(this.#db, ANSWER.timeoutMS);
    const records = await this.#gateways.find({}, { sort: { _id: 1 }, ...ANSWER }).toArray();
    return { now, gateways: records.map(recordOf) };
  }

  async report(record: Omit<GatewayRecord, 'seenAt'>): Promise<void> {
    const { gateway, boot, url, startedAt, status, observed } = record;
    const literal = { _id: gateway, gateway, boot, url, startedAt, status, observed };
    const replace = [{ $replaceWith: { $mergeObjects: [{ $literal: literal }, { seenAt: '$$NOW' }] } }];
    const says = status === 'stopped' ? { _id: gateway, boot } : { _id: gateway };
    const upsert = () =>
      effect('gateway.report', () =>
        this.#gateways.updateOne(says, replace, { upsert: status !== 'stopped', ...ANSWER }),
      );
    try {
      await upsert();
    } catch (error) {
      // Two upserts of a new id at once: the second finds the first one's document.
      if (!isDuplicateKey(error)) throw error;
      await upsert();
    }
  }

  /** That the gateway is still there with what it has reported. @returns false when it has to report it again */
  protected async seen({
    gateway,
    boot,
    status,
  }: Pick<GatewayRecord, 'gateway' | 'boot' | 'status'>): Promise<boolean> {
    const { matchedCount } = await effect('gateway.report', () =>
      this.#gateways.updateOne({ _id: gateway, boot, status }, [{ $set: { seenAt: '$$NOW' } }], ANSWER),
    );
    return matchedCount === 1;
  }

  async retireGateway(gateway: string): Promise<boolean> {
    const { matchedCount } = await this.#gateways.updateOne(
      { _id: gateway },
      { $set: { status: 'retired' } },
    );
    return matchedCount === 1;
  }

  /**
   * The newest generation that any gateway has of a model without a table: it was removed by hand, and a new one must not look
   * older than what is served.
   */
  async #lastSeen(model: string): Promise<number> {
    const records = await this.#gateways.find().toArray();
    return records.reduce((newest, { observed }) => {
      const seen = Object.hasOwn(observed, model) ? observed[model] : undefined;
      return Math.max(newest, seen?.generation ?? 0, seen?.wanted ?? 0);
    }, 0);
  }

  async #tryAt(
    expected: number,
    { model, desired, changeId, intent, above = 0 }: RouteChange,
    isFirst = expected === 0,
  ): Promise<RouteChanged> {
    const generation = Math.max(expected, above) + 1;
    const literal = { ...desired, _id: model, model, generation, changeId };
    try {
      const written = await effect('routes.set', () =>
        this.#routes.findOneAndUpdate(
          {
            _id: model,
            generation: isFirst ? { $exists: false } : expected,
            changeId: { $ne: changeId },
          },
          [
            {
              $replaceWith: {
                $mergeObjects: [
                  { $literal: literal },
                  { changedAt: '$$NOW', intent: { $max: ['$intent', { $literal: intent ?? 0 }] } },
                ],
              },
            },
          ],
          { upsert: isFirst, returnDocument: 'after', ...ANSWER },
        ),
      );
      if (written !== null) return { outcome: 'applied', generation, table: tableOf(written) };
    } catch (error) {
      // An upsert of a first table that is there already.
      if (!isDuplicateKey(error)) throw error;
    }
    const current = await this.#current(model);
    if (current?.changeId === changeId) {
      return { outcome: 'already', generation: current.generation, table: tableOf(current) };
    }
    throw new StaleGenerationError(model, expected, current?.generation ?? 0);
  }

  /** What the primary has now: the one that the compare-and-set met, even if a majority does not have it yet. */
  #current(model: string): Promise<RouteDocument | null> {
    return this.#routes.findOne({ _id: model }, { readConcern: { level: 'local' }, ...ANSWER });
  }
}

function tableOf({ _id, changedAt, ...table }: RouteDocument): RoutingTable {
  return { ...table, changedAt: changedAt.toISOString() };
}

function recordOf({ _id, seenAt, ...record }: GatewayDocument): GatewayRecord {
  return { ...record, seenAt: seenAt.toISOString() };
}
