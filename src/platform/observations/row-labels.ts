/** Labels that came with rows from elsewhere: kept as those of feedback are, so that one that comes later is known, or contradicts. */
import type { ClientSession, Db } from 'mongodb';
import { MOST_LABELS } from '../../contracts/observations.js';
import { type LabelDocument, labelsOf, type ObservedDocument, samplesOf } from './collections.js';
import { contradictionMessage } from './decide-labels.js';
import { observedSampleId } from './identity.js';
import { ObservationError } from './observed-values.js';

export interface RowLabel {
  readonly identity: string;
  readonly requestId: string;
  readonly label: string | number;
  /** When the row was answered, epoch milliseconds. */
  readonly at: number;
  /** The row is kept with its inputs. */
  readonly isSampled: boolean;
}

/** Those of a batch. */
export interface RowLabels {
  readonly labels: readonly RowLabel[];
  readonly expiresAt: Date;
}

const keyOf = ({ identity }: RowLabel): string => `${identity}/0`;

/**
 * Those that are not kept yet.
 * @throws ObservationError `conflict` when a row has another label already: the first is kept
 */
export async function unkeptLabels(
  db: Db,
  labels: readonly RowLabel[],
  session?: ClientSession,
): Promise<readonly RowLabel[]> {
  const unkept: RowLabel[] = [];
  let first: string | null = null;
  let others = 0;
  for (let start = 0; start < labels.length; start += MOST_LABELS) {
    const some = labels.slice(start, start + MOST_LABELS);
    const found = await labelsOf(db)
      .find(
        { _id: { $in: some.map(keyOf) } },
        { projection: { label: 1 }, ...(session === undefined ? {} : { session }) },
      )
      .toArray();
    const kept = new Map(found.map(({ _id, label }) => [_id, label]));
    for (const one of some) {
      const before = kept.get(keyOf(one));
      if (before === undefined) unkept.push(one);
      else if (before !== one.label && first === null)
        first = contradictionMessage(one.requestId, 0, before, one.label);
      else if (before !== one.label) others += 1;
    }
  }
  if (first === null) return unkept;
  const more = others === 0 ? '' : `, as do ${others} other labels`;
  throw new ObservationError(`${first}${more}; send the batch without what contradicts`, 'conflict');
}

/** Keeps labels that are not kept yet, and brings them to the samples of their rows: these may be there from another batch, without it or with another. */
export async function keepLabels(
  db: Db,
  batches: readonly { readonly fresh: Batch; readonly labelled: RowLabels }[],
  session: ClientSession,
): Promise<void> {
  const documents = batches.flatMap(({ fresh, labelled }) => labelDocuments(fresh, labelled));
  if (documents.length > 0) await labelsOf(db).insertMany(documents, { session });
  const updates = batches.flatMap(({ fresh, labelled }) => sampleUpdates(fresh, labelled));
  if (updates.length > 0) await samplesOf(db).bulkWrite(updates, { session });
}

type Batch = Pick<ObservedDocument, 'model' | 'digest' | 'at'>;

const labelDocuments = (
  { model, digest, at: cameAt }: Batch,
  { labels, expiresAt }: RowLabels,
): readonly LabelDocument[] =>
  labels.map((one) => ({
    _id: keyOf(one),
    model,
    label: one.label,
    at: new Date(one.at),
    cameAt,
    observed: digest,
    expiresAt,
  }));

const sampleUpdates = ({ model, digest }: Batch, { labels }: RowLabels) =>
  labels
    .filter(({ isSampled }) => isSampled)
    .map(({ requestId, label, at }) => ({
      updateOne: {
        filter: { _id: observedSampleId(model, digest, requestId) },
        update: { $set: { label, labelledAt: new Date(at) } },
      },
    }));
