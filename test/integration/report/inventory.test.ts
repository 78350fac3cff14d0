import { strict as assert } from 'node:assert';
import type { LedgerEntry } from '../../../src/contracts/ledger.js';
import { MongoLedger } from '../../../src/ledger/index.js';
import { collectionsOf, type TenureDatabase } from '../../../src/platform/mongo/index.js';
import { makeInventory } from '../../../src/report/inventory.js';
import { openTestDatabase } from '../../support/database.js';

const HOUR = 3_600_000;
const START = Date.parse('2026-11-01T00:00:00.000Z');
const iso = (hours: number): string => new Date(START + hours * HOUR).toISOString();

describe('report: inventory', function () {
  this.timeout(30_000);
  let database: TenureDatabase & { drop(): Promise<void> };
  let events = 0;
  before(async () => {
    database = await openTestDatabase();
  });
  after(() => database?.drop());

  const record = (
    hours: number,
    action: string,
    subject: object,
    evidence: object = {},
    by = '',
  ): LedgerEntry => ({
    stream: 'm',
    id: `e${(events += 1)}`,
    action,
    actor: by === '' ? { kind: 'system', id: 'model:m' } : { kind: 'person', id: by },
    subject: subject as LedgerEntry['subject'],
    evidence: evidence as LedgerEntry['evidence'],
    at: iso(hours),
  });
  const of = (number: number) => ({ release: number, version: `v${number}`, digest: `d${number}` });
  const append = (...entries: LedgerEntry[]) =>
    new MongoLedger(collectionsOf(database.db).ledger).append(entries);
  const rowAt = async (hours: number, health: ReadonlyMap<string, string> | null = null) => {
    const [row] = await makeInventory(database.db, START + hours * HOUR, health);
    assert.ok(row);
    return row;
  };

  it('says that a release waits for an earlier one', async () => {
    const own = (entry: LedgerEntry): LedgerEntry => ({ ...entry, stream: 'busy' });
    await append(
      own(record(0, 'manifest.applied', { revision: 1 }, { manifest: { team: 't', owner: 'ada' } }, 'ada')),
      own(record(1, 'release.submitted', of(1), {}, 'ada')),
      own(record(2, 'release.validated', of(1))),
      own(record(3, 'release.submitted', of(2), {}, 'ada')),
      own(record(4, 'release.aborted', of(1), {}, 'ada')),
    );
    const stateAt = async (hours: number) => {
      const rows = await makeInventory(database.db, START + hours * HOUR, null);
      return rows.find(({ model }) => model === 'busy')?.lastRelease?.state;
    };
    assert.deepEqual(
      [await stateAt(2.5), await stateAt(3.5), await stateAt(5)],
      ['in flight', 'queued', 'in flight'],
    );
    await database.db.collection('ledger').deleteMany({ stream: 'busy' });
  });

  it('follows a model from its manifest to its retirement, at any time', async () => {
    const manifest = {
      team: 't',
      owner: 'ada',
      riskTier: 'high',
      purpose: 'p',
      monitoring: { revalidateSeconds: 100 * 3600 },
    };
    await append(
      record(0, 'manifest.applied', { revision: 1 }, { manifest }, 'ada'),
      record(1, 'release.submitted', of(1), {}, 'ada'),
      record(2, 'release.promoted', of(1), { former: null }),
      record(10, 'release.succeeded', of(1)),
      record(20, 'release.submitted', of(2), {}, 'ada'),
      record(30, 'release.promoted', of(2), { former: { version: 'v1', digest: 'd1' } }),
      record(40, 'release.rolled-back', of(2), { reason: 'worse' }),
      record(
        60,
        'manifest.applied',
        { revision: 2 },
        { manifest: { ...manifest, owner: 'bea', purpose: 'q' } },
        'ada',
      ),
      record(
        90,
        'incident.opened',
        { incident: 1 },
        {
          severity: 'info',
          origin: 'revalidation',
          onset: null,
          detected: iso(90),
          release: 1,
          findings: [],
        },
      ),
      record(95, 'incident.resolved', { incident: 1 }, {}, 'bea'),
      record(200, 'model.retired', { champion: null }, { reason: 'old' }, 'ada'),
    );
    const at = async (hours: number) => {
      const { version, lastRelease, nextDue } = await rowAt(hours);
      return [version, lastRelease?.release, lastRelease?.state, nextDue?.at, nextDue?.overdue];
    };
    assert.deepEqual(await at(0.5), [null, undefined, undefined, undefined, undefined]);
    assert.deepEqual(await at(1.5), [null, 1, 'in flight', undefined, undefined]);
    assert.deepEqual(await at(5), ['v1', 1, 'soaking', iso(102), false]);
    assert.deepEqual(await at(35), ['v2', 2, 'soaking', iso(130), false]);
    assert.deepEqual(await at(50), ['v1', 2, 'rolled-back', iso(102), false]);
    // What the model is for changed at 60.
    assert.deepEqual(await at(70), ['v1', 2, 'rolled-back', iso(60), true]);
    // A person said at 95 that it was validated anew.
    assert.deepEqual(await at(100), ['v1', 2, 'rolled-back', iso(195), false]);
    assert.deepEqual(await at(196), ['v1', 2, 'rolled-back', iso(195), true]);
    assert.deepEqual(await at(201), [null, 2, 'rolled-back', undefined, undefined]);
    const health = [
      (await rowAt(100, new Map([['m', 'alarm']]))).health,
      (await rowAt(100, new Map())).health,
    ];
    assert.deepEqual(health, ['alarm', 'unknown']);
    assert.deepEqual([(await rowAt(100)).health, (await rowAt(201)).health], [null, 'retired']);
  });
});
