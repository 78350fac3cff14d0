import type { Collection, Db, Document, OptionalUnlessRequiredId } from 'mongodb';
import { onlyDuplicates } from '../mongo/errors.js';
import { prepareDatabase } from '../mongo/prepare.js';
import {
  OBSERVATION_COLLECTIONS,
  type PredictionsDocument,
  predictionsOf,
  type SampleDocument,
  samplesOf,
} from './collections.js';

export interface Kept {
  readonly predictions: readonly PredictionsDocument[];
  readonly samples: readonly SampleDocument[];
}

/** Where a gateway brings what it keeps of requests. */
export interface ObservationStore {
  /** Stores each document once; a repeat is success. */
  keep(kept: Kept): Promise<void>;
}

/** A gateway has other things to do than to wait for a database that is away. */
const INSERT_TIMEOUT_MS = 5_000;
const CHUNK = 1_000;

export class MongoObservationStore implements ObservationStore {
  readonly #db: Db;
  #prepared = false;

  constructor(db: Db) {
    this.#db = db;
  }

  async keep({ predictions, samples }: Kept): Promise<void> {
    if (!this.#prepared) await prepareDatabase(this.#db, OBSERVATION_COLLECTIONS);
    this.#prepared = true;
    // In this order: who finds a prediction finds its samples too, and joins the label to both.
    await insertOnce(samplesOf(this.#db), samples);
    await insertOnce(predictionsOf(this.#db), predictions);
  }
}

async function insertOnce<T extends Document>(
  collection: Collection<T>,
  documents: readonly OptionalUnlessRequiredId<T>[],
): Promise<void> {
  for (let start = 0; start < documents.length; start += CHUNK) {
    try {
      await collection.insertMany(documents.slice(start, start + CHUNK), {
        ordered: false,
        timeoutMS: INSERT_TIMEOUT_MS,
      });
    } catch (error) {
      if (!onlyDuplicates(error)) throw error;
    }
  }
}
