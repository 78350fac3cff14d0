import { isDeepStrictEqual } from 'node:util';
import type { Db } from 'mongodb';
import type { FleetReport, StoredReport, StoredReportHead } from '../contracts/report.js';
import { effect } from '../fail-points/index.js';
import { collectionsOf } from '../platform/mongo/index.js';
import { isDuplicateKey } from '../platform/mongo/errors.js';

/** Of two that store a day at once, the later one sees what the other stored. */
const MOST_TRIES = 5;

/**
 * Stores the report of a day. One that says the same as what is stored changes nothing; another one is the next revision.
 * @param page makes the HTML and puts it away; asked for only when something changes
 */
export async function keepReport(
  db: Db,
  day: string,
  report: FleetReport,
  madeAt: string,
  page: () => Promise<{ readonly digest: string }>,
): Promise<StoredReportHead> {
  const { reports } = collectionsOf(db);
  for (let attempt = 1; ; attempt += 1) {
    const found = await reports.findOne({ _id: day });
    if (found !== null && isDeepStrictEqual(found.report, asStored(report))) return headOf(found);
    const revision = (found?.revision ?? 0) + 1;
    const { digest: html } = await page();
    const stored = { _id: day, day, revision, madeAt, html, report };
    try {
      const done = await effect('report.keep', () =>
        reports.replaceOne({ _id: day, revision: revision - 1 }, stored, { upsert: revision === 1 }),
      );
      if (done.matchedCount + done.upsertedCount > 0) return headOf(stored);
    } catch (error) {
      if (!isDuplicateKey(error)) throw error;
    }
    if (attempt >= MOST_TRIES) throw new Error(`The report of ${day} is stored by others all the time`);
  }
}

const headOf = ({ day, revision, madeAt, html }: StoredReport): StoredReportHead => ({
  day,
  revision,
  madeAt,
  html,
});

/** As a document comes back: without what is undefined. */
const asStored = (report: FleetReport): unknown => JSON.parse(JSON.stringify(report));

/** Newest first. */
export const listReports = (db: Db, limit: number): Promise<StoredReportHead[]> =>
  collectionsOf(db)
    .reports.find({}, { sort: { _id: -1 }, limit })
    .project<StoredReportHead>({ _id: 0, day: 1, revision: 1, madeAt: 1, html: 1 })
    .toArray();

export async function findReport(db: Db, day: string): Promise<StoredReport | null> {
  const found = await collectionsOf(db).reports.findOne({ _id: day });
  return found === null ? null : { ...headOf(found), report: found.report };
}
