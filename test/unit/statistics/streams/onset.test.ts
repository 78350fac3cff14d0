/** How often and how soon the detectors find that a share of errors has risen. None of them alarms alone: they locate the onset. */
import assert from 'node:assert/strict';
import { errorStreams } from '../../../../bench/detect/made.js';
import type { StreamDetector } from '../../../../src/statistics/streams/detector.js';
import { HddmA, HddmW } from '../../../../src/statistics/streams/hddm.js';
import { scale } from '../../../support/scale.js';

const CHANGE = 1_000;

/** Of each stream: the changes that were seen, and how many values each was said to go back. */
function watch(open: () => StreamDetector, stream: string): readonly { at: number; onset: number }[] {
  const detector = open();
  return Array.from(stream, Number).flatMap((value, at) =>
    detector.update(value) === 'change' ? [{ at, onset: at - detector.since + 1 }] : [],
  );
}

describe('a change of a share of errors', () => {
  const streams = scale(100, 2_000);
  for (const [name, open] of [
    ['HDDM_A', () => new HddmA()],
    ['HDDM_W', () => new HddmW()],
  ] as const) {
    it(`${name}: from 20 % to 30 % within 1,000 in at least 80 of 100 streams, to 40 % in nearly all; false ones in at most 5 of 100`, () => {
      for (const [after, least] of [
        [0.3, 0.8],
        // Of 2,000 streams one or three are never seen.
        [0.4, scale(1, 0.995)],
      ] as const) {
        const seen = errorStreams(after, streams).map((stream) => watch(open, stream));
        const found = seen.filter((changes) => changes.some(({ at }) => at >= CHANGE)).length;
        const cried = seen.flat().filter(({ at }) => at < CHANGE).length;
        assert.ok(found >= least * streams, `${found} of ${streams} at ${after}`);
        assert.ok(cried <= 0.05 * streams, `${cried} in ${streams}`);
      }
    });
  }

  it('HDDM_A says an onset that is nearer to the change than the moment at which it saw it', () => {
    const first = errorStreams(0.4, streams)
      .flatMap((stream) => watch(() => new HddmA(), stream).find(({ at }) => at >= CHANGE) ?? [])
      .map(({ at, onset }) => [Math.abs(onset - CHANGE), at - CHANGE] as const);
    const sum = (i: 0 | 1): number => first.reduce((all, pair) => all + pair[i], 0);
    assert.ok(sum(0) < sum(1), `${sum(0) / streams} and ${sum(1) / streams} on average`);
  });
});
