import { createHash } from 'node:crypto';
import type { Db, MongoClient } from 'mongodb';
import type { VersionRef } from '../../contracts/model.js';
import { MOST_LABELS, type ObservedAnswer } from '../../contracts/observations.js';
import type { WindowBatch } from '../../contracts/windows.js';
import { codeOf, isDuplicateKey } from '../mongo/errors.js';
import { prepareDatabase } from '../mongo/prepare.js';
import { HeldProfiles, ProfileStore, type StoredProfile } from '../profiles/index.js';
import { MongoVersionRegistry } from '../registry/index.js';
import { WINDOW_COLLECTIONS, windowsOf } from '../windows/collections.js';
import { freshInsertion } from '../windows/store.js';
import { OBSERVATION_COLLECTIONS, type ObservedDocument, observedOf } from './collections.js';
import { Groups } from './groups.js';
import { ObservationError } from './observed-values.js';
import { keepLabels, type RowLabels, unkeptLabels } from './row-labels.js';
import { type Kept, MongoObservationStore } from './store.js';

export const LONGEST_BATCH_ID = 200;

/** A batch of rows of one version, before it is counted. */
export interface ObservedHead {
  readonly model: string;
  readonly ref: VersionRef;
  readonly batch: string;
  /** SHA-256 of what was sent, as hex. */
  readonly content: string;
}

export interface Begun {
  /** What is to be counted by: that of the first attempt, where there was one. */
  readonly profile: StoredProfile;
  /** All of the batch was stored before. */
  readonly done: ObservedAnswer | null;
}

export interface Counted {
  readonly rows: number;
  readonly labels: number;
  readonly windows: readonly WindowBatch[];
  readonly kept: Kept;
  /** Labels of rows with an id. */
  readonly labelled: RowLabels;
}

/** A batch that has not been stored yet, as far as is known. */
interface Fresh {
  readonly fresh: ObservedDocument;
  /** Those that are not kept yet. */
  readonly labelled: RowLabels;
  readonly windows: readonly WindowBatch[];
}

interface Written {
  /** Windows of the batch that are stored. */
  readonly written: number;
  /** Some of them by this attempt. */
  readonly wrote: boolean;
}

/** Windows of one transaction. */
const CHUNK = 100;
/** Batches that are looked up, or stored, together; each with few windows. */
const GROUP = 16;
/** A batch waits so long for others: for people it is nothing, and a transaction for each costs MongoDB and the gateway twice as much. */
const TOGETHER = { most: GROUP, waitMs: 40 } as const;
const FEW_WINDOWS = Math.floor(CHUNK / GROUP);
const FEW_LABELS = Math.floor(MOST_LABELS / GROUP);
const TRIES = 5;
/** Versions that are remembered: what one is never changes. */
const VERSIONS_MOST = 50_000;

/**
 * Rows from elsewhere in MongoDB, each batch once: what is stored of it is noted in the transaction that stores it, so that a repeat goes
 * on where a crash was, and does nothing afterwards, however its windows have been merged meanwhile.
 */
export class MongoObserved {
  readonly #client: MongoClient;
  readonly #db: Db;
  readonly #profiles: HeldProfiles;
  readonly #versions: MongoVersionRegistry;
  readonly #store: MongoObservationStore;
  readonly #known = new Map<string, VersionRef>();
  readonly #found = new Groups<string, ObservedDocument | null>((ids) => this.#findAll(ids), TOGETHER);
  readonly #written = new Groups<Fresh, Written>((batches) => this.#writeAll(batches), TOGETHER);
  #prepared = false;

  constructor(client: MongoClient, db: Db) {
    this.#client = client;
    this.#db = db;
    this.#profiles = new HeldProfiles(new ProfileStore(db));
    this.#versions = new MongoVersionRegistry(db);
    this.#store = new MongoObservationStore(db);
  }

  /** @throws ObservationError `unknown` */
  async version(model: string, version: string): Promise<VersionRef> {
    const id = `${model}/${version}`;
    const known = this.#known.get(id);
    if (known !== undefined) return known;
    const found = await this.#versions.find(model, version);
    if (found !== null) {
      const ref = { version, digest: found.digest };
      if (this.#known.size >= VERSIONS_MOST) this.#known.clear();
      this.#known.set(id, ref);
      return ref;
    }
    const names = (await this.#versions.list(model)).map((known) => known.version).slice(-20);
    throw new ObservationError(
      `Model ${model} has no version ${version}; it has ${names.join(', ') || 'none'}`,
      'unknown',
    );
  }

  /** @throws ObservationError `unknown` without a profile, `conflict` when the id was used for something else */
  async begin({ model, ref, batch, content }: ObservedHead): Promise<Begun> {
    const found = await this.#found.add(idOf(model, ref, batch));
    if (found !== null && found.content !== content)
      throw new ObservationError(
        `Batch ${batch} of ${model} ${ref.version} was sent before with other content: another batch needs an id of its own`,
        'conflict',
      );
    const profile =
      found === null
        ? await this.#profiles.newest(model, ref.digest)
        : await this.#profiles.get(found.profile);
    if (profile === null)
      throw new ObservationError(
        `Version ${ref.version} of ${model} has no reference profile: one is made when a release of it is validated`,
        'unknown',
      );
    return {
      profile,
      done: found !== null && found.written === found.windows ? answerOf(found, batch, true) : null,
    };
  }

  /** Stores what was counted by the profile of `begin`. */
  async store(
    { model, ref, batch, content }: ObservedHead,
    profile: StoredProfile,
    { rows, labels, windows, kept, labelled }: Counted,
  ): Promise<ObservedAnswer> {
    if (!this.#prepared) await prepareDatabase(this.#db, [...OBSERVATION_COLLECTIONS, ...WINDOW_COLLECTIONS]);
    this.#prepared = true;
    // Before anything of a batch is stored that cannot be taken.
    let unkept = await unkeptLabels(this.#db, labelled.labels);
    // Each of these has an id of its own, so a repeat stores none twice; labels find them when the batch is said to be taken.
    await this.#store.keep(kept);
    const fresh: ObservedDocument = {
      _id: idOf(model, ref, batch),
      model,
      version: ref.version,
      digest: ref.digest,
      content,
      profile: profile.digest,
      rows,
      labels,
      samples: kept.samples.length,
      windows: windows.length,
      written: 0,
      at: new Date(),
    };
    let [written, repeated] = [0, true];
    while (written < windows.length) {
      const before = written;
      const part: Fresh = { fresh, labelled: { ...labelled, labels: unkept }, windows };
      const isSmall = windows.length <= FEW_WINDOWS && unkept.length <= FEW_LABELS;
      const next = repeated && isSmall ? await this.#written.add(part) : await this.#write(part, repeated);
      written = next.written;
      if (next.wrote) repeated = false;
      else if (written === before && written < windows.length)
        throw new Error(`Batch ${batch} of ${model} made no headway`);
      unkept = unkept.slice(MOST_LABELS);
    }
    return answerOf(fresh, batch, repeated);
  }

  async #findAll(ids: readonly string[]): Promise<readonly PromiseSettledResult<ObservedDocument | null>[]> {
    const found = await observedOf(this.#db)
      .find({ _id: { $in: [...ids] } })
      .toArray();
    const byId = new Map(found.map((document) => [document._id, document]));
    return ids.map((id) => ({ status: 'fulfilled', value: byId.get(id) ?? null }));
  }

  /** One transaction for batches that all seem to be new; where one is not, or cannot be stored, each gets its own. */
  async #writeAll(batches: readonly Fresh[]): Promise<readonly PromiseSettledResult<Written>[]> {
    const apart = (): Promise<readonly PromiseSettledResult<Written>[]> =>
      Promise.allSettled(batches.map((batch) => this.#write(batch, true)));
    if (batches.length === 1) return apart();
    const documents = batches.map(({ fresh, windows }) => ({ ...fresh, written: windows.length }));
    const operations = batches.flatMap(({ windows }) => windows.map(freshInsertion));
    try {
      await this.#client.withSession((session) =>
        session.withTransaction(async () => {
          await observedOf(this.#db).insertMany(documents, { session });
          await keepLabels(this.#db, batches, session);
          await windowsOf(this.#db).bulkWrite(operations, { session });
        }),
      );
    } catch (error) {
      // The server's own refusal is of one of them; that it is away, of all.
      if (codeOf(error) === undefined) throw error;
      return apart();
    }
    return batches.map(({ windows }) => ({
      status: 'fulfilled',
      value: { written: windows.length, wrote: true },
    }));
  }

  /**
   * One transaction: so many labels, after the last of them so many windows, and which windows are stored: once they all are, so is all
   * of the batch. @param isNew it seems to be the first of the batch
   */
  async #write({ fresh, labelled, windows }: Fresh, isNew: boolean): Promise<Written> {
    const observed = observedOf(this.#db);
    for (let attempt = 1; ; attempt += 1) {
      try {
        return await this.#client.withSession((session) =>
          session.withTransaction(async () => {
            // Mostly it is new, which inserting it shows; where it is not, it is looked at.
            const found =
              isNew && attempt === 1 ? null : await observed.findOne({ _id: fresh._id }, { session });
            if (found !== null && found.content !== fresh.content)
              throw new ObservationError(`Batch ${fresh._id} is being sent with other content`, 'conflict');
            const from = found?.written ?? 0;
            if (from >= windows.length) return { written: from, wrote: false };
            const isLast = labelled.labels.length <= MOST_LABELS;
            const chunk = isLast ? windows.slice(from, from + CHUNK) : [];
            const written = from + chunk.length;
            if (found === null) await observed.insertOne({ ...fresh, written }, { session });
            else await observed.updateOne({ _id: fresh._id }, { $set: { written } }, { session });
            const some = labelled.labels.slice(0, MOST_LABELS);
            const labels = attempt === 1 ? some : await unkeptLabels(this.#db, some, session);
            await keepLabels(this.#db, [{ fresh, labelled: { ...labelled, labels } }], session);
            if (isLast) await windowsOf(this.#db).bulkWrite(chunk.map(freshInsertion), { session });
            return { written, wrote: true };
          }),
        );
      } catch (error) {
        // The same batch, or a label, at the same time: looked at again, the other one's is there.
        if (!isDuplicateKey(error) || attempt >= TRIES) throw error;
      }
    }
  }
}

const idOf = (model: string, { digest }: VersionRef, batch: string): string => `${model}/${digest}/${batch}`;

/** Part of the ids of a batch's windows. */
export const bootOf = ({ model, ref, batch }: ObservedHead): string =>
  createHash('sha256')
    .update(idOf(model, ref, batch))
    .digest('hex')
    .slice(0, 32);

const answerOf = (
  { rows, labels, windows, samples }: ObservedDocument,
  batch: string,
  repeated: boolean,
): ObservedAnswer => ({ batch, repeated, rows, labels, windows, samples });
