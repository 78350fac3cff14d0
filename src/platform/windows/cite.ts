import type { Db } from 'mongodb';
import { windowsOf } from './collections.js';

/**
 * Keeps all windows of a model that overlap a stretch of time for ever, as something rests on them.
 * @param stretch epoch milliseconds
 * @returns how many were not kept before
 */
export async function citeWindows(
  db: Db,
  { model, from, to }: { readonly model: string; readonly from: number; readonly to: number },
): Promise<number> {
  const { modifiedCount } = await windowsOf(db).updateMany(
    { model, to: { $gt: from }, from: { $lt: to }, cited: { $ne: true } },
    { $set: { cited: true } },
    { timeoutMS: 20_000 },
  );
  return modifiedCount;
}
