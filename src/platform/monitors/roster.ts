import type { Db } from 'mongodb';
import type { Manifest } from '../../contracts/manifest.js';
import type { VersionRef } from '../../contracts/model.js';
import { collectionsOf, type Collections } from '../mongo/connect.js';
import { isUnchanged, summarizeTables, type TablesSummary } from '../serving/summary.js';

/** A model that serves. */
export interface WatchedModel {
  readonly model: string;
  readonly champion: VersionRef;
}

const ANSWER = { timeoutMS: 20_000 } as const;
const APPLIED = 'manifest.applied';

/** Every model with a champion, by the routing tables: what serves is what is watched. Held in memory, and read again when a table changes. */
export class RosterReader {
  readonly #routes: Collections['routes'];
  #summary: TablesSummary | null = null;
  #known: readonly WatchedModel[] = [];

  constructor(db: Db) {
    ({ routes: this.#routes } = collectionsOf(db));
  }

  async read(): Promise<readonly WatchedModel[]> {
    // Before the tables: one that changes meanwhile is read again at the next reading.
    const summary = await summarizeTables(this.#routes);
    if (isUnchanged(this.#summary, summary)) return this.#known;
    const found = await this.#routes
      .find({ champion: { $ne: null } }, ANSWER)
      .project<{ readonly _id: string; readonly champion: VersionRef }>({ champion: 1 })
      .toArray();
    this.#known = found.map(({ _id: model, champion: { version, digest } }) => ({
      model,
      champion: { version, digest },
    }));
    this.#summary = summary;
    return this.#known;
  }
}

/**
 * The manifests in force, as the ledger has them: so they need no second place that could differ from the record. Held in memory; a
 * reading asks an index for the newest of each model, and then only for those that have changed.
 */
export class ManifestReader {
  readonly #ledger: ReturnType<typeof collectionsOf>['ledger'];
  readonly #known = new Map<string, { readonly sequence: number; readonly manifest: Manifest }>();

  constructor(db: Db) {
    this.#ledger = collectionsOf(db).ledger;
  }

  /** Those of these models that have one. */
  async read(models: readonly string[]): Promise<ReadonlyMap<string, Manifest>> {
    const newest = await this.#ledger
      .aggregate<{ readonly _id: string; readonly sequence: number }>(
        [
          { $match: { action: APPLIED, stream: { $in: [...models] } } },
          { $group: { _id: '$stream', sequence: { $max: '$sequence' } } },
        ],
        { hint: 'manifests', ...ANSWER },
      )
      .toArray();
    const changed = newest.filter(({ _id, sequence }) => this.#known.get(_id)?.sequence !== sequence);
    for (let at = 0; at < changed.length; at += AT_ONCE) {
      const some = changed.slice(at, at + AT_ONCE).map(({ _id: stream, sequence }) => ({ stream, sequence }));
      const events = await this.#ledger.find({ $or: some }, ANSWER).toArray();
      for (const { stream, sequence, evidence } of events) {
        const manifest = evidence['manifest'] as unknown as Manifest;
        this.#known.set(stream, { sequence, manifest });
      }
    }
    return new Map(
      newest.flatMap(({ _id }) => {
        const known = this.#known.get(_id);
        return known === undefined ? [] : [[_id, known.manifest] as const];
      }),
    );
  }
}

const AT_ONCE = 200;
