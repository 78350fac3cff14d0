/** Since when a model errs more, once a finding says that it does: how near to the change, and that detectors raise no finding. */
import assert from 'node:assert/strict';
import * as fc from 'fast-check';
import type { Finding, MonitoringSettings } from '../../../../src/contracts/monitoring.js';
import { binOf } from '../../../../src/statistics/estimation/bins.js';
import { addErrors, errorOnset } from '../../../../src/statistics/monitor/error-onset.js';
import { judgePerformance } from '../../../../src/statistics/monitor/performance.js';
import type { DetectorState, ErrorWindow } from '../../../../src/statistics/monitor/types.js';
import { scoreProfile } from '../../../../src/statistics/profile/build.js';
import type { ScoreCounts, ScoreProfile } from '../../../../src/statistics/profile/types.js';
import { createRandom, type Random } from '../../../support/random.js';
import { scale } from '../../../support/scale.js';
import { HOUR, MadeModel, Monitored } from './made-model.js';

const WINDOWS = 40;
const ROWS = 500;
const USUAL = 0.2;

/** Hour by hour, so many errors a row. */
const made = (random: Random, shares: readonly number[], rows = ROWS): ErrorWindow[] =>
  shares.map((share, i) => [i * HOUR, random.binomial(rows, share), rows]);

/** Of a finding about the last one. */
const onsetOf = (windows: readonly ErrorWindow[]) =>
  errorOnset(windows.slice(0, -1), windows.at(-1)!, windows.at(-1)![0] + HOUR, USUAL);

const changed = (at: number, after: number, windows = WINDOWS): number[] =>
  Array.from({ length: windows }, (_, i) => (i < at ? USUAL : after));

/** Number of the window that the onset is the begin of. */
const windowOf = ({ onset }: Pick<Finding, 'onset'>): number => Date.parse(onset?.estimate ?? '') / HOUR;

describe('the onset of more errors', () => {
  const runs = scale(25, 300);
  for (const [after, least] of [
    [0.3, 0.8],
    [0.4, 0.95],
  ] as const)
    it(`from 20 to ${100 * after} % of 500 rows is within one window of the change in at least ${100 * least} % of runs, and in its range`, () => {
      for (const at of [10, 36]) {
        const random = createRandom(41 + at);
        const found = Array.from({ length: runs }, () => onsetOf(made(random, changed(at, after))));
        const near = found.filter((one) => Math.abs(windowOf(one) - at) <= 1).length;
        assert.ok(near >= least * runs, `${near} of ${runs} at window ${at}`);
        const held = found.filter(
          ({ onset }) =>
            Date.parse(onset?.from ?? '') <= at * HOUR && at * HOUR < Date.parse(onset?.to ?? ''),
        ).length;
        assert.ok(held >= 0.95 * runs, `${held} of ${runs} hold window ${at}`);
      }
    });

  it('that came with the window of the finding is that window, whatever luck there was before', () => {
    const random = createRandom(44);
    for (const after of [0.3, 0.4]) {
      const exact = Array.from({ length: runs }, () =>
        windowOf(onsetOf(made(random, changed(WINDOWS - 1, after)))),
      ).filter((window) => window === WINDOWS - 1).length;
      assert.ok(exact >= 0.97 * runs, `${exact} of ${runs} at ${after}`);
    }
  });

  it('is the window where errors are as ever', () => {
    const random = createRandom(45);
    const seen = Array.from({ length: runs }, () => onsetOf(made(random, changed(0, USUAL)))).filter(
      (one) => windowOf(one) !== WINDOWS - 1,
    ).length;
    assert.ok(seen <= 0.05 * runs, `${seen} of ${runs}`);
  });

  it('is not that of a rise that was over before', () => {
    const random = createRandom(46);
    const shares = Array.from({ length: WINDOWS }, (_, i) =>
      (i >= 10 && i < 15) || i === WINDOWS - 1 ? 0.4 : USUAL,
    );
    for (let i = 0; i < 20; i += 1) assert.equal(windowOf(onsetOf(made(random, shares))), WINDOWS - 1);
  });

  it('says which detectors saw it and since when, at most four', () => {
    const { onset, detectors = [] } = onsetOf(made(createRandom(47), changed(36, 0.4)));
    assert.deepEqual(
      detectors.map(({ name }) => name),
      ['Page-Hinkley', 'HDDM_A', 'ADWIN', 'DDM'],
    );
    assert.equal(detectors[0]?.since, onset?.estimate);
    assert.deepEqual(onsetOf(made(createRandom(47), changed(36, 0.1))), {
      onset: {
        estimate: new Date(39 * HOUR).toISOString(),
        from: new Date(39 * HOUR).toISOString(),
        to: new Date(40 * HOUR).toISOString(),
      },
    });
  });

  it('is never later than the window, nor before the windows that are kept (property)', () => {
    const share = fc.double({ min: 0, max: 1, noNaN: true });
    const window = fc
      .tuple(fc.nat(1_000), fc.integer({ min: 1, max: 5_000 }), share)
      .map(([from, rows, wrong]): ErrorWindow => [from, Math.round(rows * wrong), rows]);
    const some = fc.array(window, { maxLength: 60 });
    fc.assert(
      fc.property(some, window, share, (given, own, usual) => {
        const before = given.reduce<readonly ErrorWindow[]>(addErrors, []);
        assert.equal(before.length, Math.min(48, given.length));
        const { onset, detectors = [] } = errorOnset(before, own, own[0] + 10, usual);
        const least = Math.min(own[0], ...before.map(([from]) => from));
        for (const time of [onset!.estimate, onset!.from, ...detectors.map(({ since }) => since)])
          assert.ok(Date.parse(time) >= least && Date.parse(time) <= own[0], time);
        assert.ok(onset!.from <= onset!.estimate && onset!.estimate <= onset!.to);
        assert.ok(detectors.length <= 4);
      }),
      { seed: 20_261_128, numRuns: scale(30, 1_000) },
    );
  });

  it('of very many rows is found among as few values', () => {
    const windows = made(createRandom(48), changed(36, 0.3), 2_000_000_000);
    assert.equal(windowOf(onsetOf(windows)), 36);
  });
});

/** Scores that are right about themselves, but that a share of the labels is the other way round. */
function row(random: Random, flipped: number): readonly [score: number, label: number] {
  const score = 1 / (1 + Math.exp(-2 * random.normal()));
  const label = random.uniform() < score ? 1 : 0;
  return [score, random.uniform() < flipped ? 1 - label : label];
}

function reference(random: Random): ScoreProfile {
  const rows = Array.from({ length: 10_000 }, () => row(random, 0));
  return scoreProfile(
    rows.map(([score]) => score),
    rows.map(([, label]) => label),
    0.5,
    1_000,
  );
}

function counted(random: Random, { calibration: { cuts } }: ScoreProfile, flipped: number): ScoreCounts {
  const empty = (): number[] => Array<number>(cuts.length + 1).fill(0);
  const sums = { counts: empty(), positives: empty(), negatives: empty(), invalid: 0 };
  for (let i = 0; i < ROWS; i += 1) {
    const [score, label] = row(random, flipped);
    const bin = binOf(cuts, score);
    sums.counts[bin]! += 1;
    (label === 1 ? sums.positives : sums.negatives)[bin]! += 1;
  }
  return sums;
}

describe('a finding of measured performance', () => {
  const settings = {
    windowSeconds: 3600,
    falseFindingSeconds: 17_520 * 3600,
    performance: { metric: 'accuracy', margin: 0.02 },
  } as MonitoringSettings;
  const random = createRandom(51);
  const score = reference(random);
  const wrong = (counts: Pick<ScoreCounts, 'positives' | 'negatives'>): number => {
    const { cuts, threshold } = score.calibration;
    const sum = (values: readonly number[]): number => values.reduce((all, one) => all + one, 0);
    const from = cuts.indexOf(threshold) + 1;
    return sum(counts.positives.slice(0, from)) + sum(counts.negatives.slice(from));
  };
  const usual = wrong(score) / 10_000;
  const judge = (before: readonly ErrorWindow[], counts: ScoreCounts, at: number) =>
    judgePerformance({
      kind: 'measured-performance',
      settings,
      score,
      counts,
      before,
      open: [],
      from: at * HOUR,
      to: (at + 1) * HOUR,
    });

  it('has the onset within one window of the change, and where it comes with the change that window', () => {
    const runs = scale(60, 500);
    for (const [after, least] of [
      [usual + 0.1, 0.8],
      [usual + 0.2, 0.95],
    ] as const) {
      let [near, together, exact] = [0, 0, 0];
      for (let run = 0; run < runs; run += 1) {
        const change = 25 + random.below(10);
        let errors: readonly ErrorWindow[] = made(random, Array<number>(change).fill(usual));
        for (let at = change; ; at += 1) {
          const counts = counted(random, score, (after - usual) / (1 - 2 * usual));
          const judged = judge(errors, counts, at);
          errors = judged.errors;
          assert.deepEqual(errors.at(-1), [at * HOUR, wrong(counts), ROWS]);
          const [draft] = judged.drafts;
          if (draft === undefined) continue;
          const onset = windowOf(draft);
          assert.ok(onset <= at);
          if (Math.abs(onset - change) <= 1) near += 1;
          if (at === change) together += 1;
          if (at === change && onset === change) exact += 1;
          break;
        }
      }
      assert.ok(near >= least * runs, `${near} of ${runs} at ${after}`);
      assert.ok(together > runs / 2 && exact >= 0.95 * together, `${exact} of ${together} at ${after}`);
    }
  });

  it('is raised by none of the detectors: what they see and the window does not is nothing', () => {
    const before = made(random, [...Array<number>(25).fill(usual), ...Array<number>(14).fill(usual + 0.04)]);
    const { drafts, errors } = judge(before, counted(random, score, 0.04 / (1 - 2 * usual)), WINDOWS - 1);
    assert.deepEqual(drafts, []);
    const { detectors = [] } = onsetOf(errors);
    assert.ok(detectors.length >= 2, JSON.stringify(detectors));
  });

  it('asks the detectors when it is news, and not again while the cause lasts', () => {
    const before = made(random, changed(35, usual + 0.3, 39));
    const counts = counted(random, score, 0.3 / (1 - 2 * usual));
    const [draft] = judge(before, counts, 39).drafts;
    assert.ok(draft?.detectors !== undefined);
    const { kind, cause, verdict, severity, about } = draft;
    const open = [{ kind, cause, verdict, severity, features: about, since: 36 * HOUR, clear: 0 }];
    const from = 39 * HOUR;
    const window = {
      kind: 'measured-performance',
      settings,
      score,
      counts,
      before,
      from,
      to: from + HOUR,
    } as const;
    const [again] = judgePerformance({ ...window, open }).drafts;
    assert.equal(again?.detectors, undefined);
    assert.equal(windowOf(again!), 39);
    const [worse] = judgePerformance({ ...window, open: [{ ...open[0]!, severity: 'info' }] }).drafts;
    assert.deepEqual(worse, draft);
  });
});

describe('a monitor of errors', () => {
  const made = () => new MadeModel(createRandom(52), 2);

  it('keeps those of the last 48 judged windows, and says in a finding which detectors saw them rise', () => {
    const model = made();
    const monitored = new Monitored(model.profile);
    for (let i = 0; i < 50; i += 1) monitored.hour({ features: model.counts({ labels: 'as-scored' }) });
    assert.deepEqual(monitored.found, []);
    const { estimated, measured } = monitored.state!.errors!;
    assert.deepEqual([estimated.length, measured.length], [48, 48]);
    // Of even scores that are right about themselves a quarter is wrong.
    for (const [, errors, rows] of [...estimated, ...measured]) {
      assert.equal(rows, 500);
      assert.ok(errors > 80 && errors < 170, `${errors}`);
    }
    assert.equal(measured.at(-1)?.[0], monitored.at - HOUR);
    const { findings } = monitored.hour({ features: model.counts({ labels: 'flipped' }) });
    const finding = findings.find(({ kind }) => kind === 'measured-performance');
    const began = new Date(monitored.at - HOUR).toISOString();
    assert.equal(finding?.onset?.estimate, began);
    assert.deepEqual(finding.detectors?.[0], { name: 'Page-Hinkley', since: began });
    // What an estimate sees by the scores alone.
    const unsure = monitored.hour({ features: model.counts({ unsure: 0.3 }) });
    const estimate = unsure.findings.find(({ kind }) => kind === 'estimated-performance');
    assert.equal(estimate?.onset?.estimate, new Date(monitored.at - HOUR).toISOString());
    assert.ok(estimate.detectors !== undefined);
  });

  it('reads a state of before they were kept, and begins anew with another version', () => {
    const model = made();
    const monitored = new Monitored(model.profile);
    monitored.hour({ features: model.counts({ labels: 'as-scored' }) });
    const { errors, ...old } = monitored.state!;
    assert.equal(errors?.measured.length, 1);
    monitored.state = old satisfies DetectorState;
    const { findings } = monitored.hour({ features: model.counts({ labels: 'flipped' }) });
    const finding = findings.find(({ kind }) => kind === 'measured-performance');
    assert.equal(finding?.onset?.estimate, new Date(monitored.at - HOUR).toISOString());
    assert.equal('detectors' in finding, false);
    assert.equal(monitored.state.errors?.measured.length, 1);
    monitored.hour({}, { version: { version: 'v2', digest: '2'.repeat(64) } });
    assert.deepEqual(monitored.state.errors, { estimated: [], measured: [] });
  });

  it('keeps them in the order of time where rows came late', () => {
    const model = made();
    const monitored = new Monitored(model.profile);
    for (let i = 0; i < 4; i += 1) monitored.hour({});
    monitored.hour({ features: model.counts({ unsure: 0.3 }) });
    const ago = (hours: number) => {
      const to = monitored.at + HOUR - hours * HOUR;
      return { from: to - HOUR, to, features: model.counts() };
    };
    monitored.hour({ features: model.counts(), late: [ago(4), ago(3)] });
    const begins = monitored.state!.errors!.estimated.map(([from]) => from);
    assert.equal(begins.length, 4);
    assert.deepEqual(
      begins,
      [...begins].sort((a, b) => a - b),
    );
  });
});
