/** The networks of the example and their training with TensorFlow.js (WebAssembly, one thread). */
import * as tf from '@tensorflow/tfjs-core';
// Registers the gradients, which the core's build for Node leaves out.
import '@tensorflow/tfjs-layers';
import { setThreadsCount } from '@tensorflow/tfjs-backend-wasm';
import type { Table } from '../data.js';
import { cross, crossKeys, places, tableSize } from './features.js';
import type { CrossColumn, Feature } from './features.js';
import { seeded, shuffle } from './random.js';

/** How a version is trained. */
export interface Recipe {
  readonly seed: number;
  readonly features: readonly Feature[];
  /** Width of each hidden layer; none makes a logistic regression. */
  readonly hidden: readonly number[];
  readonly epochs: number;
  readonly learningRate: number;
  /** Columns whose combinations get a weight of their own (the wide part of a wide-and-deep network). */
  readonly cross?: readonly string[];
  /** Strength of the pull of the combinations' weights towards 0. */
  readonly crossPenalty?: number;
}

/** A matrix, row by row. */
export interface Matrix {
  readonly rows: number;
  readonly columns: number;
  readonly values: Float32Array;
}

/** A layer: inputs times weights plus bias. */
export interface Layer {
  readonly weights: Matrix;
  readonly bias: Matrix;
}

/** A trained network. The first layer's weights are the table that features look up their rows in. */
export interface Network {
  readonly features: readonly Feature[];
  readonly layers: readonly Layer[];
  readonly cross?: {
    readonly columns: readonly CrossColumn[];
    readonly keys: readonly number[];
    readonly weights: Matrix;
  };
}

const batch = 512;

/**
 * Trains a network on the rows of `train`. `known` has the rows whose combinations are put in the vocabulary of a
 * cross. `onEpoch` is told how many of them are through. The same arguments give the same network on the same machine.
 */
export async function train(
  recipe: Recipe,
  train: Table,
  known: readonly Table[],
  onEpoch: (epoch: number) => void = () => undefined,
): Promise<Network> {
  await useWasm();
  const random = seeded(recipe.seed);
  const widths = [tableSize(recipe.features), ...recipe.hidden, 1];
  const layers = widths.slice(1).map((columns, index) => {
    const rows = widths[index] as number;
    const fanIn = index === 0 ? recipe.features.length : rows;
    return {
      weights: tf.variable(
        tf.tensor2d(normals(rows * columns, Math.sqrt(1 / fanIn), random), [rows, columns]),
      ),
      bias: tf.variable(tf.zeros<tf.Rank.R2>([1, columns])),
    };
  });
  const columns = recipe.cross === undefined ? [] : cross(recipe.cross);
  const keys = [
    ...new Set(columns.length === 0 ? [] : known.flatMap((table) => [...crossKeys(table, columns)])),
  ];
  keys.sort((a, b) => a - b);
  const wide = columns.length === 0 ? undefined : tf.variable(tf.zeros([keys.length, 1]));
  const placeOf = new Map(keys.map((key, place) => [key, place]));
  const crossed = crossKeys(train, columns).map((key) => placeOf.get(key) as number);
  const found = places(train, recipe.features);
  const used = recipe.features.length;

  const optimizer = tf.train.adam(recipe.learningRate);
  const order = Int32Array.from({ length: train.rows }, (_, row) => row);
  const steps = Math.ceil(train.rows / batch);
  for (let epoch = 0; epoch < recipe.epochs; epoch += 1) {
    shuffle(order, random);
    for (let step = 0; step < steps; step += 1) {
      const rows = order.subarray(step * batch, (step + 1) * batch);
      // A learning rate that falls to a tenth makes the end of training quiet.
      const progress = (epoch * steps + step) / (recipe.epochs * steps);
      Object.assign(optimizer, { learningRate: recipe.learningRate * 0.1 ** progress });
      tf.tidy(() => {
        const inputs = oneHot(found, rows, used, widths[0] as number);
        const labels = tf.tensor2d(
          Float32Array.from(rows, (row) => train.labels[row] as number),
          [rows.length, 1],
        );
        const combination = tf.tensor1d(
          Int32Array.from(rows, (row) => crossed[row] as number),
          'int32',
        );
        optimizer.minimize(() => {
          const logits = forward(layers, inputs);
          if (wide === undefined) return crossEntropy(logits, labels);
          const shift = lookUp(wide, combination);
          const penalty = tf.mul(tf.mean(tf.square(shift)), recipe.crossPenalty ?? 0);
          return tf.add<tf.Scalar>(crossEntropy(tf.add(logits, shift), labels), penalty);
        });
      });
    }
    // Lets timers and sockets of the same process have a turn.
    await tf.nextFrame();
    onEpoch(epoch + 1);
  }
  const network: Network = {
    features: recipe.features,
    layers: layers.map(({ weights, bias }) => ({ weights: matrix(weights), bias: matrix(bias) })),
    ...(wide === undefined ? {} : { cross: { columns, keys, weights: matrix(wide) } }),
  };
  tf.dispose([
    ...layers.flatMap(({ weights, bias }) => [weights, bias]),
    ...(wide === undefined ? [] : [wide]),
  ]);
  optimizer.dispose();
  return network;
}

/** The network's own predictions: P(employed) of each row. Throws when a combination is not in the vocabulary. */
export async function predict(network: Network, table: Table): Promise<Float32Array> {
  await useWasm();
  const scores = new Float32Array(table.rows);
  const found = places(table, network.features);
  const { cross: wide } = network;
  const placeOf = new Map(wide?.keys.map((key, place) => [key, place]));
  const keys = crossKeys(table, wide?.columns ?? []);
  for (let start = 0; start < table.rows; start += 4096) {
    const rows = Int32Array.from({ length: Math.min(4096, table.rows - start) }, (_, index) => start + index);
    const logits = tf.tidy(() => {
      const layers = network.layers.map(({ weights, bias }) => ({
        weights: tensor(weights),
        bias: tensor(bias),
      }));
      const inputs = oneHot(found, rows, network.features.length, network.layers[0]?.weights.rows ?? 0);
      return forward(layers, inputs).dataSync<'float32'>();
    });
    rows.forEach((row, index) => {
      const place = placeOf.get(keys[row] as number);
      if (wide !== undefined && place === undefined) throw new Error(`Row ${row} has an unknown combination`);
      const shift = place === undefined ? 0 : (wide?.weights.values[place] ?? 0);
      scores[row] = 1 / (1 + Math.exp(-(logits[index] as number) - shift));
    });
  }
  return scores;
}

let ready: Promise<void> | undefined;

function useWasm(): Promise<void> {
  ready ??= (async () => {
    setThreadsCount(1);
    if (!(await tf.setBackend('wasm'))) throw new Error('TensorFlow.js found no WebAssembly');
  })();
  return ready;
}

interface LayerTensors {
  readonly weights: tf.Tensor2D;
  readonly bias: tf.Tensor2D;
}

function forward(layers: readonly LayerTensors[], inputs: tf.Tensor2D): tf.Tensor2D {
  return layers.reduce(
    (values, { weights, bias }, index) =>
      tf.add<tf.Tensor2D>(tf.matMul(index === 0 ? values : tf.relu(values), weights), bias),
    inputs,
  );
}

/** Mean over rows of softplus(logit) - label * logit, written so that it cannot overflow. */
function crossEntropy(logits: tf.Tensor, labels: tf.Tensor): tf.Scalar {
  const tail = tf.log1p(tf.exp(tf.neg(tf.abs(logits))));
  return tf.mean(tf.add(tf.sub(tf.relu(logits), tf.mul(labels, logits)), tail));
}

/** tf.gather's own gradient runs over the whole table for every row of it; this one touches only the rows found. */
const lookUp = tf.customGrad((...given) => {
  const [table, found, save] = given as unknown as [tf.Tensor2D, tf.Tensor1D, (tensors: tf.Tensor[]) => void];
  save([found]);
  return {
    value: tf.gather(table, found),
    gradFunc: (change: tf.Tensor, saved: tf.Tensor[]) => {
      const rows = saved[0] as tf.Tensor;
      return [tf.scatterND(tf.reshape(rows, [-1, 1]), change, table.shape), tf.zerosLike(rows)];
    },
  };
});

function oneHot(found: Int32Array, rows: Int32Array, used: number, size: number): tf.Tensor2D {
  const values = new Float32Array(rows.length * size);
  rows.forEach((row, index) => {
    for (let position = 0; position < used; position += 1)
      values[index * size + (found[row * used + position] as number)] = 1;
  });
  return tf.tensor2d(values, [rows.length, size]);
}

/** Normal deviates (Box-Muller) with mean 0. */
function normals(count: number, deviation: number, random: () => number): Float32Array {
  return Float32Array.from(
    { length: count },
    () => deviation * Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random()),
  );
}

function matrix(values: tf.Variable): Matrix {
  const [rows = 0, columns = 0] = values.shape;
  return { rows, columns, values: Float32Array.from(values.dataSync<'float32'>()) };
}

function tensor({ values, rows, columns }: Matrix): tf.Tensor2D {
  return tf.tensor2d(values, [rows, columns]);
}
