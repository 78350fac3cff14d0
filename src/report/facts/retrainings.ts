import type { Db } from 'mongodb';
import { RETRAINING_OUTCOMES, RETRAINING_TRIGGERS } from '../../contracts/report.js';
import { collectionsOf } from '../../platform/mongo/index.js';
import { byPerson, eventsWith, firstOf, numberOf, textOf } from './expressions.js';
import type { Facts, FactScope, RetrainingFact } from './types.js';

const ACTIONS = ['requested', 'started', 'compared', 'ended'].map((what) => `retraining.${what}`);

/** One row a retraining. */
export const readRetrainings = (db: Db, scope: FactScope): Promise<RetrainingFact[]> =>
  collectionsOf(db)
    .ledger.aggregate<RetrainingFact>(
      [
        ...eventsWith(scope, ACTIONS, {
          retraining: numberOf('$subject.retraining'),
          trigger: textOf('$evidence.trigger'),
          finding: textOf('$evidence.finding'),
          outcome: textOf('$evidence.outcome'),
          release: numberOf('$evidence.release'),
          byPerson,
        }),
        { $match: { retraining: { $ne: null }, at: { $ne: null } } },
        {
          $group: {
            _id: { model: '$model', retraining: '$retraining' },
            byPerson: { $max: '$byPerson' },
            events: { $push: '$$ROOT' },
          },
        },
        { $set: { requested: firstOf('retraining.requested'), ended: firstOf('retraining.ended') } },
        {
          $project: {
            _id: 0,
            model: '$_id.model',
            retraining: '$_id.retraining',
            byPerson: 1,
            trigger: known('$requested.trigger', RETRAINING_TRIGGERS),
            finding: { $ifNull: ['$requested.finding', null] },
            requested: { $ifNull: ['$requested.at', null] },
            ended: { $ifNull: ['$ended.at', null] },
            outcome: known('$ended.outcome', RETRAINING_OUTCOMES),
            release: { $ifNull: ['$ended.release', null] },
          },
        },
        { $sort: { model: 1, retraining: 1 } },
      ],
      { allowDiskUse: true },
    )
    .toArray();

export const readHeldBack = (db: Db, scope: FactScope): Promise<Facts['heldBack'][number][]> =>
  collectionsOf(db)
    .ledger.aggregate<Facts['heldBack'][number]>([
      ...eventsWith(scope, ['retraining.held-back'], {}),
      { $match: { at: { $ne: null } } },
      { $project: { model: 1, at: 1 } },
    ])
    .toArray();

/**
 * Releases with an event by a person, of models that have been retrained.
 * @param models those models
 */
export async function readTouched(
  db: Db,
  { until }: FactScope,
  models: readonly string[],
): Promise<Facts['touched'][number][]> {
  if (models.length === 0) return [];
  return collectionsOf(db)
    .ledger.aggregate<Facts['touched'][number]>(
      [
        {
          $match: {
            stream: { $in: models },
            'subject.release': { $type: 'number' },
            at: { $lt: new Date(until).toISOString() },
            $expr: byPerson,
          },
        },
        { $group: { _id: { model: '$stream', release: '$subject.release' } } },
        { $replaceWith: '$_id' },
      ],
      { allowDiskUse: true },
    )
    .toArray();
}

function known(field: string, values: readonly string[]) {
  return { $cond: [{ $in: [field, values] }, field, null] };
}
