import type { Db } from 'mongodb';

const ANSWER = { timeoutMS: 5_000 } as const;

/** What the server's clock says, by which windows are placed, epoch milliseconds. */
export async function databaseTime(db: Db): Promise<number> {
  const { localTime } = await db.command({ hello: 1 }, ANSWER);
  if (!(localTime instanceof Date)) throw new Error('MongoDB did not say its time');
  return localTime.getTime();
}
