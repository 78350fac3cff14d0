import type { Db } from 'mongodb';

/**
 * What the server's clock says, by which windows are placed and closed, epoch milliseconds.
 * @param timeoutMS for the answer; absent: as long as it takes
 */
export async function databaseTime(db: Db, timeoutMS?: number): Promise<number> {
  const { localTime } = await db.command({ hello: 1 }, timeoutMS === undefined ? {} : { timeoutMS });
  if (!(localTime instanceof Date)) throw new Error('MongoDB did not say its time');
  return localTime.getTime();
}
