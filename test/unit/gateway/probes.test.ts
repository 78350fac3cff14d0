import assert from 'node:assert/strict';
import type { GuardrailProbe } from '../../../src/contracts/routes.js';
import { agrees, markRequest } from '../../../src/gateway/probes.js';
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
  const good = { outputs: [score(1, 0.4)], elapsedMs: 10 };

  it('set bit i where the request was bad for guardrail i', () => {
    assert.deepEqual(markRequest(probes, good, null), { bad: 0b000, absent: 0 });
    const bad = { outputs: [score(1, 0.5)], elapsedMs: 11 };
    assert.deepEqual(markRequest(probes, bad, null), { bad: 0b110, absent: 0 });
  });

  it('tell a failure as an error, and as slow only if it ran out of time; it is good for nothing', () => {
    assert.deepEqual(markRequest(probes, null, 'run-failed'), { bad: 0b001, absent: 0b110 });
    assert.deepEqual(markRequest(probes, null, null), { bad: 0b001, absent: 0b110 });
    assert.deepEqual(markRequest(probes, null, 'deadline'), { bad: 0b011, absent: 0b100 });
  });

  it('judge a late answer by what it was, and as an error', () => {
    assert.deepEqual(markRequest(probes, good, 'late'), { bad: 0b001, absent: 0 });
    assert.deepEqual(markRequest(probes, { ...good, elapsedMs: 11 }, 'late'), { bad: 0b011, absent: 0 });
  });

  it('take a failure as bad for everything where nothing watches errors', () => {
    assert.deepEqual(markRequest(probes.slice(1), null, 'run-failed'), { bad: 0b11, absent: 0 });
    assert.deepEqual(markRequest(probes.slice(1), good, 'late'), { bad: 0b11, absent: 0 });
  });

  it('take absent and non-finite values as bad', () => {
    for (const outputs of [[], [score(1)], [score(1, Number.NaN)], [{ ...score(1, 0), name: 'other' }]]) {
      assert.deepEqual(markRequest(probes, { outputs, elapsedMs: 1 }, null), { bad: 0b100, absent: 0 });
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
