import type { Db, Document } from 'mongodb';
import { collectionsOf } from '../../platform/mongo/index.js';
import { cases, eventsWith, firstOf, firstTime, numberOf, textOf, versionOf } from './expressions.js';
import type { FactScope, ReleaseFact } from './types.js';

const ENDS = ['release.succeeded', 'release.rejected', 'release.rolled-back', 'release.aborted'];
const ASKED = 'release.approval-requested';
const ANSWERED = ['release.approved', 'release.promoted', ...ENDS];
const ACTIONS = ['release.submitted', 'release.validated', ASKED, ...ANSWERED];

/** From a request for approval to its answer; a request that is made again goes on. */
const waits: Document = {
  $reduce: {
    input: '$events',
    initialValue: { open: null, over: [] },
    in: cases(
      [
        [
          { $eq: ['$$this.action', ASKED] },
          { open: { $ifNull: ['$$value.open', '$$this.at'] }, over: '$$value.over' },
        ],
        [
          { $and: [{ $ne: ['$$value.open', null] }, { $in: ['$$this.action', ANSWERED] }] },
          {
            open: null,
            over: { $concatArrays: ['$$value.over', [{ from: '$$value.open', to: '$$this.at' }]] },
          },
        ],
      ],
      '$$value',
    ),
  },
};

/** One row a release, of its events by then. */
export const readReleases = (db: Db, scope: FactScope): Promise<ReleaseFact[]> =>
  collectionsOf(db)
    .ledger.aggregate<ReleaseFact>(
      [
        ...eventsWith(scope, ACTIONS, {
          release: numberOf('$subject.release'),
          version: textOf('$subject.version'),
          digest: textOf('$subject.digest'),
          former: versionOf('$evidence.former'),
        }),
        { $match: { release: { $ne: null }, at: { $ne: null } } },
        {
          $group: {
            _id: { model: '$model', release: '$release' },
            version: { $max: '$version' },
            digest: { $max: '$digest' },
            events: {
              $push: { action: '$action', at: '$at', sequence: '$sequence', former: '$former' },
            },
          },
        },
        { $set: { promoted: firstOf('release.promoted'), end: firstOf(...ENDS), waits } },
        {
          $project: {
            _id: 0,
            model: '$_id.model',
            release: '$_id.release',
            version: 1,
            digest: 1,
            submitted: { $ifNull: [firstTime('release.submitted'), null] },
            validated: { $ifNull: [firstTime('release.validated'), null] },
            promoted: orNull('$promoted', { at: '$promoted.at', sequence: '$promoted.sequence' }),
            former: { $ifNull: ['$promoted.former', null] },
            ended: orNull('$end', {
              at: '$end.at',
              sequence: '$end.sequence',
              outcome: { $substrBytes: ['$end.action', 'release.'.length, -1] },
            }),
            waits: '$waits.over',
          },
        },
        { $sort: { model: 1, release: 1 } },
      ],
      { allowDiskUse: true },
    )
    .toArray();

function orNull(field: string, made: Document): Document {
  return { $cond: [{ $eq: [{ $type: field }, 'missing'] }, null, made] };
}
