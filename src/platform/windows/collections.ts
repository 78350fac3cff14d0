import type { Collection, Db } from 'mongodb';
import type { WindowBatch } from '../../contracts/windows.js';
import { type CollectionPlan, RECORDED } from '../mongo/plan.js';

/** `_id` is `<gateway>/<boot>/<sequence>`, or the compactor's name of a merged document. */
export interface WindowDocument extends WindowBatch {
  readonly _id: string;
  /** Ids of all batches in here: unique, so that a batch that was merged cannot be inserted again. */
  readonly batches: readonly string[];
  /** Server's clock. */
  readonly insertedAt: Date;
  /** A verdict or finding rests on it: never merged or deleted. */
  readonly cited?: boolean;
}

const count = { bsonType: 'number', minimum: 0 };

export const WINDOW_COLLECTIONS: readonly CollectionPlan[] = [
  {
    name: 'windows',
    migrations: [RECORDED],
    revision: 2,
    validator: {
      $jsonSchema: {
        bsonType: 'object',
        required: [
          '_id',
          'batches',
          'insertedAt',
          'gateway',
          'boot',
          'sequence',
          'model',
          'span',
          'from',
          'to',
          'cells',
        ],
        properties: {
          _id: { bsonType: 'string' },
          batches: { bsonType: 'array', items: { bsonType: 'string' } },
          insertedAt: { bsonType: 'date' },
          model: { bsonType: 'string' },
          sequence: count,
          span: { enum: ['batch', 'minute', 'hour', 'day'] },
          from: count,
          to: count,
          cells: { bsonType: 'array' },
        },
      },
    },
    indexes: [
      {
        name: 'batches',
        key: { batches: 1 },
        unique: true,
        partialFilterExpression: { span: { $in: ['batch', 'minute', 'hour'] } },
      },
      { name: 'model_releases_insertedAt', key: { model: 1, releases: 1, insertedAt: 1 } },
      { name: 'model_insertedAt', key: { model: 1, insertedAt: 1 } },
      { name: 'model_to', key: { model: 1, to: 1 } },
      { name: 'span_to', key: { span: 1, to: 1 } },
    ],
  },
];

export const windowsOf = (db: Db): Collection<WindowDocument> => db.collection('windows');

/** Projection for readers of requests and keys: counts of features are most of a document. */
export const WITHOUT_FEATURES = { 'cells.features': 0 } as const;

export const batchId = ({
  gateway,
  boot,
  sequence,
}: Pick<WindowBatch, 'gateway' | 'boot' | 'sequence'>): string => `${gateway}/${boot}/${sequence}`;
