import type { Command } from 'commander';
import type { FleetReport } from '../../../contracts/report.js';
import { TenureError } from '../../errors.js';
import { type AskedScope, reportScope } from '../../report-scope.js';
import { dailyPage, dailyReport, dailyReports, fleetReport, inventory } from '../../reports.js';
import { writeOutput } from '../../write-file.js';
import { dayTable, inventoryTable, reportText } from '../render/report.js';
import type { Scene, Stage } from '../scene.js';
import type { Style } from '../style.js';

export function addReportCommands(program: Command, stage: Stage): void {
  program
    .command('inventory')
    .summary('list every model with owner, version, health and what is due')
    .description(
      'Lists every model on record: team, owner, risk tier, the version in production, health, the last release, and what falls due ' +
        'next. All of it is read from the ledger but health, which Temporal knows; without Temporal it is left out.',
    )
    .option('--csv', 'comma-separated values, with a line of titles')
    .option('--html <file>', 'write one self-contained HTML file')
    .addHelpText('after', '\nExamples:\n  tenure inventory\n  tenure inventory --csv > models.csv')
    .action(stage.act((scene, _args, options: InventoryOptions) => showInventory(scene, options)));
  program
    .command('report')
    .summary('figures of a stretch of time: deployments, failures, availability, incidents')
    .description(
      'Computes from the ledger and the windows: deployment frequency, lead time, change fail rate, rework rate, recovery of failed ' +
        'deployments, availability, incidents, times to detect and to remediate, and automated retraining. A figure that there is no ' +
        'data for is none (null in JSON), never 0. Each definition: docs/report.md.',
    )
    .option('--since <time>', 'its start: a date, a time, or 30d or 12h before the end (default: 30d)')
    .option('--until <time>', 'its end, not included (default: now)')
    .option('--model <name>', 'this model only')
    .option('--team <name>', 'the models of this team only')
    .option('--html <file>', 'write one self-contained HTML file with plots')
    .option('--daily', 'list the daily reports that are stored instead')
    .option('--day <day>', 'show the daily report of a day as it was stored, e.g. 2026-11-27')
    .addHelpText(
      'after',
      '\nExamples:\n  tenure report --since 7d\n  tenure report --since 2026-10-01 --until 2026-11-01 --team billing --html october.html' +
        '\n  tenure report --day 2026-11-27 --html day.html',
    )
    .action(stage.act((scene, _args, options: ReportOptions) => showReport(scene, options)));
}

interface InventoryOptions {
  readonly csv?: boolean;
  readonly html?: string;
}

async function showInventory(scene: Scene, { csv, html }: InventoryOptions): Promise<void> {
  if (csv === true && (scene.printer.json || html !== undefined))
    throw new TenureError('invalid', '--csv goes without --json and --html: ask for one of them');
  const found = await inventory(scene.session);
  if (csv === true) {
    const { inventoryCsv } = await import('../../../report/csv.js');
    if (found.healthUnknown !== null) scene.printer.progress(`Health is not known: ${found.healthUnknown}`);
    scene.printer.result(found.models, inventoryCsv);
    return;
  }
  if (html !== undefined) {
    const { inventoryPage } = await import('../../../report/html/inventory-page.js');
    await writeOutput(html, inventoryPage(found.models, new Date().toISOString()));
  }
  scene.printer.result(found, (shown, style) =>
    html === undefined ? inventoryTable(shown, style) : written(html, style),
  );
}

interface ReportOptions extends AskedScope {
  readonly html?: string;
  readonly daily?: boolean;
  readonly day?: string;
}

async function showReport(scene: Scene, options: ReportOptions): Promise<void> {
  const { html, daily, day, ...asked } = options;
  const isScoped = Object.keys(asked).length > 0;
  if (daily === true) {
    if (isScoped || html !== undefined || day !== undefined)
      throw new TenureError('invalid', '--daily lists what is stored: it goes with --json alone');
    scene.printer.result(await dailyReports(scene.session), dayTable);
    return;
  }
  if (day !== undefined) {
    if (isScoped)
      throw new TenureError(
        'invalid',
        '--day shows what is stored: leave out --since, --until, --model and --team',
      );
    return showDay(scene, day, html);
  }
  const now = Date.now();
  const report = await fleetReport(scene.session, reportScope(asked, now));
  if (html !== undefined) {
    const { reportPage } = await import('../../../report/html/report-page.js');
    await writeOutput(html, reportPage(report, new Date(now).toISOString()));
  }
  show(scene, report, html);
}

async function showDay(scene: Scene, day: string, html: string | undefined): Promise<void> {
  const { report, ...head } = await dailyReport(scene.session, day);
  if (html !== undefined) await writeOutput(html, await dailyPage(scene.session, head));
  show(scene, report, html);
}

const show = (scene: Scene, report: FleetReport, html: string | undefined): void =>
  scene.printer.result(report, (shown, style) =>
    html === undefined ? reportText(shown, style) : written(html, style),
  );

const written = (file: string, style: Style): string => `${style.green('written')}: ${file}`;
