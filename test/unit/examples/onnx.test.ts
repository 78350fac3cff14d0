import assert from 'node:assert/strict';
import * as fc from 'fast-check';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import { OnnxGraph } from '../../../examples/employment/training/onnx.js';

describe('ONNX writer', () => {
  it('writes matrices that the runtime multiplies as we do', async () => {
    const shape = fc.record({
      rows: fc.integer({ min: 1, max: 5 }),
      columns: fc.integer({ min: 1, max: 5 }),
    });
    const number = fc.float({ min: -10, max: 10, noNaN: true });
    const layer = shape.chain(({ rows, columns }) =>
      fc.record({
        rows: fc.constant(rows),
        columns: fc.constant(columns),
        weights: fc.array(number, { minLength: rows * columns, maxLength: rows * columns }),
        inputs: fc.array(number, { minLength: rows, maxLength: rows }),
      }),
    );
    await fc.assert(
      fc.asyncProperty(layer, async ({ rows, columns, weights, inputs }) => {
        const graph = new OnnxGraph('product');
        const x = graph.input('x', 'FP32', ['n', rows]);
        graph.output('y', graph.node('MatMul', [x, graph.floats(weights, [rows, columns])]), 'FP32', [
          'n',
          columns,
        ]);
        const session = await InferenceSession.create(graph.bytes());
        const { y } = await session.run({ x: new Tensor('float32', Float32Array.from(inputs), [1, rows]) });
        await session.release();
        for (let column = 0; column < columns; column += 1) {
          const expected = inputs.reduce(
            (sum, value, row) => sum + value * (weights[row * columns + column] ?? NaN),
            0,
          );
          assert.ok(Math.abs((y?.data[column] as number) - expected) < 1e-3);
        }
      }),
      { seed: 11, numRuns: 25 },
    );
  });

  it('writes whole numbers beyond 32 bits, negative ones and a default for unknown keys', async () => {
    const graph = new OnnxGraph('numbers');
    const key = graph.input('key', 'INT64', ['n']);
    const numbers = [-1, 2 ** 40, Number.MAX_SAFE_INTEGER];
    const place = graph.node('LabelEncoder', [key], {
      keys_int64s: [5, -7, 2 ** 33],
      values_int64s: [0, 1, 2],
      default_int64: 0,
    });
    graph.output('found', graph.node('Gather', [graph.integers(numbers), place]), 'INT64', ['n']);
    const session = await InferenceSession.create(graph.bytes());
    const keys = BigInt64Array.of(-7n, 8n, 2n ** 33n);
    const { found } = await session.run({ key: new Tensor('int64', keys, [3]) });
    await session.release();
    assert.deepEqual(
      [...((found?.data ?? []) as BigInt64Array)],
      [BigInt(2 ** 40), -1n, BigInt(Number.MAX_SAFE_INTEGER)],
    );
  });

  it('gives the same bytes for the same graph', () => {
    const bytes = (): Uint8Array => {
      const graph = new OnnxGraph('same');
      const x = graph.input('x', 'FP32', ['n', 1]);
      graph.output('y', graph.node('Add', [x, graph.floats([1.5], [1])]), 'FP32', ['n', 1]);
      return graph.bytes();
    };
    assert.deepEqual(bytes(), bytes());
  });
});
