import { strict as assert } from 'node:assert';
import { chain } from '../../../src/ledger/index.js';
import { collectionsOf, type TenureDatabase } from '../../../src/platform/mongo/index.js';
import { makeInventory } from '../../../src/report/inventory.js';
import { openTestDatabase } from '../../support/database.js';
import { DAYS, randomRecord, START } from '../../support/report/random-record.js';
import { slowDues } from '../../support/report/slow-due.js';
import { scale } from '../../support/scale.js';

const DAY = 86_400_000;
const TOGETHER = 10;

describe('inventory: when validations are due, a slow recomputation from all events agrees', function () {
  this.timeout(scale(60_000, 600_000));
  let database: TenureDatabase & { drop(): Promise<void> };
  before(async () => {
    database = await openTestDatabase();
  });
  after(() => database.drop());

  it('on random records, at any time', async () => {
    const { ledger } = collectionsOf(database.db);
    const seen = new Map<string, number>();
    for (let first = 1; first <= scale(200, 4_000); first += TOGETHER) {
      const seeds = Array.from({ length: TOGETHER }, (_, i) => first + i);
      const events = seeds.flatMap((seed) => randomRecord(seed).events);
      await ledger.deleteMany({});
      await ledger.insertMany(
        events.map(({ sequence, previousHash, ...entry }) => {
          const stored = chain(entry, { sequence: sequence - 1, hash: previousHash });
          return { ...stored, _id: stored.hash };
        }),
      );
      for (const days of [DAYS, 1 + (first % DAYS)]) {
        const until = START + days * DAY;
        const rows = await makeInventory(database.db, until, null);
        const wanted = slowDues(events, until);
        assert.deepEqual(rows.map(({ model }) => model).toSorted(), [...wanted.keys()].toSorted());
        for (const { model, nextDue } of rows) {
          const due = wanted.get(model) ?? null;
          const found = nextDue === null ? null : [Date.parse(nextDue.at), nextDue.overdue];
          assert.deepEqual(found, due === null ? null : [due.at, due.at <= until], `${model}, ${days} days`);
          const what = due === null ? 'nothing' : `${due.by}, ${due.at <= until ? 'over' : 'to come'}`;
          seen.set(what, (seen.get(what) ?? 0) + 1);
        }
      }
    }
    // A change that is to come is not known.
    assert.deepEqual([...seen.keys()].toSorted(), ['change, over', 'nothing', 'time, over', 'time, to come']);
    for (const [what, count] of seen) assert.ok(count >= 20, `${what}: ${count}`);
  });
});
