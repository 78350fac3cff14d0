import type { Document } from 'mongodb';
import type { FactScope } from './types.js';

/** Epoch milliseconds of an ISO 8601 text; null when it is none. */
export const timeOf = (field: string): Document => ({
  $toLong: { $dateFromString: { dateString: field, onError: null, onNull: null } },
});

/** A field of the ledger's open part that is to be a number, a text, an object; else null. */
const ofType = (field: string, types: readonly string[]): Document => ({
  $cond: [{ $in: [{ $type: field }, types] }, field, null],
});
export const numberOf = (field: string): Document => ofType(field, ['int', 'long', 'double']);
export const textOf = (field: string): Document => ofType(field, ['string']);

/** A version with its digest, or null. */
export const versionOf = (field: string): Document => ({
  $cond: [
    { $eq: [{ $type: `${field}.digest` }, 'string'] },
    { version: `${field}.version`, digest: `${field}.digest` },
    null,
  ],
});

/** The value of the first condition that holds. */
export const cases = (branches: readonly (readonly [unknown, unknown])[], otherwise: unknown): unknown =>
  branches.reduceRight<unknown>(
    (rest, [condition, value]) => ({ $cond: [condition, value, rest] }),
    otherwise,
  );

/** Of what a group has pushed to `events`, in order: the first with one of these actions. */
export const firstOf = (...actions: readonly string[]): Document => ({
  $first: { $filter: { input: '$events', cond: { $in: ['$$this.action', actions] } } },
});

/** As `firstOf`, its time alone. */
export const firstTime = (...actions: readonly string[]): Document => ({
  $let: { vars: { event: firstOf(...actions) }, in: '$$event.at' },
});

/** Epoch milliseconds as the ledger has times. */
const iso = (time: number): string => new Date(time).toISOString();

/** Events with these actions, before the end of the scope; those of a stream in the order of their times. */
export const eventsWith = (
  { until, models }: FactScope,
  actions: readonly string[],
  fields: Document,
): Document[] => [
  {
    $match: {
      action: { $in: actions },
      at: { $lt: iso(until) },
      ...(models === null ? {} : { stream: { $in: models } }),
    },
  },
  {
    $project: { _id: 0, model: '$stream', sequence: 1, action: 1, at: timeOf('$at'), ...fields },
  },
  { $sort: { model: 1, at: 1, sequence: 1 } },
];

/**
 * An event is a person's, unless the message that it records came from the model's own retraining: who sends a message is named in it,
 * and workflows name themselves.
 */
export const byPerson: Document = {
  $and: [
    { $eq: ['$actor.kind', 'person'] },
    {
      $ne: [
        { $indexOfBytes: [{ $concat: ['$actor.id', ':'] }, { $concat: ['retraining:', '$stream', ':'] }] },
        0,
      ],
    },
  ],
};
