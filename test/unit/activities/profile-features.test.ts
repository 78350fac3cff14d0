import assert from 'node:assert/strict';
import type { InputColumn } from '../../../src/activities/validation/columns.js';
import {
  inputFeatures,
  type MadeFeature,
  predictionFeature,
  scoreFeature,
} from '../../../src/activities/validation/profile-features.js';
import type { InputField } from '../../../src/contracts/manifest.js';
import { manifest } from '../../support/manifests.js';

const column = (field: Partial<InputField>, values: InputColumn['values']): InputColumn => ({
  field: { name: 'x', datatype: 'FP64', width: 1, nullable: false, ...field },
  values,
  missing: 0,
  outside: 0,
});

const only = (given: InputColumn): MadeFeature | string => {
  const [plan] = inputFeatures([given]);
  assert.ok(plan !== undefined && 'make' in plan);
  return plan.make();
};

describe('features of a profile', () => {
  it('are rounded as the model gets them', () => {
    const made = only(column({ datatype: 'FP32' }, Float64Array.of(0.7, 0.1, Number.NaN)));
    assert.ok(typeof made !== 'string' && made.feature.kind === 'numeric');
    assert.deepEqual(made.feature.range, { least: Math.fround(0.1), most: Math.fround(0.7) });
    assert.equal(made.feature.missing, 1);
    const listed = only(column({ datatype: 'FP32', categories: [0.1] }, Float64Array.of(0.1)));
    assert.ok(typeof listed !== 'string' && listed.feature.kind === 'categorical');
    assert.deepEqual(listed.feature.values, [String(Math.fround(0.1))]);
  });

  it('are true and false for BOOL', () => {
    const made = only(column({ datatype: 'BOOL' }, Uint8Array.of(1, 0, 1)));
    assert.ok(typeof made !== 'string' && made.feature.kind === 'categorical');
    assert.deepEqual([made.feature.of, made.feature.values], ['boolean', ['true', 'false']]);
  });

  it('are not made of vectors and free text, and it is said why', () => {
    assert.deepEqual(inputFeatures([column({ width: 17 }, new Float64Array(17))]), [
      { lack: 'x: it has 17 values a row; inputs of at most 16 are profiled, value by value' },
    ]);
    const texts = Array.from({ length: 30 }, (_, i) => `${i}`.padEnd(1_000, '.'));
    assert.match(
      String(only(column({ datatype: 'BYTES' }, texts))),
      /^x: .* 30000 characters, so it is free text/,
    );
  });

  it('are the predictions of models without scores from 0 to 1', () => {
    assert.equal(predictionFeature(manifest(), [0.5]), null);
    const prediction = { score: 'p', classes: ['a', 'b'], threshold: 0.5 };
    const classes = predictionFeature(
      manifest({ task: 'multiclass', prediction }),
      [0.2, 0.8, 0.5, 0.5],
    )?.make();
    assert.ok(classes?.feature.kind === 'categorical');
    assert.deepEqual([classes.feature.name, classes.feature.values], ['prediction.p', ['a', 'b']]);
    assert.deepEqual(classes.source, { from: 'output', name: 'p', as: 'class', classes: ['a', 'b'] });
    const values = predictionFeature(manifest({ task: 'regression', prediction }), [3, -1])?.make();
    assert.ok(values?.feature.kind === 'numeric');
    assert.deepEqual(values.feature.range, { least: -1, most: 3 });
  });

  it('take scores from every so many rows of a long data set, and say so', () => {
    const rows = 200_001;
    const scores = Float64Array.from({ length: rows }, (_, i) => (i % 100) / 100);
    const labels = Float64Array.from(scores, (score, i) => (((i * 7) % 101) / 101 < score ? 1 : 0));
    const { score, lack } = scoreFeature(scores, labels, 0.5);
    assert.equal(lack, 'scores: one row of 2 was taken, 100001 of 200001');
    assert.equal(
      score?.counts.reduce((sum, count) => sum + count, 0),
      100_001,
    );
    assert.equal(score?.estimator.chunkRows, 10_000);
  });
});
