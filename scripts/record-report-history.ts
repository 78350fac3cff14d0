/**
 * Records the history of a daily report, as its Schedule starts it, into a folder of its own in test/replay/histories:
 *   npx tsx scripts/record-report-history.ts 4-fleet-report
 * Histories that are stored stay as they are: it fails where the folder is there already.
 */
import { runAfter } from './support/test-hooks.js';
import { RecordedFolder } from './support/recorded-folder.js';
import { DailyReports } from '../test/support/report/daily-reports.js';

const [version = ''] = process.argv.slice(2);
const folder = await RecordedFolder.make(version, '4-fleet-report');

const daily = await DailyReports.open();
try {
  const { workflowId, history } = await daily.backfill('2026-03-10');
  await folder.record({ workflowId, fetchHistory: () => Promise.resolve(history) }, 'fleet-report');
} finally {
  await daily.close();
  await runAfter();
}
