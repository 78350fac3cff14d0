import type { Db } from 'mongodb';
import type { WindowBatch } from '../../contracts/windows.js';
import { effect } from '../../fail-points/index.js';
import { onlyDuplicates } from '../mongo/errors.js';
import { prepareDatabase } from '../mongo/prepare.js';
import { batchId, WINDOW_COLLECTIONS, windowsOf } from './collections.js';

/** Where closed windows go. */
export interface WindowStore {
  /** Stores each batch once; a repeat is success. */
  insert(batches: readonly WindowBatch[]): Promise<void>;
}

/** A gateway has other things to do than to wait for a database that is away. */
const INSERT_TIMEOUT_MS = 5_000;

export class MongoWindowStore implements WindowStore {
  readonly #db: Db;
  #prepared = false;

  constructor(db: Db) {
    this.#db = db;
  }

  async insert(batches: readonly WindowBatch[]): Promise<void> {
    if (batches.length === 0) return;
    if (!this.#prepared) await prepareDatabase(this.#db, WINDOW_COLLECTIONS);
    this.#prepared = true;
    const operations = batches.map(insertion);
    try {
      await effect('windows.insert', () =>
        windowsOf(this.#db).bulkWrite(operations, { ordered: false, timeoutMS: INSERT_TIMEOUT_MS }),
      );
    } catch (error) {
      // Merged already: the batch's id is in the list of a merged document.
      if (!onlyDuplicates(error)) throw error;
    }
  }
}

/** Inserts a batch that is not there yet, with the server's time; what is there already stays as it is. */
export function insertion(batch: WindowBatch) {
  const _id = batchId(batch);
  const fresh = {
    $mergeObjects: [{ $literal: { _id, batches: [_id], ...batch } }, { insertedAt: '$$NOW' }],
  };
  const isThere = { $ne: [{ $type: '$insertedAt' }, 'missing'] };
  return {
    updateOne: {
      filter: { _id },
      update: [{ $replaceWith: { $cond: [isThere, '$$ROOT', fresh] } }],
      upsert: true,
    },
  };
}

/**
 * Inserts a batch that cannot be there, which its own transaction knows, with the server's time. Costs the server a fraction of what
 * {@link insertion} does, which reads the whole document as an expression.
 */
export function freshInsertion(batch: WindowBatch) {
  const _id = batchId(batch);
  return {
    updateOne: {
      filter: { _id },
      update: { $setOnInsert: { batches: [_id], ...batch }, $currentDate: { insertedAt: true as const } },
      upsert: true,
    },
  };
}
