import { strict as assert } from 'node:assert';
import type { FleetReport, ReportScope } from '../../../src/contracts/report.js';
import { chain } from '../../../src/ledger/index.js';
import { collectionsOf, prepareDatabase, type TenureDatabase } from '../../../src/platform/mongo/index.js';
import { WINDOW_COLLECTIONS, windowsOf } from '../../../src/platform/windows/collections.js';
import { readFacts } from '../../../src/report/facts/index.js';
import type { Facts } from '../../../src/report/facts/types.js';
import { reportOf } from '../../../src/report/figures/index.js';
import { makeReport } from '../../../src/report/fleet-report.js';
import { openTestDatabase } from '../../support/database.js';
import {
  DAYS,
  randomRecord,
  type RandomRecord,
  recordName,
  START,
} from '../../support/report/random-record.js';
import { plainly } from '../../support/report/plain-report.js';
import { loose } from '../../support/report/slow-books.js';
import { slowReport } from '../../support/report/slow-report.js';
import { scale } from '../../support/scale.js';

const HOUR = 3_600_000;
const iso = (time: number): string => new Date(time).toISOString();

const FLEET: ReportScope = {
  since: iso(START),
  until: iso(START + DAYS * 24 * HOUR),
  model: null,
  team: null,
};

const TOGETHER = 10;

/** All of it, or a part of whole days and odd hours. */
function scopeOf(seed: number): ReportScope {
  if (seed % 4 === 1) return FLEET;
  const first = START + ((seed * 7) % 5) * 24 * HOUR + (seed % 3) * 5 * HOUR;
  return {
    ...FLEET,
    since: iso(first),
    until: iso(first + (1 + (seed % 13)) * 24 * HOUR + (seed % 4) * HOUR),
  };
}

describe('report: a slow recomputation from all events agrees', function () {
  this.timeout(scale(60_000, 600_000));
  let database: TenureDatabase & { drop(): Promise<void> };
  before(async () => {
    database = await openTestDatabase();
    await prepareDatabase(database.db, WINDOW_COLLECTIONS);
  });
  after(() => database.drop());

  async function store({ events, windows }: RandomRecord): Promise<void> {
    const { ledger } = collectionsOf(database.db);
    const counted = windowsOf(database.db);
    await Promise.all([ledger.deleteMany({}), counted.deleteMany({})]);
    await Promise.all([
      ledger.insertMany(events.map((event) => chained(event))),
      ...(windows.length > 0 ? [counted.insertMany([...windows])] : []),
    ]);
  }

  /** Several at a time: MongoDB reads a fleet, and each record is compared by itself and with the others. */
  it('on random records', async () => {
    const seen = new Map<string, number>();
    for (let first = 1; first <= scale(200, 4_000); first += TOGETHER) {
      const records = Array.from({ length: TOGETHER }, (_, i) => ({
        ...randomRecord(first + i),
        seed: first + i,
      }));
      const all = { events: records.flatMap((r) => r.events), windows: records.flatMap((r) => r.windows) };
      await store(all);
      const scope = scopeOf(first);
      const together = await makeReport(database.db, scope);
      agree(plainly(together), slowReport(all.events, all.windows, scope), `seeds from ${first}`);
      const facts = await readFacts(database.db, {
        since: Date.parse(scope.since),
        until: Date.parse(scope.until),
        models: null,
      });
      for (const { seed, events, windows } of records) {
        const report = reportOf(ofRecord(facts, seed), scope);
        agree(plainly(report), slowReport(events, windows, scope), `seed ${seed}`);
        note(seen, report);
        const vain = events.filter((event) => asksInVain(event)).length;
        seen.set('findings that ask in vain', (seen.get('findings that ask in vain') ?? 0) + vain);
      }
    }
    // Every figure has been compared with a value, and with none, often enough.
    for (const [figure, count] of seen) assert.ok(count >= 5, `${figure}: ${count}`);
    assert.equal(seen.size, 24, [...seen.keys()].join(', '));
  });

  it('of one team and of one model', async () => {
    for (let seed = 301; seed <= 306; seed += 1) {
      const record = randomRecord(seed);
      await store(record);
      const whole = await makeReport(database.db, FLEET);
      for (const team of new Set(whole.byModel.map((row) => row.team))) {
        const scope = { ...FLEET, team };
        const report = await makeReport(database.db, scope);
        agree(plainly(report), slowReport(record.events, record.windows, scope), `seed ${seed}, ${team}`);
      }
      for (const { model } of whole.byModel) {
        const scope = { ...FLEET, model };
        const report = await makeReport(database.db, scope);
        agree(plainly(report), slowReport(record.events, record.windows, scope), `seed ${seed}, ${model}`);
      }
    }
  });
});

const ofRecord = (facts: Facts, seed: number): Facts =>
  Object.fromEntries(
    Object.entries(facts).map(([name, rows]: [string, Facts['heldBack']]) => [
      name,
      rows.filter(({ model }) => model.startsWith(recordName(seed))),
    ]),
  ) as unknown as Facts;

/** As the ledger stores it; what is random is the content, not the chain. */
function chained(event: RandomRecord['events'][number]) {
  const { sequence, previousHash, ...entry } = event;
  const stored = chain(entry, { sequence: sequence - 1, hash: previousHash });
  return { ...stored, _id: stored.hash };
}

/** Equal, numbers to rounding: sums are added up in another order. */
function agree(found: unknown, wanted: unknown, where: string): void {
  if (typeof found === 'number' && typeof wanted === 'number') {
    const isClose = Math.abs(found - wanted) <= 1e-9 * Math.max(1, Math.abs(wanted));
    assert.ok(isClose, `${where}: ${found}, recomputed ${wanted}`);
    return;
  }
  if (typeof found !== 'object' || typeof wanted !== 'object' || found === null || wanted === null)
    return assert.equal(found, wanted, where);
  const fields = Object.keys(wanted);
  assert.deepEqual(Object.keys(found), fields, where);
  for (const field of fields) agree((found as never)[field], (wanted as never)[field], `${where} ${field}`);
}

/** A manifest by which only a finding could start a retraining, and no policy has any do so. */
function asksInVain({ action, evidence }: RandomRecord['events'][number]): boolean {
  if (action !== 'manifest.applied') return false;
  const { retraining, monitoring } = loose(loose(evidence)['manifest']);
  const { finding, ...others } = retraining?.triggers ?? {};
  const isOnlyFinding = finding === true && Object.values(others).every((trigger) => trigger === null);
  return isOnlyFinding && !(JSON.stringify(monitoring) ?? '').includes('"retrain"');
}

function note(seen: Map<string, number>, report: FleetReport): void {
  const figures: Readonly<Record<string, number | null>> = {
    lead: report.leadTime.total.median,
    'approval wait': (report.leadTime.approvalWait.p90 ?? 0) > 0 ? 1 : null,
    fails: report.changeFailRate.value,
    rework: report.reworkRate.value,
    recovery: report.recovery.time.median,
    requests: report.availability.byRequests.value,
    time: report.availability.byTime.value,
    detect: report.incidents.detect.median,
    remediate: report.incidents.remediate.median,
    'automated retraining': report.retraining.enabled.value,
    untouched: report.retraining.untouched.value,
  };
  for (const [name, value] of Object.entries(figures)) {
    const key = `${name} ${value === null ? 'absent' : 'there'}`;
    seen.set(key, (seen.get(key) ?? 0) + 1);
  }
  if (report.retraining.untouched.part > 0)
    seen.set('untouched for once', (seen.get('untouched for once') ?? 0) + 1);
}
