import assert from 'node:assert/strict';
import type { LedgerEntry, LedgerEvent, LedgerHead } from '../../../src/contracts/ledger.js';
import { followStream, type LedgerCollection, MongoLedger } from '../../../src/ledger/index.js';
import { prepareDatabase } from '../../../src/platform/mongo/index.js';
import { freshDatabase, type TestDatabase } from '../../support/stack.js';

const BYPASS = { bypassDocumentValidation: true } as const;
const entry = (n: number): LedgerEntry => ({
  stream: 'm',
  id: `look/${n}`,
  action: 'canary.look',
  actor: { kind: 'system', id: 'release:m:1' },
  subject: { n },
  evidence: {},
  at: '2026-01-31T12:00:00.000Z',
});

describe('following a stream of the ledger', function () {
  this.timeout(30_000);
  let database: TestDatabase;
  let events: LedgerCollection;
  let heads: readonly LedgerHead[];

  before(async () => {
    database = await freshDatabase();
    await prepareDatabase(database.db);
    events = database.db.collection('ledger');
    heads = await new MongoLedger(events).append(Array.from({ length: 6 }, (_, n) => entry(n + 1)));
  });
  after(() => database?.close());

  const follow = async (kept: LedgerHead | null, after?: LedgerHead) => {
    const seen: number[] = [];
    const onEvent = ({ sequence }: LedgerEvent): unknown => seen.push(sequence);
    const followed = await followStream(events, 'm', {
      kept,
      onEvent,
      ...(after === undefined ? {} : { after }),
    });
    return { followed, seen };
  };
  const headAt = (n: number): LedgerHead => {
    const { sequence, hash } = heads[n - 1] ?? { sequence: 0, hash: '' };
    return { sequence, hash };
  };

  it('verifies it whole, and then only what was added', async () => {
    const whole = await follow(headAt(6));
    assert.deepEqual([whole.followed, whole.seen], [{ bad: null, head: headAt(6) }, [1, 2, 3, 4, 5, 6]]);
    const added = await follow(headAt(6), headAt(4));
    assert.deepEqual([added.followed, added.seen], [{ bad: null, head: headAt(6) }, [5, 6]]);
    const older = await follow(headAt(2), headAt(6));
    assert.deepEqual([older.followed, older.seen], [{ bad: null, head: headAt(6) }, []]);
    assert.deepEqual((await follow(null)).followed, { bad: null, head: headAt(6) });
  });

  it('sees that what was verified is another now, that the newest are gone, and a head that is not there', async () => {
    const other = { sequence: 4, hash: 'f'.repeat(64) };
    assert.equal((await follow(null, other)).followed, null);
    assert.equal((await follow(other, headAt(6))).followed, null);
    assert.equal((await follow({ ...other, sequence: 6 }, headAt(6))).followed, null);
    const gone = { sequence: 9, hash: 'f'.repeat(64) };
    assert.equal((await follow(null, gone)).followed, null);
    assert.equal((await follow(gone, headAt(6))).followed?.bad?.kind, 'cut-off');
  });

  it('sees a change after the place from which it goes on', async () => {
    const original = await events.findOne({ stream: 'm', sequence: 5 });
    assert.ok(original);
    await events.updateOne({ sequence: 5 }, { $set: { action: 'canary.planned' } }, BYPASS);
    const { followed, seen } = await follow(headAt(6), headAt(3));
    assert.deepEqual([followed?.bad?.sequence, followed?.bad?.kind, seen], [5, 'fields-differ', [4]]);
    await events.replaceOne({ sequence: 5 }, original, BYPASS);
    assert.equal((await follow(headAt(6), headAt(3))).followed?.bad, null);
  });
});
