import assert from 'node:assert/strict';
import { readInferRequest } from '../../../src/gateway/protocol.js';
import { nullableInputs } from '../../../src/lifecycle/route-monitoring.js';
import { manifest } from '../../support/manifests.js';

const body = (datatype: string, data: readonly unknown[]) => ({
  inputs: [{ name: 'x', datatype, shape: [data.length], data }],
});

describe('a missing value in a request', () => {
  it('is null, and NaN to the model, where the manifest says that the input is nullable', () => {
    const [x] = readInferRequest(body('FP32', [1, null, 3]), ['x']).inputs;
    assert.deepEqual(x?.data, Float32Array.of(1, Number.NaN, 3));
  });

  it('is refused by name elsewhere, and where no value stands for it', () => {
    assert.throws(
      () => readInferRequest(body('FP64', [1, null])),
      /inputs\[0\]\.data\[1\].*null is not a value of FP64: the manifest does not say that it is nullable/,
    );
    assert.throws(
      () => readInferRequest(body('INT64', [null]), ['x']),
      /data\[0\].*null is not a value of INT64$/,
    );
    assert.throws(() => readInferRequest(body('FP32', ['NaN']), ['x']), /data\[0\]/);
  });

  it('is allowed by the table of a model whose manifest has such inputs', () => {
    const field = (name: string, datatype: 'FP32' | 'INT64', nullable: boolean) => ({
      name,
      datatype,
      width: 1,
      nullable,
    });
    const inputs = [field('a', 'FP32', true), field('b', 'FP32', false), field('c', 'INT64', true)];
    const given = manifest();
    assert.deepEqual(nullableInputs({ ...given, schema: { ...given.schema, inputs } }), { nullable: ['a'] });
    assert.deepEqual(nullableInputs(given), {});
  });
});
