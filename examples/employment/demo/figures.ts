/** The end of the story: what the head of platform asks for, and whether it agrees with what was told. */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { loadConfig } from '../../../src/config.js';
import { verifyLedger } from '../../../src/client/audit.js';
import { createStyle } from '../../../src/client/command/style.js';
import { reportText } from '../../../src/client/command/render/report.js';
import { fleetReport } from '../../../src/client/reports.js';
import type { FleetReport } from '../../../src/contracts/report.js';
import { reportPage } from '../../../src/report/html/report-page.js';
import type { Stage } from './stage.js';
import type { Story } from './story.js';

/** @param promoted versions that the story has brought into production */
export async function theFigures(story: Story, stage: Stage, promoted: number): Promise<void> {
  story.chapter('The figures');
  const end = new Date();
  const report = await fleetReport(stage.session, {
    since: new Date(end.getTime() - 24 * 3_600_000).toISOString(),
    until: end.toISOString(),
    model: null,
    team: null,
  });
  story.say('tenure report --since 24h');
  for (const line of reportText(report, createStyle(false)).split('\n')) story.say(`  ${line}`);
  checkFigures(story, report, promoted);
  const verified = await verifyLedger(stage.session);
  story.expect(
    verified.ok && verified.headsUnknown.length === 0,
    `the whole ledger verifies: ${verified.events} events, and the heads of ${verified.headsMatched} streams are those that Temporal knows of`,
  );
  // Not in the demo's own folder, which goes with it.
  const { home } = loadConfig();
  const file = join(home, 'demo-report.html');
  const page = reportPage(report, end.toISOString());
  await mkdir(home, { recursive: true });
  await writeFile(file, page);
  const isWhole = page.includes('<svg') && !/<script|(src|href)="http/.test(page);
  story.expect(isWhole, `tenure report --html: ${file}, one file with its plots, ${page.length} characters`);
}

function checkFigures(story: Story, report: FleetReport, promoted: number): void {
  const { deployments, stopped, retraining, availability, incidents } = report;
  story.expect(
    deployments.count === promoted && stopped.rolledBack === 1,
    `the report counts ${promoted} versions that came into production, and 1 that its canary stopped`,
  );
  story.expect(
    retraining.untouched.part === 1 && retraining.untouched.whole === 1,
    'of 1 retraining it counts 1 that came into production without a hand',
  );
  story.expect(
    availability.byRequests.value === 1,
    `every one of ${availability.byRequests.whole} counted requests was answered`,
  );
  story.expect(
    incidents.detect.n > 0 && incidents.remediate.n > 0,
    'it knows how long finding and mending took, from the record alone',
  );
}
