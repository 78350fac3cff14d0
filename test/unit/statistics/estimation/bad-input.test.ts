/** Each refusal names the field and the value. */
import assert from 'node:assert/strict';
import {
  calibrateBins,
  estimateBinned,
  realisedBinned,
} from '../../../../src/statistics/estimation/binned.js';
import { needsCalibration } from '../../../../src/statistics/estimation/calibration.js';
import { estimateBinary, fitBinary } from '../../../../src/statistics/estimation/cbpe.js';
import { carryOver, chunksOfSize } from '../../../../src/statistics/estimation/chunks.js';
import { fitIsotonic } from '../../../../src/statistics/estimation/isotonic.js';
import { estimateMulticlass, fitMulticlass } from '../../../../src/statistics/estimation/multiclass.js';
import { realisedBinary } from '../../../../src/statistics/estimation/performance.js';

const rows = 40;
const scores = Array.from({ length: rows }, (_, i) => (i % 10) / 10);
const labels = scores.map((score, i) => (score > 0.4 !== (i % 7 === 0) ? 1 : 0));
const predicted = scores.map((score) => (score >= 0.5 ? 1 : 0));
const good = { scores, labels, predicted };
const estimator = fitBinary(good, 10);
const withAt = (values: readonly number[], i: number, value: number) => values.with(i, value);

const three = {
  classes: 3,
  scores: Array.from(
    { length: 30 },
    (_, i) =>
      [
        [0.6, 0.3, 0.1],
        [0.2, 0.5, 0.3],
        [0.1, 0.2, 0.7],
      ][i % 3]!,
  ).flat(),
  predicted: Array.from({ length: 30 }, (_, i) => i % 3),
  labels: Array.from({ length: 30 }, (_, i) => (i % 4 === 0 ? (i + 1) % 3 : i % 3)),
};

const CASES: readonly (readonly [string, () => unknown, RegExp])[] = [
  [
    'a NaN score',
    () => estimateBinary(estimator, { ...good, scores: withAt(scores, 3, Number.NaN) }),
    /^RangeError: scores\[3\] is NaN: a score must be a number from 0 to 1$/,
  ],
  [
    'a score above 1',
    () => fitBinary({ ...good, scores: withAt(scores, 0, 1.5) }, 10),
    /scores\[0\] is 1\.5/,
  ],
  ['a score below 0', () => needsCalibration(withAt(scores, 7, -0.1), labels), /scores\[7\] is -0\.1/],
  [
    'a label that is none',
    () => realisedBinary({ ...good, labels: withAt(labels, 2, 2) }),
    /labels\[2\] is 2: it must be a whole number from 0 to 1/,
  ],
  [
    'a prediction that is none',
    () => realisedBinary({ ...good, predicted: withAt(predicted, 2, 0.5) }),
    /predicted\[2\] is 0\.5/,
  ],
  [
    'one class only',
    () => fitBinary({ ...good, labels: labels.map(() => 1) }, 10),
    /labels holds only 1 in 40 rows: rows of both classes are needed/,
  ],
  ['no rows', () => estimateBinary(estimator, { scores: [], predicted: [] }), /predicted has no rows/],
  [
    'columns of different length',
    () => realisedBinary({ ...good, labels: [1, 0] }),
    /labels has 2 rows and scores has 40/,
  ],
  ['a reference of one chunk', () => fitBinary(good, 30), /has 40 rows, 1 chunks of 30: at least 2/],
  ['a chunk of no rows', () => fitBinary(good, 0), /size is 0: it must be a whole number of at least 1/],
  [
    'too few rows to calibrate',
    () => needsCalibration(scores.slice(0, 10), labels.slice(0, 10)),
    /labels has 10 rows, \d of the rarer class/,
  ],
  ['rows that are no number', () => chunksOfSize(Number.NaN, 3), /rows is NaN/],
  ['a minimum of 0', () => carryOver([1], 0, Number, (a) => a), /minimum is 0/],
  ['an infinite x', () => fitIsotonic([0, Infinity], [0, 1]), /x\[1\] is Infinity: it must be finite/],
  ['a NaN y', () => fitIsotonic([0, 1], [0, Number.NaN]), /y\[1\] is NaN: it must be finite/],
  ['a negative weight', () => fitIsotonic([0, 1], [0, 1], [1, -2]), /weights\[1\] is -2/],
  ['no weight at all', () => fitIsotonic([0, 1], [0, 1], [0, 0]), /weights are all 0/],
  ['no points', () => fitIsotonic([], []), /y has no rows/],
  [
    'cuts that do not rise',
    () => calibrateBins([0.5, 0.5], 0.5, { positives: [1, 1, 1], negatives: [1, 1, 1] }),
    /cuts\[1\] is 0\.5, after 0\.5: edges must rise/,
  ],
  [
    'cuts outside of 0..1',
    () => realisedBinned([0, 0.5], 0.5, { positives: [1, 1, 1], negatives: [1, 1, 1] }),
    /cuts go from 0 to 0\.5: they must lie above 0/,
  ],
  [
    'a threshold within a bin',
    () => realisedBinned([0.4], 0.5, { positives: [1, 1], negatives: [1, 1] }),
    /threshold is 0\.5: it must be one of the cuts/,
  ],
  [
    'a negative count',
    () => calibrateBins([0.5], 0.5, { positives: [1, -1], negatives: [1, 1] }),
    /positives\[1\] is -1: a count must be a whole number of at least 0/,
  ],
  [
    'bins that are too many',
    () => calibrateBins([0.5], 0.5, { positives: [1, 1], negatives: [1, 1, 1] }),
    /negatives has 3 bins: 1 cuts make 2/,
  ],
  [
    'bins with one class only',
    () => calibrateBins([0.5], 0.5, { positives: [0, 0], negatives: [1, 1] }),
    /positives are 0 in all 2 bins, of 2 labels/,
  ],
  [
    'a window of no rows',
    () => estimateBinned(calibrateBins([0.5], 0.5, { positives: [0, 1], negatives: [1, 0] }), [0, 0]),
    /counts are all 0/,
  ],
  [
    'a window of no labels',
    () => realisedBinned([0.5], 0.5, { positives: [0, 0], negatives: [0, 0] }),
    /positives and negatives are all 0/,
  ],
  [
    'a class that never occurs',
    () => fitMulticlass({ ...three, labels: three.labels.map((label) => label % 2) }, 10),
    /labels holds no row of class 2: each of the 3 classes is needed/,
  ],
  [
    'scores for another number of classes',
    () => estimateMulticlass(fitMulticlass(three, 10), { classes: 2, scores: [0.5, 0.5], predicted: [0] }),
    /classes is 2: the reference has 3/,
  ],
  [
    'scores that are no rows',
    () => estimateMulticlass(fitMulticlass(three, 10), { ...three, scores: three.scores.slice(1) }),
    /scores has 89 values: 30 rows of 3 classes make 90/,
  ],
];

describe('Estimation refuses, by field and value', () => {
  for (const [what, act, message] of CASES) {
    it(what, () => {
      assert.throws(act, (error) => error instanceof RangeError && message.test(String(error)));
    });
  }
});
