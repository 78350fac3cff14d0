import type { Db, Document } from 'mongodb';
import { windowsOf } from '../../platform/windows/collections.js';
import type { FactScope, TrafficFact } from './types.js';

export const DAY_MS = 86_400_000;

/** Errors of a cell that left nobody without an answer: too late for the split, or of a thread without a request. */
const HARMLESS = ['late', 'thread-stuck', 'thread-crashed'];

const ofCells = (count: Document): Document => ({
  $sum: {
    $map: {
      input: { $filter: { input: '$cells', as: 'cell', cond: { $ne: ['$$cell.role', 'shadow'] } } },
      as: 'cell',
      in: count,
    },
  },
});

const requests = (...kinds: readonly string[]): Document => ({
  $sum: kinds.map((kind) => `$$cell.requests.${kind}`),
});

const failures: Document = {
  $sum: {
    $map: {
      input: { $objectToArray: '$$cell.errors' },
      as: 'error',
      in: { $cond: [{ $in: ['$$error.k', HARMLESS] }, 0, '$$error.v'] },
    },
  },
};

/**
 * Users' requests by model and day. A request is counted where it came first (split, unsplit or shed); one that a candidate failed is
 * good when the champion answered it. Forced requests and drills are nobody's, but their errors cannot be told from the others:
 * they make a figure lower, never higher.
 */
export const readTraffic = (db: Db, { since, until, models }: FactScope): Promise<TrafficFact[]> =>
  windowsOf(db)
    .aggregate<TrafficFact>(
      [
        {
          $match: {
            span: { $in: ['batch', 'minute', 'hour', 'day'] },
            to: { $gt: since },
            from: { $gte: since, $lt: until },
            ...(models === null ? {} : { model: { $in: models } }),
          },
        },
        {
          $project: {
            model: 1,
            from: 1,
            to: 1,
            day: { $floor: { $divide: [{ $subtract: ['$from', since] }, DAY_MS] } },
            valid: ofCells(requests('split', 'unsplit', 'shed')),
            answered: ofCells({ $subtract: [requests('split', 'unsplit', 'fallback'), failures] }),
          },
        },
        {
          $group: {
            _id: { model: '$model', day: '$day' },
            valid: { $sum: '$valid' },
            answered: { $sum: '$answered' },
            dead: {
              $push: {
                $cond: [
                  { $and: [{ $gt: ['$valid', 0] }, { $lte: ['$answered', 0] }] },
                  { from: '$from', to: '$to' },
                  '$$REMOVE',
                ],
              },
            },
          },
        },
        {
          $project: {
            _id: 0,
            model: '$_id.model',
            day: '$_id.day',
            valid: 1,
            // Not by window: former gateways could count a candidate's failure in one, and the champion's answer to it in the next.
            good: { $max: [0, { $min: ['$valid', '$answered'] }] },
            dead: 1,
          },
        },
        { $sort: { model: 1, day: 1 } },
      ],
      { allowDiskUse: true },
    )
    .toArray();
