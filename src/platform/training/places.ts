import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Collection, Db } from 'mongodb';
import { isDuplicateKey } from '../mongo/errors.js';

/** One of the places that the fleet's trainings take; `until` is the store's time. */
interface PlaceDocument {
  readonly _id: number;
  readonly run: string;
  readonly holder: string;
  readonly until: Date;
}

export const PLACES = 'trainingPlaces';

export interface PlaceSettings {
  /** How many trainings may run at once in the fleet. */
  readonly places: number;
  /** A holder that has not renewed it for so long has died, milliseconds; 60 s unless given. */
  readonly leaseMs?: number;
  /** Between two looks for a free one, milliseconds; 2 s unless given. */
  readonly pollMs?: number;
}

/**
 * Trains once there is a place: a document for each, with a lease that its holder renews. It is held by the run's identity, so
 * that another attempt of the same run takes it over at once; that of a worker that has died is free when its lease has run out.
 * @param act gets a signal that is aborted too when the place is lost: it must have ended by the time that the lease is over
 * @throws the reason of `signal`; an error when the place was lost
 */
export async function withPlace<T>(
  db: Db,
  run: string,
  { places, leaseMs = 60_000, pollMs = 2_000 }: PlaceSettings,
  { signal, onWait }: { readonly signal: AbortSignal; readonly onWait: () => void },
  act: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const collection = db.collection<PlaceDocument>(PLACES);
  const holder = randomUUID();
  const mine = await acquire();
  const lost = new AbortController();
  let renewedAt = performance.now();
  const lose = (): void =>
    lost.abort(
      new Error(
        `The place of ${run} among the fleet's trainings was lost: MongoDB was away, or it was taken`,
      ),
    );
  const timer = setInterval(() => {
    const began = performance.now();
    void collection
      .findOneAndUpdate({ _id: mine, holder }, [{ $set: { until: { $add: ['$$NOW', leaseMs] } } }])
      .then(
        (found) => {
          if (found === null) lose();
          else renewedAt = began;
        },
        () => undefined,
      );
    // Long enough before its end for a trainer to be ended.
    if (performance.now() - renewedAt > leaseMs / 2) lose();
  }, leaseMs / 6);
  try {
    return await act(AbortSignal.any([signal, lost.signal]));
  } finally {
    clearInterval(timer);
    // Where it cannot be given back, it runs out.
    await collection.deleteOne({ _id: mine, holder }).catch(() => undefined);
  }

  async function acquire(): Promise<number> {
    for (;;) {
      signal.throwIfAborted();
      const own = await collection.findOne({ run });
      const numbers = Array.from({ length: places }, (_, i) => i);
      for (const place of own === null ? numbers : [own._id, ...numbers])
        if (await take(collection, place, { run, holder, leaseMs })) return place;
      onWait();
      await sleep(pollMs, undefined, { signal }).catch(() => undefined);
    }
  }
}

/** @returns false while another run has it */
async function take(
  collection: Collection<PlaceDocument>,
  place: number,
  { run, holder, leaseMs }: { readonly run: string; readonly holder: string; readonly leaseMs: number },
): Promise<boolean> {
  // Of a place that is not there, nothing is before now.
  const isFree = { $or: [{ $eq: ['$run', { $literal: run }] }, { $lt: ['$until', '$$NOW'] }] };
  const next = { _id: place, run: { $literal: run }, holder, until: { $add: ['$$NOW', leaseMs] } };
  try {
    const after = await collection.findOneAndUpdate(
      { _id: place },
      [{ $replaceWith: { $cond: [isFree, next, '$$ROOT'] } }],
      { upsert: true, returnDocument: 'after' },
    );
    return after?.holder === holder;
  } catch (error) {
    // Two at once, and no document before: the other one has it.
    if (isDuplicateKey(error)) return false;
    throw error;
  }
}
