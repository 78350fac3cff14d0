import type { Db } from 'mongodb';
import type { RoutingTable } from '../../contracts/routes.js';
import { COLLECTIONS } from '../mongo/collections.js';
import { collectionsOf, type Collections } from '../mongo/connect.js';
import { guardSchema } from '../mongo/schema/state.js';
import { MongoRoutingStore } from './mongo-store.js';

/** What a gateway reads and writes by this. */
const PLANS = COLLECTIONS.filter(({ name }) => name === 'routes' || name === 'gateways');

/**
 * Reads all tables again and again, but fetches only those that changed: a fleet's tables are many and rarely change. A database
 * that is newer than this program, or half restored, is refused at each reading: to a gateway it is as if it were away.
 */
export class ChangedTables extends MongoRoutingStore {
  readonly #db: Db;
  readonly #routes: Collections['routes'];
  #known = new Map<string, RoutingTable>();

  constructor(db: Db) {
    super(db);
    this.#db = db;
    ({ routes: this.#routes } = collectionsOf(db));
  }

  override async readAll(): Promise<readonly RoutingTable[]> {
    await guardSchema(this.#db, PLANS);
    const heads = await this.#routes
      .find({}, { sort: { _id: 1 } })
      .project<{ _id: string; generation: number; changeId: string }>({ generation: 1, changeId: 1 })
      .toArray();
    const known = new Map<string, RoutingTable>();
    const changed: string[] = [];
    for (const { _id, generation, changeId } of heads) {
      const table = this.#known.get(_id);
      if (table?.generation === generation && table.changeId === changeId) known.set(_id, table);
      else changed.push(_id);
    }
    if (changed.length > 0) {
      const found = await this.#routes.find({ _id: { $in: changed } }).toArray();
      for (const { _id, changedAt, ...table } of found) {
        known.set(_id, { ...table, changedAt: changedAt.toISOString() });
      }
    }
    this.#known = known;
    return heads.flatMap(({ _id }) => known.get(_id) ?? []);
  }
}
