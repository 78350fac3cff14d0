import { isDeepStrictEqual } from 'node:util';
import type { Db } from 'mongodb';
import type { GatewayRecord, RoutingTable } from '../../contracts/routes.js';
import { COLLECTIONS } from '../mongo/collections.js';
import { collectionsOf, type Collections } from '../mongo/connect.js';
import { guardSchema } from '../mongo/schema/state.js';
import { MongoRoutingStore } from './mongo-store.js';
import { isUnchanged, summarizeTables, type TablesSummary } from './summary.js';

type Reported = Omit<GatewayRecord, 'seenAt'>;

/** What a gateway reads and writes by this. */
const PLANS = COLLECTIONS.filter(({ name }) => name === 'routes' || name === 'gateways');

/**
 * Reads all tables again and again, but fetches only those that changed: a fleet's tables are many and rarely change. At most readings
 * none has, which the database says in one line. A database that is newer than this program, or half restored, is refused at each
 * reading: to a gateway it is as if it were away.
 */
export class ChangedTables extends MongoRoutingStore {
  readonly #db: Db;
  readonly #routes: Collections['routes'];
  #known: ReadonlyMap<string, RoutingTable> = new Map();
  #tables: readonly RoutingTable[] = [];
  #summary: TablesSummary | null = null;
  /** The last report that was stored. */
  #reported: Reported | null = null;

  constructor(db: Db) {
    super(db);
    this.#db = db;
    ({ routes: this.#routes } = collectionsOf(db));
  }

  override async readAll(): Promise<readonly RoutingTable[]> {
    await guardSchema(this.#db, PLANS);
    // Before the tables: one that changes meanwhile is read now or at the next reading.
    const summary = await summarizeTables(this.#routes);
    if (!isUnchanged(this.#summary, summary)) {
      await this.#readChanged();
      this.#summary = summary;
    }
    return this.#tables;
  }

  /**
   * What a gateway has loaded rarely changes, and of a fleet it is long: then only the time is written. A model of which something has
   * changed is known by another object.
   */
  override async report(record: Reported): Promise<void> {
    const before = this.#reported;
    if (before !== null && isSame(before, record) && (await this.seen(record))) return;
    this.#reported = null;
    await super.report(record);
    this.#reported = record;
  }

  async #readChanged(): Promise<void> {
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
    this.#tables = heads.flatMap(({ _id }) => known.get(_id) ?? []);
  }
}

function isSame({ observed: a, ...before }: Reported, { observed: b, ...now }: Reported): boolean {
  const models = Object.keys(b);
  return (
    isDeepStrictEqual(before, now) &&
    models.length === Object.keys(a).length &&
    models.every((model) => a[model] === b[model])
  );
}
