/** Columns that never change, and classes that never occur: a clear answer, and never a number that means nothing. */
import assert from 'node:assert/strict';
import type { Evaluation, MonitoredProfile } from '../../../../src/statistics/monitor/types.js';
import { categoricalProfile, numericProfile } from '../../../../src/statistics/profile/build.js';
import type { WindowCounts } from '../../../../src/statistics/profile/types.js';
import { WindowCounter } from '../../../../src/statistics/profile/window.js';
import { createRandom } from '../../../support/random.js';
import { MadeModel, Monitored, PROFILE } from './made-model.js';

const ROWS = 500;

/** One input that was always 5, and one that was always `eu`. */
function constant(): {
  readonly profile: MonitoredProfile;
  readonly counts: (x: number, region: string) => WindowCounts;
} {
  const all = <T>(value: T): T[] => Array.from({ length: 5_000 }, () => value);
  const features = [numericProfile('x', all(5)), categoricalProfile('region', all('eu'), 'string')];
  const profile = { format: 1 as const, rows: 5_000, features, score: null };
  return {
    profile: { digest: PROFILE, predictions: [], profile },
    counts: (x, region) => {
      const window = new WindowCounter(profile, PROFILE);
      for (let i = 0; i < ROWS; i += 1) window.add([x, region]);
      return window.counts();
    },
  };
}

const isFinite = (evaluation: Evaluation): void => {
  for (const finding of evaluation.findings)
    for (const { p } of finding.features) assert.ok(p === null || p === undefined || Number.isFinite(p));
};

describe('a monitor of constant columns', () => {
  it('finds nothing while they stay as they are, week after week', () => {
    const { profile, counts } = constant();
    const monitored = new Monitored(profile);
    for (let i = 0; i < 200; i += 1) monitored.hour({ features: counts(5, 'eu') });
    assert.deepEqual(monitored.findings, []);
    assert.equal(monitored.last?.health.state, 'healthy');
  });

  for (const [what, x, region, cause] of [
    ['another number', 6, 'eu', 'data-quality/x'],
    ['another value', 5, 'us', 'data-quality/region'],
  ] as const)
    it(`finds ${what} at once, by its name`, () => {
      const { profile, counts } = constant();
      const monitored = new Monitored(profile);
      for (let i = 0; i < 5; i += 1) monitored.hour({ features: counts(5, 'eu') });
      isFinite(monitored.hour({ features: counts(x, region) }));
      assert.deepEqual(
        monitored.found.filter(({ kind }) => kind === 'data-quality').map((finding) => finding.cause),
        [cause],
      );
    });
});

describe('a monitor of labels', () => {
  it('of which one class never occurs says what it waits for, and gives no figure', () => {
    const model = new MadeModel(createRandom(5), 1);
    const monitored = new Monitored(model.profile, { minRows: 300 });
    for (let i = 0; i < 6; i += 1) {
      const features = model.counts({ labels: 'as-scored' });
      const { counts } = features.score!;
      const score = { ...features.score!, positives: counts, negatives: counts.map(() => 0) };
      monitored.hour({ features: { ...features, score } });
    }
    assert.deepEqual(
      monitored.findings.filter(({ kind }) => kind === 'measured-performance'),
      [],
    );
    assert.match(monitored.last?.health.waitingFor.join('\n') ?? '', /class/);
  });
});
