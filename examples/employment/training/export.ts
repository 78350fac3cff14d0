/** From a trained network to an ONNX file with the inputs and outputs that every version has. */
import { age, categories } from '../columns.js';
import { offsets } from './features.js';
import type { Matrix, Network } from './network.js';
import { OnnxGraph, elementTypes } from './onnx.js';

/**
 * The ONNX file of a network. Inputs: each census column by its name, shape [n, 1], AGEP as FP32, the others as
 * INT64; a version that does not use a column takes it all the same. Outputs: `score`, FP32 [n], P(employed), and
 * `label`, INT64 [n], 1 where the score is at least 0.5.
 */
export function exportOnnx(name: string, network: Network): Uint8Array {
  const graph = new OnnxGraph(name);
  const columns = new Map<string, string>();
  const years = graph.input(age.name, 'FP32', ['n', 1]);
  columns.set(age.name, graph.node('Cast', [years], { to: elementTypes.INT64 }));
  for (const column of categories) columns.set(column.name, graph.input(column.name, 'INT64', ['n', 1]));
  const together = (names: readonly string[]): string =>
    graph.node(
      'Concat',
      names.map((column) => columns.get(column) as string),
      { axis: 1 },
    );

  const { features, layers, cross } = network;
  const values = graph.node('Div', [
    together(features.map((feature) => feature.name)),
    graph.integers(features.map((feature) => feature.divideBy)),
  ]);
  const largest = graph.integers(features.map((feature) => feature.size - 1));
  const clamped = graph.node('Min', [graph.node('Max', [values, graph.integers([0], [1])]), largest]);
  const places = graph.node('Add', [clamped, graph.integers(offsets(features))]);
  let current = '';
  layers.forEach(({ weights, bias }, index) => {
    const product =
      index === 0
        ? sum(graph, graph.node('Gather', [floats(graph, weights), places]))
        : graph.node('MatMul', [graph.node('Relu', [current]), floats(graph, weights)]);
    current = graph.node('Add', [product, floats(graph, bias)]);
  });

  if (cross !== undefined) {
    const factors = graph.integers(cross.columns.map((column) => column.factor));
    const parts = graph.node('Mul', [together(cross.columns.map((column) => column.name)), factors]);
    // Combinations are numbered from 0; the number after the last one stands for those not in the vocabulary.
    const place = graph.node('LabelEncoder', [sum(graph, parts)], {
      keys_int64s: cross.keys,
      values_int64s: cross.keys.map((_, index) => index),
      default_int64: cross.keys.length,
    });
    current = graph.node('Add', [current, graph.node('Gather', [floats(graph, cross.weights), place])]);
  }

  const score = graph.node('Reshape', [graph.node('Sigmoid', [current]), graph.integers([-1])]);
  const positive = graph.node('GreaterOrEqual', [score, graph.floats([0.5], [1])]);
  graph.output('score', score, 'FP32', ['n']);
  graph.output('label', graph.node('Cast', [positive], { to: elementTypes.INT64 }), 'INT64', ['n']);
  return graph.bytes();
}

function floats(graph: OnnxGraph, { values, rows, columns }: Matrix): string {
  return graph.floats(values, [rows, columns]);
}

/** Sums over the second dimension. */
function sum(graph: OnnxGraph, values: string): string {
  return graph.node('ReduceSum', [values, graph.integers([1])], { keepdims: 0 });
}
