import { strict as assert } from 'node:assert';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Inventory } from '../../../src/client/reports.js';
import type { FleetReport } from '../../../src/contracts/report.js';
import { COLLECTIONS, prepareDatabase } from '../../../src/platform/mongo/index.js';
import { WINDOW_COLLECTIONS } from '../../../src/platform/windows/collections.js';
import { tenureHere } from '../../support/command.js';
import { storeRecord } from '../../support/report/daily-reports.js';
import { randomRecord } from '../../support/report/random-record.js';
import { SeededHome } from '../../support/seeded-home.js';

const SINCE = ['--since', '2026-03-02', '--until', '2026-03-26'];

describe('report: the command, while Temporal is away', function () {
  this.timeout(60_000);
  let home: SeededHome;
  const here = (...args: string[]) => tenureHere(args, home.env);

  before(async () => {
    home = await SeededHome.empty();
    await prepareDatabase(home.db, [...COLLECTIONS, ...WINDOW_COLLECTIONS]);
    await storeRecord(home, randomRecord(7));
  });
  after(() => home.remove());

  it('prints figures, and writes them as JSON and HTML', async () => {
    const file = join(home.folder, 'report.html');
    const [plain, json, html] = await Promise.all([
      here('report', ...SINCE),
      here('report', ...SINCE, '--json'),
      here('report', ...SINCE, '--html', file),
    ]);
    assert.deepEqual([plain.code, json.code, html.code], [0, 0, 0]);
    const report = JSON.parse(json.stdout) as FleetReport;
    assert.ok(report.deployments.count > 0);
    assert.match(plain.stdout, /^2026-03-02 00:00 to 2026-03-26 00:00 UTC, all models/);
    assert.ok(
      plain.stdout.includes(`(${report.changeFailRate.part} of ${report.changeFailRate.whole} deployments)`),
    );
    assert.match(html.stdout, /^written: .*report\.html\n$/);
    assert.match(await readFile(file, 'utf8'), /<svg/);
  });

  it('narrows to a model or a team, and names those that are there', async () => {
    const { byModel } = JSON.parse((await here('report', ...SINCE, '--json')).stdout) as FleetReport;
    const [first] = byModel;
    assert.ok(first);
    const one = JSON.parse(
      (await here('report', ...SINCE, '--model', first.model, '--json')).stdout,
    ) as FleetReport;
    assert.deepEqual(one.byModel, [first]);
    const unknown = await here('report', ...SINCE, '--team', 'nobody');
    assert.equal(unknown.code, 1);
    assert.match(unknown.stderr, /No model of team nobody is on record before .*; teams: (billing|claims)/);
    const missing = await here('report', '--model', 'absent');
    assert.equal(missing.code, 1);
    assert.match(missing.stderr, /holds nothing of absent/);
    const other = first.team === 'billing' ? 'claims' : 'billing';
    const both = await here('report', ...SINCE, '--model', first.model, '--team', other);
    assert.match(both.stderr, new RegExp(`${first.model} is of team ${first.team}, not of ${other}`));
  });

  it('lists models without their health, and says why', async () => {
    const [plain, json, csv] = await Promise.all([
      here('inventory'),
      here('inventory', '--json'),
      here('inventory', '--csv'),
    ]);
    assert.deepEqual([plain.code, json.code, csv.code], [0, 0, 0]);
    const { models, healthUnknown } = JSON.parse(json.stdout) as Inventory;
    assert.match(healthUnknown ?? '', /Temporal is not running/);
    assert.ok(models.length > 0 && models.every(({ health }) => health === null || health === 'retired'));
    assert.match(plain.stdout, /Health is not known: Temporal is not running/);
    assert.match(csv.stderr, /Health is not known/);
    assert.equal(csv.stdout.trim().split('\r\n').length, models.length + 1);
    assert.deepEqual(
      csv.stdout
        .split('\r\n')
        .slice(1, -1)
        .map((line) => line.split(',')[0]),
      models.map(({ model }) => model),
    );
  });

  it('refuses what cannot be meant, with exit code 2', async () => {
    const wrong = await Promise.all([
      here('report', '--since', 'yesterday'),
      here('inventory', '--csv', '--json'),
      here('inventory', '--csv', '--html', 'x.html'),
    ]);
    assert.deepEqual(
      wrong.map(({ code }) => code),
      [2, 2, 2],
    );
    const unwritable = await here('inventory', '--html', join(home.folder, 'no', 'such', 'folder.html'));
    assert.equal(unwritable.code, 1);
    assert.match(unwritable.stderr, /folder\.html cannot be written: ENOENT/);
  });
});
