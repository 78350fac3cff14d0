import type * as LedgerModule from '../src/ledger/index.js';
import type { LedgerCollection } from '../src/ledger/index.js';
import { EMPTY_HEAD } from '../src/contracts/ledger.js';
import { connectMongo, prepareDatabase, type TenureDatabase } from '../src/platform/mongo/index.js';
import type { Bench, BenchContext } from './bench.js';
import { figure } from './figure.js';
import { entryOf } from './ledger/events.js';
import { compiled } from './support/compiled.js';
import { startMongod } from './support/gateway-stage.js';
import { median, sideBySide } from './support/rounds.js';

const MAJORITY = { writeConcern: { w: 'majority', journal: true } } as const;
const ROUNDS = 9;
const EVENTS_A_ROUND = 300;
const VERIFIED = { streams: 20, events: 1_000 } as const;

interface Parts {
  readonly ledger: typeof LedgerModule;
  readonly database: TenureDatabase;
  readonly events: LedgerCollection;
}

async function open(context: BenchContext): Promise<Parts> {
  const ledger = (await import((await compiled('src/ledger/index')).href)) as typeof LedgerModule;
  const database = await connectMongo(await startMongod(context), 'bench');
  context.defer(() => database.close());
  await prepareDatabase(database.db);
  return { ledger, database, events: database.collections.ledger };
}

/** Appends a second, one event a call, one after the other, as the activities of one model do. */
const append: Bench = {
  name: 'ledger-append',
  what: 'events appended a second, one after the other, beside a bare insertOne of the same document with the same write concern',
  figures: ['ledger-append'],
  async run(context) {
    const { ledger, database, events } = await open(context);
    const writer = new ledger.MongoLedger(events);
    const plain = database.db.collection<{ readonly _id: string }>('plain');
    let appended = 0;
    let inserted = 0;
    let head = EMPTY_HEAD;
    const perSecond = async (act: () => Promise<unknown>): Promise<number> => {
      const began = performance.now();
      for (let i = 0; i < EVENTS_A_ROUND; i += 1) await act();
      return (EVENTS_A_ROUND * 1_000) / (performance.now() - began);
    };
    const seen = await sideBySide({
      rounds: context.rounds ?? ROUNDS,
      ours: () => perSecond(() => writer.append([entryOf('churn', (appended += 1))])),
      theirs: () => {
        // Made before it is timed: what is compared with makes no chain.
        const documents = Array.from({ length: EVENTS_A_ROUND }, () => {
          const event = ledger.chain(entryOf('plain', (inserted += 1)), head);
          head = event;
          return { _id: event.hash, ...event };
        });
        return perSecond(() => plain.insertOne(documents.shift() ?? { _id: '' }, MAJORITY));
      },
      onRound: context.say,
    });
    const { ok, events: verified } = await ledger.verifyLedger(events);
    if (!ok || verified !== appended) throw new Error(`Of ${appended} events, ${verified} are verified`);
    return [
      figure({
        name: 'ledger-append',
        unit: 'events/s',
        ...seen,
        aim: { of: 'ratio', at: 'least', bound: 0.8 },
        note: 'Theirs: a collection without indexes and without a validator, and no chain',
      }),
    ];
  },
};

const verify: Bench = {
  name: 'ledger-verify',
  what: 'events verified a second: every hash, link and number',
  figures: ['ledger-verify'],
  async run(context) {
    const { ledger, events } = await open(context);
    for (let s = 0; s < VERIFIED.streams; s += 1) {
      let head = EMPTY_HEAD;
      const documents = Array.from({ length: VERIFIED.events }, (_, n) => {
        const event = ledger.chain(entryOf(`model-${s}`, n + 1), head);
        head = event;
        return { _id: event.hash, ...event };
      });
      await events.insertMany(documents, MAJORITY);
    }
    const total = VERIFIED.streams * VERIFIED.events;
    const rates: number[] = [];
    const rounds = context.rounds ?? ROUNDS;
    for (let round = 0; round <= rounds; round += 1) {
      const began = performance.now();
      const { ok, events: verified } = await ledger.verifyLedger(events);
      if (!ok || verified !== total) throw new Error(`Of ${total} events, ${verified} are verified`);
      if (round > 0) rates.push((total * 1_000) / (performance.now() - began));
    }
    return [
      figure({
        name: 'ledger-verify',
        unit: 'events/s',
        ours: median(rates),
        note: `${total} events in ${VERIFIED.streams} streams`,
      }),
    ];
  },
};

export const benches: readonly Bench[] = [append, verify];
