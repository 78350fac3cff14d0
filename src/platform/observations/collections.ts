import type { Binary, Collection, Db } from 'mongodb';
import type { WindowRole } from '../../contracts/windows.js';
import { type CollectionPlan, RECORDED } from '../mongo/plan.js';

/**
 * What was answered to at most so many requests, so that labels find their scores: one document for all that a gateway answered by one
 * version between two flushes. `_id` is `<gateway>/<boot>/<number>`; of rows from elsewhere `observed/<of their batch>/<number>`.
 */
export interface PredictionsDocument {
  readonly _id: string;
  readonly model: string;
  readonly version: string;
  readonly digest: string;
  readonly role: WindowRole;
  readonly generation: number;
  /** Gateway's clock: the requests were answered between. */
  readonly from: Date;
  readonly to: Date;
  /** Labels may come until then. */
  readonly labelsUntil: Date;
  readonly expiresAt: Date;
  /** Of each request, see identity.ts. */
  readonly ids: readonly string[];
  /** Rows of each request. */
  readonly rows: readonly number[];
  /** One score a row, doubles, little-endian; NaN where there is no single number. */
  readonly scores: Binary;
}

/**
 * One row of a request, kept for retraining and inspection. `_id` is `<model>/<request id>/<row>`; of a row from elsewhere
 * `<model>/<digest of the version>/<request id>/0`, but for those of the time when it had none.
 */
export interface SampleDocument {
  readonly _id: string;
  readonly model: string;
  readonly requestId: string;
  readonly row: number;
  readonly version: string;
  readonly digest: string;
  /** When it was answered. */
  readonly at: Date;
  /** By name, without personal ones; null is missing (NaN), a list where the input has several values a row. */
  readonly inputs: Readonly<Record<string, SampleValue | readonly SampleValue[]>>;
  /** As served: a number, class probabilities, or null where there was none. */
  readonly score: number | readonly number[] | null;
  /** A class as the manifest has it, or a number. */
  readonly label: string | number | null;
  readonly labelledAt: Date | null;
  readonly expiresAt: Date;
}

export type SampleValue = number | string | boolean | null;

/** A label that was accepted, so that it counts once. `_id` is `<identity>/<row>`. */
export interface LabelDocument {
  readonly _id: string;
  readonly model: string;
  readonly label: string | number;
  /** When it became known. */
  readonly at: Date;
  /** When it came. */
  readonly cameAt: Date;
  /**
   * Digest of the version with whose row from elsewhere it came, and was counted. Absent: it was joined to what was answered, and
   * counted there.
   */
  readonly observed?: string;
  /** Later than that of its prediction: what has been forgotten cannot be counted twice. */
  readonly expiresAt: Date;
}

/** A batch of rows from elsewhere. `_id` is `<model>/<digest of the version>/<batch>`. */
export interface ObservedDocument {
  readonly _id: string;
  readonly model: string;
  readonly version: string;
  readonly digest: string;
  /** SHA-256 of what was sent: another content under the same id is refused. */
  readonly content: string;
  /** Digest of the profile whose bins its windows have. */
  readonly profile: string;
  readonly rows: number;
  readonly labels: number;
  readonly samples: number;
  readonly windows: number;
  /** Windows that are stored; all of them: the batch is done. */
  readonly written: number;
  readonly at: Date;
}

/** Begins the ids of predictions of rows from elsewhere. */
export const OBSERVED_PREDICTIONS = 'observed/';

const text = { bsonType: 'string', minLength: 1 };
const date = { bsonType: 'date' };
const hash = { bsonType: 'string', pattern: '^[0-9a-f]{64}$' };
const expires = { name: 'expires', key: { expiresAt: 1 }, expireAfterSeconds: 0 };

export const OBSERVATION_COLLECTIONS: readonly CollectionPlan[] = [
  {
    name: 'predictions',
    migrations: [RECORDED],
    revision: 1,
    validator: {
      $jsonSchema: {
        bsonType: 'object',
        required: ['_id', 'model', 'digest', 'to', 'labelsUntil', 'expiresAt', 'ids', 'rows', 'scores'],
        properties: {
          _id: text,
          model: text,
          digest: hash,
          to: date,
          labelsUntil: date,
          expiresAt: date,
          ids: { bsonType: 'array', items: text },
          rows: { bsonType: 'array', items: { bsonType: 'number', minimum: 0 } },
          scores: { bsonType: 'binData' },
        },
      },
    },
    indexes: [{ name: 'ids', key: { ids: 1 } }, expires],
  },
  {
    name: 'samples',
    migrations: [RECORDED],
    revision: 1,
    validator: {
      $jsonSchema: {
        bsonType: 'object',
        required: ['_id', 'model', 'requestId', 'row', 'version', 'digest', 'at', 'inputs', 'expiresAt'],
        properties: {
          _id: text,
          model: text,
          requestId: text,
          row: { bsonType: 'number', minimum: 0 },
          version: text,
          digest: hash,
          at: date,
          inputs: { bsonType: 'object' },
          label: { bsonType: ['number', 'string', 'null'] },
          labelledAt: { bsonType: ['date', 'null'] },
          expiresAt: date,
        },
      },
    },
    indexes: [{ name: 'model_at', key: { model: 1, at: 1 } }, expires],
  },
  {
    name: 'labels',
    migrations: [RECORDED],
    revision: 1,
    validator: {
      $jsonSchema: {
        bsonType: 'object',
        required: ['_id', 'model', 'label', 'at', 'cameAt', 'expiresAt'],
        properties: {
          _id: text,
          model: text,
          label: { bsonType: ['number', 'string'] },
          at: date,
          cameAt: date,
          expiresAt: date,
        },
      },
    },
    indexes: [expires],
  },
  {
    name: 'observed',
    migrations: [RECORDED],
    revision: 1,
    validator: {
      $jsonSchema: {
        bsonType: 'object',
        required: [
          '_id',
          'model',
          'version',
          'digest',
          'content',
          'profile',
          'rows',
          'windows',
          'written',
          'at',
        ],
        properties: {
          _id: text,
          model: text,
          version: text,
          digest: hash,
          content: hash,
          profile: hash,
          rows: { bsonType: 'number', minimum: 0 },
          windows: { bsonType: 'number', minimum: 0 },
          written: { bsonType: 'number', minimum: 0 },
          at: date,
        },
      },
    },
    indexes: [],
  },
];

export const predictionsOf = (db: Db): Collection<PredictionsDocument> => db.collection('predictions');
export const samplesOf = (db: Db): Collection<SampleDocument> => db.collection('samples');
export const labelsOf = (db: Db): Collection<LabelDocument> => db.collection('labels');
export const observedOf = (db: Db): Collection<ObservedDocument> => db.collection('observed');
