import assert from 'node:assert/strict';
import * as fc from 'fast-check';
import type { WindowCell } from '../../../../src/contracts/windows.js';
import { boundedCells } from '../../../../src/platform/windows/bounded.js';
import { mergeCells } from '../../../../src/platform/windows/merge.js';
import { ModelRecorder } from '../../../../src/platform/windows/recorder.js';
import { judgeWindow } from '../../../../src/statistics/drift/judge-window.js';
import type { FeatureCounts } from '../../../../src/statistics/drift/judge-feature.js';
import { categoricalProfile, numericProfile } from '../../../../src/statistics/profile/build.js';
import { checkWindow } from '../../../../src/statistics/profile/check.js';
import type { ReferenceProfile, WindowCounts } from '../../../../src/statistics/profile/types.js';
import { WindowCounter } from '../../../../src/statistics/profile/window.js';
import { createRandom } from '../../../support/random.js';
import { scale } from '../../../support/scale.js';
import { canaryTable, CHAMPION } from '../../../support/windows.js';

const random = createRandom(11);
const reference = Array.from({ length: 400 }, () => random.normal());
const PROFILE: ReferenceProfile = {
  format: 1,
  rows: 400,
  features: [
    numericProfile('x', reference, 12),
    categoricalProfile(
      'kind',
      reference.map((value) => `k${Math.floor(Math.abs(value) * 4)}`),
      'string',
      6,
    ),
  ],
  score: null,
};

type Row = readonly [x: number | null, kind: string];

/** Requests of several gateways; each flushes after some of them. */
interface Shard {
  readonly gateway: number;
  readonly generation: number;
  readonly requests: readonly (readonly Row[])[];
}

const rowsOf = (rows: readonly Row[], profile: string) => ({
  profile,
  open: () => new WindowCounter(PROFILE, profile),
  addTo: (counter: WindowCounter) => {
    for (const row of rows) counter.add(row);
  },
});

const ANSWER = { elapsedMs: 2, score: 0.5, error: null, bad: 0 } as const;

function flushed({ gateway, generation, requests }: Shard, profile = 'p'): readonly WindowCell[] {
  const recorder = new ModelRecorder('m', 0, 100);
  const table = canaryTable(generation, 0.5);
  for (const rows of requests)
    recorder.answered(table, { ...CHAMPION, role: 'champion' }, 'split', {
      ...ANSWER,
      rows: rowsOf(rows, profile),
    });
  const head = { gateway: `g${gateway}`, boot: 'b', sequence: 1, lost: { batches: 0, requests: 0 } };
  // As the database gives it back.
  return JSON.parse(JSON.stringify(recorder.flush(1, head)?.cells ?? [])) as WindowCell[];
}

/** What the judge takes: names as counted, rare ones as one. */
function verdictOf(counts: WindowCounts) {
  const features = PROFILE.features.map((feature, i): [string, FeatureCounts] => {
    const window = counts.features[i];
    if (feature.kind === 'numeric' && window?.kind === 'numeric')
      return [feature.name, { kind: 'numeric', reference: feature.counts, window: window.counts }];
    if (feature.kind !== 'categorical' || window?.kind !== 'categorical') throw new Error('Kinds differ');
    const listed = (list: readonly number[]) =>
      feature.values.map((value, at): [string, number] => [value, list[at] ?? 0]);
    const others = window.unlisted.names.reduce((sum, [, rows]) => sum + rows, window.unlisted.rest);
    return [
      feature.name,
      {
        kind: 'categorical',
        reference: Object.fromEntries([...listed(feature.counts), ['other', feature.other.rows]]),
        window: Object.fromEntries([...listed(window.counts), ['other', others]]),
      },
    ];
  });
  return judgeWindow(Object.fromEntries(features));
}

const row: fc.Arbitrary<Row> = fc.tuple(
  fc.option(fc.double({ min: -4, max: 4, noNaN: true }), { freq: 10, nil: null }),
  fc.integer({ min: 0, max: 90 }).map((kind) => `k${kind}`),
);
const shard: fc.Arbitrary<Shard> = fc.record({
  gateway: fc.nat(3),
  generation: fc.integer({ min: 1, max: 2 }),
  requests: fc.array(fc.array(row, { minLength: 1, maxLength: 8 }), { minLength: 1, maxLength: 12 }),
});

/** Merges neighbours until one is left, as the compactor does in steps. */
function mergedBy(
  order: readonly number[],
  parts: readonly (readonly WindowCell[])[],
): readonly WindowCell[] {
  const left = [...parts];
  for (const pick of order) {
    if (left.length < 2) break;
    const at = pick % (left.length - 1);
    left.splice(at, 2, mergeCells([...(left[at] ?? []), ...(left[at + 1] ?? [])]));
  }
  return mergeCells(left.flat());
}

const featuresOf = (cells: readonly WindowCell[]) =>
  cells.map(({ generation, features }) => [generation, features]);

describe('Features in windows', () => {
  it('come out the same of shards merged in any order, and so does the verdict', () => {
    fc.assert(
      fc.property(
        fc.array(shard, { minLength: 1, maxLength: 8 }),
        fc.array(fc.nat(1_000), { maxLength: 20 }),
        fc.nat(1_000_000),
        (shards, order, seed) => {
          const shuffle = createRandom(seed);
          const shuffled = shards
            .map((one) => [shuffle.uniform(), one] as const)
            .sort(([a], [b]) => a - b)
            .map(([, one]) => one);
          const once = mergeCells(shards.flatMap((one) => flushed(one)));
          const steps = mergedBy(
            order,
            shuffled.map((one) => flushed(one)),
          );
          assert.deepEqual(featuresOf(steps), featuresOf(once));
          // What was counted is what was sent, whoever counted it.
          for (const generation of [1, 2]) {
            const mine = shards.filter((one) => one.generation === generation);
            if (mine.length === 0) continue;
            const counter = new WindowCounter(PROFILE, 'p');
            for (const sent of mine.flatMap(({ requests }) => requests.flat())) counter.add(sent);
            const [cell] = steps.filter((one) => one.generation === generation);
            assert.deepEqual(cell?.features, counter.counts());
            checkWindow(PROFILE, counter.counts());
            assert.deepEqual(verdictOf(cell?.features), verdictOf(counter.counts()));
          }
        },
      ),
      { numRuns: scale(60, 1_500), seed: 5 },
    );
  });

  it('of different profiles are kept apart, and so are those without', () => {
    const one = { gateway: 1, generation: 1, requests: [[[0, 'k1']]] } as const;
    const { features: _, ...none } = flushed(one)[0] as WindowCell;
    const cells = [...flushed(one, 'p'), ...flushed(one, 'q'), none, ...flushed(one, 'p'), none];
    const merged = mergeCells(cells);
    assert.deepEqual(
      merged.map(({ features, requests }) => [features?.profile, features?.rows, requests.split]),
      [
        [undefined, undefined, 2],
        ['p', 2, 2],
        ['q', 1, 1],
      ],
    );
  });

  it('have one cell while a version has one profile, and another after it was given a new one', () => {
    const recorder = new ModelRecorder('m', 0, 100);
    const table = canaryTable(1, 0.5);
    const key = { ...CHAMPION, role: 'champion' } as const;
    const ask = (profile: string | null): void =>
      recorder.answered(table, key, 'split', {
        ...ANSWER,
        rows: profile === null ? null : rowsOf([[1, 'k0']], profile),
      });
    for (const profile of [null, 'p', 'p', null, 'q', null, 'q', 'p']) ask(profile);
    recorder.count(table, key, 'shed');
    const head = { gateway: 'g', boot: 'b', sequence: 1, lost: { batches: 0, requests: 0 } };
    const cells = recorder.flush(1, head)?.cells ?? [];
    assert.deepEqual(
      cells.map(({ features }) => [features?.profile, features?.rows]),
      [
        ['p', 3],
        ['q', 2],
      ],
    );
    assert.equal(
      cells.reduce((sum, { requests }) => sum + requests.split + requests.shed, 0),
      9,
    );
  });

  it('give way before a document is too large: generations, then names, then all', () => {
    const at = (generation: number): WindowCell[] => [
      ...flushed({ gateway: 1, generation, requests: [[[0, `new ${generation}`]]] }),
    ];
    const cells = mergeCells([1, 2, 3].flatMap(at));
    assert.equal(boundedCells(cells), cells);
    const size = (given: readonly WindowCell[]): number => JSON.stringify(given).length;
    const folded = boundedCells(cells, size(cells));
    assert.deepEqual(
      folded.map(({ features }) => features?.rows),
      [3, undefined, undefined],
    );
    const [x, kind] = folded[0]?.features?.features ?? [];
    assert.equal(x?.kind, 'numeric');
    assert.ok(kind?.kind === 'categorical');
    assert.equal(kind.unlisted.names.length, 3);
    for (let most = size(cells) * 2; most > 0; most -= 50) {
      const [first] = boundedCells(cells, most);
      const counted = first?.features?.features[1];
      if (counted?.kind === 'categorical')
        assert.equal(
          counted.unlisted.names.reduce((sum, [, rows]) => sum + rows, counted.unlisted.rest) > 0,
          true,
        );
    }
    const none = boundedCells(cells, 1);
    assert.ok(none.every((cell) => cell.features === undefined && cell.requests.split === 1));
  });
});
