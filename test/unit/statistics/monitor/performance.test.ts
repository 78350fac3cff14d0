/** Performance against the reference: how small a loss is seen within the budget, and how seldom one is seen that is none. */
import assert from 'node:assert/strict';
import type { MonitoringSettings } from '../../../../src/contracts/monitoring.js';
import { binOf } from '../../../../src/statistics/estimation/bins.js';
import { judgePerformance } from '../../../../src/statistics/monitor/performance.js';
import { scoreProfile } from '../../../../src/statistics/profile/build.js';
import type { ScoreCounts, ScoreProfile } from '../../../../src/statistics/profile/types.js';
import { createRandom, type Random } from '../../../support/random.js';
import { scale } from '../../../support/scale.js';
import { MadeModel, Monitored } from './made-model.js';

const KINDS = ['estimated-performance', 'measured-performance'] as const;
const REFERENCE_ROWS = 14_000;
const CHUNK_ROWS = 1_400;
/** The part of the budget that each kind has. */
const PART = 0.1;

/** Scores that are right about themselves; the wider their logits, the better they tell. */
function row(random: Random, width: number): readonly [score: number, label: number] {
  const score = 1 / (1 + Math.exp(-width * random.normal()));
  return [score, random.uniform() < score ? 1 : 0];
}

function reference(random: Random): ScoreProfile {
  const rows = Array.from({ length: REFERENCE_ROWS }, () => row(random, 2));
  return scoreProfile(
    rows.map(([score]) => score),
    rows.map(([, label]) => label),
    0.5,
    CHUNK_ROWS,
  );
}

function counted(random: Random, { calibration: { cuts } }: ScoreProfile, rows: number, width: number) {
  const empty = (): number[] => Array<number>(cuts.length + 1).fill(0);
  const sums = { counts: empty(), positives: empty(), negatives: empty(), invalid: 0 } satisfies ScoreCounts;
  for (let i = 0; i < rows; i += 1) {
    const [score, label] = row(random, width);
    const bin = binOf(cuts, score);
    sums.counts[bin]! += 1;
    (label === 1 ? sums.positives : sums.negatives)[bin]! += 1;
  }
  return sums;
}

const verdictOf = (
  kind: (typeof KINDS)[number],
  score: ScoreProfile,
  counts: ScoreCounts,
  settings: Pick<MonitoringSettings, 'performance' | 'falseFindingSeconds'>,
): string | null =>
  judgePerformance({
    kind,
    settings: { ...settings, windowSeconds: 3600 } as MonitoringSettings,
    score,
    counts,
    before: [],
    open: [],
    from: 0,
    to: 1,
  }).drafts[0]?.verdict ?? null;

describe('performance of a window', () => {
  it('is found to be low at 3,000 rows within two years of hours: an AUC that fell from .86 by .065, or by .09 as measured in bins', () => {
    const random = createRandom(31);
    const settings = {
      falseFindingSeconds: 17_520 * 3600,
      performance: { metric: 'auc', margin: 0.02 },
    } as const;
    const windows = scale(4, 200);
    for (const [kind, width] of [
      ['estimated-performance', 1.4],
      ['measured-performance', 1.2],
    ] as const) {
      // How soon depends on the luck of the reference, too.
      const found = Array.from({ length: windows }, () => {
        const score = reference(random);
        return verdictOf(kind, score, counted(random, score, 3_000, width), settings);
      }).filter((verdict) => verdict === 'found').length;
      assert.ok(found >= 0.9 * windows, `${kind}: ${found} of ${windows}`);
    }
  });

  it('that lost nothing is low seldomer than its part of a level at which that can be counted', () => {
    const random = createRandom(32);
    const windowsBetween = 10;
    const windows = scale(100, 5_000);
    for (const metric of ['auc', 'accuracy', 'f1'] as const)
      for (const kind of KINDS) {
        let score = reference(random);
        let low = 0;
        for (let i = 0; i < windows; i += 1) {
          // The luck of one reference is the luck of all its windows.
          if (i % 100 === 99) score = reference(random);
          const settings = {
            falseFindingSeconds: windowsBetween * 3600,
            performance: { metric, margin: 1e-9 },
          };
          if (verdictOf(kind, score, counted(random, score, 200, 2), settings) !== null) low += 1;
        }
        const level = PART / windowsBetween;
        const most = windows * level + 3 * Math.sqrt(windows * level);
        assert.ok(low <= most, `${metric}, ${kind}: ${low} of ${windows}`);
      }
  });
});

describe('what performance waits for', () => {
  const model = new MadeModel(createRandom(33), 2);
  const { profile } = model.profile;
  const waits = (given: ConstructorParameters<typeof Monitored>[0], rows = 500): readonly string[] => {
    const counted = model.counts({ rows });
    const none = profile.score!.counts.map(() => 0);
    const nobody = { counts: none, positives: none, negatives: none, invalid: rows };
    const features = { ...counted, score: given!.profile.score === null ? null : nobody };
    return new Monitored(given)
      .hour({ features })
      .health.waitingFor.filter((text) => text.includes('performance') || text.includes('quality'));
  };

  it('is said of a profile without scores, for both kinds, whatever rows there are', () => {
    const without = { ...model.profile, profile: { ...profile, score: null } };
    const lack = '299 rows do not make 10 chunks of at least 30';
    const why = `a version whose reference profile has scores, this one's has none (${lack})`;
    const both = [`estimated-performance: ${why}`, `measured-performance: ${why}`];
    assert.deepEqual(waits({ ...without, scoreLack: lack }), both);
    assert.deepEqual(waits({ ...without, scoreLack: lack }, 20), [
      'drift and quality: 20 of 50 rows',
      ...both,
    ]);
    assert.ok(waits(without).every((text) => text.endsWith('has none')));
    assert.ok(waits({ ...without, scoreLack: 'x'.repeat(5_000) }).every(({ length }) => length < 300));
  });

  it('is said of a model that predicts classes or values', () => {
    const given = { ...model.profile, predictions: ['color'], profile: { ...profile, score: null } };
    const why = 'judged of binary models only, this one predicts classes or values';
    assert.deepEqual(waits(given), [`estimated-performance: ${why}`, `measured-performance: ${why}`]);
  });

  it('is said of rows without a score', () => {
    assert.deepEqual(waits(model.profile), [
      'estimated-performance: none of 500 rows has a score',
      'measured-performance: 0 of 50 labels',
    ]);
  });
});
