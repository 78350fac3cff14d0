import assert from 'node:assert/strict';
import { pino } from 'pino';
import type { RoutingTable } from '../../../src/contracts/routes.js';
import { Keeper } from '../../../src/gateway/keeper.js';
import { inputsOf, scoresOf } from '../../../src/gateway/rows.js';
import { identify } from '../../../src/platform/observations/identity.js';
import type { Kept } from '../../../src/platform/observations/store.js';
import { Thinner } from '../../../src/platform/observations/thinning.js';
import type { Tensor } from '../../../src/platform/onnx/tensors.js';
import { desired, monitored } from '../../support/gateway.js';
import { createRandom } from '../../support/random.js';

const MINUTE = 60_000;

describe('Thinning', () => {
  it('keeps all of a little, and of very much about as many rows a minute, whatever their number', () => {
    const quiet = new Thinner();
    for (let i = 0; i < 290; i += 1) assert.ok(quiet.keeps(0.999, 1, i));
    for (const perMinute of [1_000, 30_000, 600_000]) {
      const random = createRandom(perMinute);
      const busy = new Thinner();
      const kept = [0, 1, 2, 3].map((minute) => {
        let count = 0;
        for (let i = 0; i < perMinute; i += 1) {
          if (busy.keeps(random.uniform(), 1, minute * MINUTE + (i * MINUTE) / perMinute)) count += 1;
        }
        return count;
      });
      assert.ok(kept[0]! <= 300 * (1 + Math.log2(perMinute / 300 + 1)), String(kept));
      assert.ok(
        kept.slice(1).every((count) => count >= 250 && count <= 700),
        String(kept),
      );
    }
  });

  it('takes a part of what was taken before, and forgets a rush', () => {
    const thinner = new Thinner();
    for (let i = 0; i < 10_000; i += 1) thinner.keeps(0, 100, 0);
    assert.equal(thinner.keeps(2 ** -30, 1, 0), false);
    assert.equal(thinner.keeps(0, 1, 0), true);
    assert.equal(thinner.keeps(0.9, 1, 40 * MINUTE), true);
  });
});

describe('The identity of a request', () => {
  it('is the same everywhere, other for another model, and spreads evenly', () => {
    // From Python's hashlib.
    assert.deepEqual(identify('m', 'r-1'), { h: 0.4642163155193444, identity: 'qx49Si0o6zL1TBwl' });
    assert.notEqual(identify('m', 'r-1').identity, identify('n', 'r-1').identity);
    const below = Array.from({ length: 10_000 }, (_, i) => identify('m', `r-${i}`).h).filter((h) => h < 0.1);
    assert.ok(Math.abs(below.length - 1_000) < 100, String(below.length));
  });
});

describe('Rows of tensors', () => {
  const tensor = (
    name: string,
    datatype: Tensor['datatype'],
    shape: number[],
    data: Tensor['data'],
  ): Tensor => ({
    name,
    datatype,
    shape,
    data,
  });

  it('are told by name, each value as what it is', () => {
    const inputs = [
      tensor('n', 'FP64', [2], Float64Array.of(1.5, Number.NaN)),
      tensor('wide', 'FP32', [2, 2], Float32Array.of(1, 2, 3, 4)),
      tensor('flag', 'BOOL', [2, 1], Uint8Array.of(1, 0)),
      tensor('big', 'INT64', [2], BigInt64Array.of(7n, 2n ** 60n)),
      tensor('secret', 'BYTES', [2], ['s', 't']),
      tensor('__proto__', 'BYTES', [2], ['a', 'b']),
    ];
    const rows = inputsOf(inputs, 2, new Set(['secret']));
    assert.deepEqual(
      rows.map((row) => Object.entries(row)),
      [
        [
          ['n', 1.5],
          ['wide', [1, 2]],
          ['flag', true],
          ['big', 7],
          ['__proto__', 'a'],
        ],
        [
          ['n', null],
          ['wide', [3, 4]],
          ['flag', false],
          ['big', '1152921504606846976'],
          ['__proto__', 'b'],
        ],
      ],
    );
  });

  it('have the score that is one number', () => {
    assert.deepEqual(scoresOf(tensor('s', 'FP32', [2, 1], Float32Array.of(0.5, 0.25)), 2), [0.5, 0.25]);
    assert.deepEqual(scoresOf(tensor('s', 'FP32', [1, 2], Float32Array.of(0.5, 0.5)), 1), [Number.NaN]);
    assert.deepEqual(scoresOf(undefined, 1), [Number.NaN]);
  });
});

describe('What a gateway keeps', () => {
  const table: RoutingTable = {
    ...desired({ ...monitored() }),
    model: 'm',
    generation: 1,
    changeId: 'c',
    changedAt: new Date(0).toISOString(),
  };
  const answered = (requestId: string, rows = 1, text = 'x') => ({
    requestId,
    ref: { version: 'v1', digest: 'd'.repeat(64) },
    role: 'champion' as const,
    inputs: [
      {
        name: 'x',
        datatype: 'BYTES' as const,
        shape: [rows],
        data: Array.from({ length: rows }, () => text),
      },
    ],
    outputs: [{ name: 'score', datatype: 'FP32' as const, shape: [rows], data: new Float32Array(rows) }],
  });
  const keeperOf = (keep: (kept: Kept) => Promise<void>, bounds: object = {}): Keeper =>
    new Keeper({
      gateway: 'g',
      boot: 'b',
      store: { keep },
      log: pino({ level: 'silent' }),
      flushMs: 1_000,
      ...bounds,
    });

  it('waits for a store that is away within bounds, and counts what does not fit', async () => {
    let isAway = true;
    const stored: Kept[] = [];
    const keeper = keeperOf(
      async (kept) => {
        if (isAway) throw new Error('away');
        stored.push(kept);
      },
      { maxRows: 5, maxSampleBytes: 1_500 },
    );
    for (let i = 0; i < 8; i += 1) keeper.answered(table, answered(`r${i}`));
    assert.equal(await keeper.flush(), false);
    assert.deepEqual(keeper.state, {
      storing: false,
      lastError: 'away',
      predictions: { stored: 0, thinned: 0, lost: 3 },
      samples: { stored: 0, lost: 1 },
    });
    isAway = false;
    assert.equal(await keeper.flush(), true);
    assert.deepEqual(keeper.state.predictions, { stored: 5, thinned: 0, lost: 3 });
    assert.deepEqual(
      stored.map(({ predictions, samples }) => [predictions[0]?.ids.length, samples.length]),
      [[5, 4]],
    );
    // There is room again.
    keeper.answered(table, answered('r9'));
    assert.equal(await keeper.flush(), true);
    assert.equal(keeper.state.predictions.stored, 6);
  });

  it('keeps nothing of ids and rows that are too long, nor of models that are not monitored', async () => {
    const keeper = keeperOf(async () => assert.fail('nothing is stored'));
    const { monitoring: _none, ...plain } = table;
    keeper.answered(plain, answered('r'));
    keeper.answered(table, answered('r'.repeat(201)));
    keeper.answered(table, answered('r', 20_001));
    assert.equal(await keeper.flush(), true);
    assert.equal(keeper.state.predictions.lost, 20_002);
  });

  it('gives up a row that no document can hold, and keeps its score', async () => {
    const stored: Kept[] = [];
    const keeper = keeperOf(async (kept) => void stored.push(kept));
    keeper.answered(table, answered('r', 1, 'x'.repeat(600_000)));
    await keeper.flush();
    assert.deepEqual(
      [stored[0]?.predictions[0]?.rows, stored[0]?.samples, keeper.state.samples.lost],
      [[1], [], 1],
    );
  });
});
