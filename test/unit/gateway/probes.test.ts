import assert from 'node:assert/strict';
import type { GuardrailProbe } from '../../../src/contracts/routes.js';
import { agrees, badMask } from '../../../src/gateway/probes.js';
import type { Tensor } from '../../../src/platform/onnx/tensors.js';

const score = (...values: number[]): Tensor => ({
  name: 'score',
  datatype: 'FP32',
  shape: [values.length],
  data: Float32Array.from(values),
});
const probes: readonly GuardrailProbe[] = [
  { name: 'errors', kind: 'errors' },
  { name: 'slow', kind: 'slow', thresholdMs: 10 },
  { name: 'high', kind: 'share', output: 'score', index: 1, op: '>=', value: 0.5 },
];

describe('Guardrail probes', () => {
  it('set bit i where the request was bad for guardrail i', () => {
    assert.equal(badMask(probes, { outputs: [score(1, 0.4)], elapsedMs: 10 }, false), 0b000);
    assert.equal(badMask(probes, { outputs: [score(1, 0.5)], elapsedMs: 11 }, false), 0b110);
  });

  it('take failures, absent and non-finite values as bad', () => {
    assert.equal(badMask(probes, null, true), 0b111);
    assert.equal(badMask(probes, { outputs: [score(1, 0)], elapsedMs: 1 }, true), 0b111);
    for (const outputs of [[], [score(1)], [score(1, Number.NaN)], [{ ...score(1, 0), name: 'other' }]]) {
      assert.equal(badMask(probes, { outputs, elapsedMs: 1 }, false), 0b100);
    }
  });

  it('compare every row for shadow agreement; NaN agrees with nothing', () => {
    assert.equal(agrees([score(0.1, 0.2)], [score(0.1, 0.25)], 'score', 0.051), true);
    assert.equal(agrees([score(0.1, 0.2)], [score(0.1, 0.3)], 'score', 0.05), false);
    assert.equal(agrees([score(0.1)], [score(0.1, 0.2)], 'score', 1), false);
    assert.equal(agrees([score(Number.NaN)], [score(Number.NaN)], 'score', 1), false);
    assert.equal(agrees([], [score(1)], 'score', 1), false);
  });
});
