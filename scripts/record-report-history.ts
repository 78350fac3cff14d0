/**
 * Records the history of a daily report, as its Schedule starts it, into a folder of its own in test/replay/histories:
 *   npx tsx scripts/record-report-history.ts 4-fleet-report
 * Histories that are stored stay as they are: it fails where the folder is there already.
 */
import { mkdir, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { storedHistory } from '../test/support/stored-history.js';

/** The tests' servers end themselves in a hook of the test runner, which is not there. */
const teardowns: (() => unknown)[] = [];
Object.assign(globalThis, {
  after: (...hook: unknown[]) =>
    teardowns.push((hook.at(-1) as () => unknown).bind({ timeout: () => undefined })),
});

const { DailyReports } = await import('../test/support/report/daily-reports.js');

const [version = ''] = process.argv.slice(2);
if (!/^\d+-[a-z-]+$/.test(version))
  throw new Error(`The name of a version is needed, as in 4-fleet-report: got ${JSON.stringify(version)}`);
const folder = fileURLToPath(new URL(`../test/replay/histories/${version}/`, import.meta.url));
await mkdir(folder);

const daily = await DailyReports.open();
try {
  const { workflowId, history } = await daily.backfill('2026-03-10');
  const file = 'fleet-report.bin';
  await writeFile(`${folder}${file}`, storedHistory(history));
  const events = history.events?.length ?? 0;
  await writeFile(`${folder}index.json`, `${JSON.stringify([{ file, workflowId, events }], null, 2)}\n`);
  process.stdout.write(`${file}: ${events} events\n`);
} finally {
  await daily.close();
  for (const teardown of teardowns) await teardown();
}
