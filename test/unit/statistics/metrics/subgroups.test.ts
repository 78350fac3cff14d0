import assert from 'node:assert/strict';
import * as fc from 'fast-check';
import type { SubgroupGate } from '../../../../src/contracts/manifest.js';
import { arrangeGroups } from '../../../../src/statistics/metrics/groups.js';
import type { GroupCounts } from '../../../../src/statistics/metrics/groups.js';
import { judgeSubgroups } from '../../../../src/statistics/metrics/subgroups.js';

const counts = (rows: number, selected: number, positives = rows / 2, found = selected / 2): GroupCounts => ({
  rows,
  selected,
  positives,
  found,
  onlyCandidateWrong: 0,
  onlyChampionWrong: 0,
});

const gate: SubgroupGate = {
  kind: 'subgroup',
  column: 'GROUP',
  measure: 'disparate-impact',
  bound: 0.8,
  enforce: true,
  minRows: 100,
  smallGroups: { policy: 'report-only' },
  exceptions: [],
};
const at = '2026-11-24T12:00:00.000Z';
const verdicts = (g: SubgroupGate, groups: Record<string, GroupCounts>, when = at): Record<string, string> =>
  Object.fromEntries(
    judgeSubgroups(g, new Map(Object.entries(groups)), when).groups.map((x) => [x.group, x.verdict]),
  );

describe('small groups', () => {
  it('never lose a row, whatever the policy', () => {
    fc.assert(
      fc.property(
        fc.dictionary(fc.stringMatching(/^[a-d]{1,2}$/), fc.integer({ min: 1, max: 300 }), { minKeys: 1 }),
        fc.boolean(),
        (sizes, merge) => {
          const groups = new Map(Object.entries(sizes).map(([name, rows]) => [name, counts(rows, rows)]));
          const smallGroups = merge
            ? ({ policy: 'merge-into', into: 'others' } as const)
            : ({ policy: 'report-only' } as const);
          const arranged = arrangeGroups(groups, { minRows: 100, smallGroups });
          const total = (list: Iterable<{ rows: number }>): number =>
            [...list].reduce((sum, { rows }) => sum + rows, 0);
          assert.equal(total(arranged), total(groups.values()));
          assert.deepEqual(
            arranged.flatMap(({ members }) => members.map(({ group }) => group)).sort(),
            [...groups.keys()].sort(),
          );
          for (const { rows, role } of arranged) {
            assert.equal(rows < 100, role === 'too-small' || role === 'reported');
          }
        },
      ),
      { seed: 1, numRuns: 200 },
    );
  });

  it('are judged together when merged, and cannot pass when they are too few even so', () => {
    const merging: SubgroupGate = { ...gate, smallGroups: { policy: 'merge-into', into: 'others' } };
    const big = { a: counts(5000, 2500), b: counts(5000, 2500) };
    assert.deepEqual(verdicts(merging, { ...big, c: counts(900, 450), d: counts(99, 50) }), {
      a: 'reference',
      b: 'passed',
      c: 'passed',
      others: 'undecided',
    });
    const together = judgeSubgroups(
      merging,
      new Map(Object.entries({ ...big, d: counts(90, 10), e: counts(90, 10) })),
      at,
    );
    const others = together.groups.find(({ group }) => group === 'others');
    assert.deepEqual([others?.rows, others?.verdict, together.verdict], [180, 'failed', 'failed']);
    const few = judgeSubgroups(merging, new Map(Object.entries({ ...big, d: counts(9, 4) })), at);
    assert.equal(few.verdict, 'undecided');
    assert.equal(few.groups.find(({ group }) => group === 'others')?.rowsNeeded, 100);
  });

  it('are shown without judgement when only reported, but then something else must be judged', () => {
    assert.deepEqual(verdicts(gate, { a: counts(5000, 2500), b: counts(5000, 2500), c: counts(22, 1) }), {
      a: 'reference',
      b: 'passed',
      c: 'reported',
    });
    const only = judgeSubgroups(
      gate,
      new Map(Object.entries({ a: counts(5000, 2500), c: counts(22, 11) })),
      at,
    );
    assert.equal(only.verdict, 'undecided');
  });

  it('an unknown reference is refused with the groups there are', () => {
    assert.throws(
      () => verdicts({ ...gate, reference: 7 }, { a: counts(500, 250) }),
      /Reference group 7 is not among the groups: a/,
    );
  });
});

describe('subgroup bounds', () => {
  it('hold by the limit, not by the estimate, and both ways', () => {
    const reference = counts(20_000, 10_000);
    assert.deepEqual(
      verdicts(gate, {
        a: reference,
        clear: counts(5000, 2200),
        near: counts(400, 164),
        low: counts(5000, 1800),
        high: counts(5000, 3300),
        none: counts(5000, 0),
      }),
      { a: 'reference', clear: 'passed', high: 'failed', low: 'failed', near: 'undecided', none: 'failed' },
    );
  });

  it('equal opportunity compares the positives alone, in size', () => {
    const g: SubgroupGate = { ...gate, measure: 'equal-opportunity', bound: 0.05 };
    const of = (positives: number, found: number): GroupCounts =>
      counts(positives * 2, found, positives, found);
    assert.deepEqual(
      verdicts(g, {
        a: of(20_000, 16_000),
        same: of(5000, 4000),
        low: of(5000, 3500),
        high: of(5000, 4500),
        few: of(60, 48),
        no: counts(500, 9, 0, 0),
      }),
      { a: 'reference', few: 'undecided', high: 'failed', low: 'failed', same: 'passed', no: 'undecided' },
    );
  });

  it('no regression is judged for every group, the largest too, by its own rows', () => {
    const g: SubgroupGate = { ...gate, measure: 'no-regression', bound: 0.02 };
    const of = (rows: number, worse: number, better: number): GroupCounts => ({
      ...counts(rows, rows / 2),
      onlyCandidateWrong: worse,
      onlyChampionWrong: better,
    });
    assert.deepEqual(
      verdicts(g, { a: of(9000, 900, 300), b: of(4000, 80, 80), c: of(150, 0, 0), d: of(100, 0, 0) }),
      {
        a: 'failed',
        b: 'passed',
        c: 'passed',
        d: 'undecided',
      },
    );
  });

  it('an exception covers its group until its day is over, and not longer', () => {
    const exception = { group: 'b', reason: 'few rows', approver: 'ada', expires: '2026-11-30' };
    const g: SubgroupGate = { ...gate, exceptions: [exception] };
    const groups = { a: counts(5000, 2500), b: counts(5000, 1000) };
    const verdictAt = (when: string): string =>
      judgeSubgroups(g, new Map(Object.entries(groups)), when).verdict;
    assert.equal(verdictAt('2026-11-30T23:59:59.000Z'), 'passed');
    assert.equal(verdictAt('2026-12-01T00:00:00.000Z'), 'failed');
    const judged = judgeSubgroups(g, new Map(Object.entries(groups)), at);
    assert.equal(judged.groups[1]?.verdict, 'excepted');
    assert.deepEqual(judged.groups[1]?.exception, { ...exception, expired: false });
    const unused = judgeSubgroups(
      { ...g, exceptions: [{ ...exception, group: 'z' }] },
      new Map(Object.entries(groups)),
      at,
    );
    assert.deepEqual([unused.verdict, unused.unusedExceptions[0]?.group], ['failed', 'z']);
  });

  it('an exception whose date cannot be read is an error, not an exception without end', () => {
    const exceptions = [{ group: 'b', reason: '', approver: 'ada', expires: 'soon' }];
    assert.throws(
      () => verdicts({ ...gate, exceptions }, { a: counts(500, 250) }),
      /expires soon is not an ISO 8601 date/,
    );
  });
});
