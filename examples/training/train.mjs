/**
 * A trainer after the contract of docs/training.md, with Node alone: logistic regression by gradient descent. It goes on from its
 * checkpoint, says how far it is, and writes its model as ONNX.
 */
import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const EPOCHS = 200;
const CANNOT_TRAIN = 65;

const request = JSON.parse(readFileSync(process.env.TENURE_TRAINING_REQUEST, 'utf8'));
const names = request.inputs.map(({ name }) => name);
if (request.inputs.some(({ datatype, width }) => datatype !== 'FP32' || width !== 1))
  cannot('only inputs of FP32 and width 1 are understood here');
const { rows, labels } = read();
if (new Set(labels).size < 2) cannot(`all ${labels.length} rows have the same label`);

const checkpoint = join(request.checkpoints, 'state.json');
let { epoch, weights } = restore();
while (epoch < EPOCHS) {
  weights = descend(weights);
  epoch += 1;
  if (epoch % 20 !== 0) continue;
  save(checkpoint, JSON.stringify({ epoch, weights }));
  const message = `epoch ${epoch} of ${EPOCHS}, loss ${loss(weights).toFixed(4)}`;
  process.stdout.write(`${JSON.stringify({ progress: epoch / EPOCHS, message })}\n`);
}
save(request.output.metrics, JSON.stringify({ trainLoss: loss(weights) }));
save(request.output.model, onnx(request.score, weights.slice(0, -1), weights.at(-1)));

function cannot(why) {
  process.stderr.write(`${why}\n`);
  process.exit(CANNOT_TRAIN);
}

/** Numbers and labels without quotes: a comma always parts two columns. A real trainer has a library for CSV. */
function read() {
  const [header, ...lines] = readFileSync(request.data.file, 'utf8').trim().split('\n');
  const columns = header.split(',');
  const place = (name) => columns.indexOf(name);
  const table = lines.map((line) => line.split(','));
  const positive = String(request.classes[1]);
  return {
    // An empty field is a missing value.
    rows: table.map((row) => names.map((name) => Number(row[place(name)] || 0))),
    labels: table.map((row) => (row[place(request.target)] === positive ? 1 : 0)),
  };
}

function restore() {
  try {
    const state = JSON.parse(readFileSync(checkpoint, 'utf8'));
    process.stdout.write(`Going on after epoch ${state.epoch}\n`);
    return state;
  } catch (error) {
    if (error.code !== 'ENOENT') throw error;
    return { epoch: 0, weights: Array(names.length + 1).fill(0) };
  }
}

/** Whole or not at all: the training may be ended at any moment. */
function save(path, content) {
  writeFileSync(`${path}.new`, content);
  renameSync(`${path}.new`, path);
}

function score(at, row) {
  const z = row.reduce((sum, x, i) => sum + at[i] * x, at[row.length]);
  return 1 / (1 + Math.exp(-Math.max(-30, Math.min(30, z))));
}

function loss(at) {
  const losses = rows.map((row, i) => Math.log(labels[i] === 1 ? score(at, row) : 1 - score(at, row)));
  return -losses.reduce((sum, one) => sum + one, 0) / rows.length;
}

function descend(from, rate = 1) {
  const slope = from.map(() => 0);
  rows.forEach((row, i) => {
    const off = score(from, row) - labels[i];
    [...row, 1].forEach((x, k) => (slope[k] += off * x));
  });
  return from.map((w, k) => w - (rate * slope[k]) / rows.length);
}

// ONNX is protobuf, whose fields are few here; the numbers are those of onnx.proto. A real trainer has a library for it.
function varint(n) {
  return n > 0x7f ? [(n & 0x7f) | 0x80, ...varint(n >>> 7)] : [n];
}

function number(field, n) {
  return Buffer.from([...varint(field << 3), ...varint(n)]);
}

function part(field, ...contents) {
  const content = Buffer.concat(contents.map((one) => Buffer.from(one)));
  return Buffer.concat([Buffer.from([...varint((field << 3) | 2), ...varint(content.length)]), content]);
}

function node(op, inputs, output, ...attributes) {
  return part(1, ...inputs.map((name) => part(1, name)), part(2, output), part(4, op), ...attributes);
}

function tensor(name, dims, values) {
  const sizes = dims.map((size) => number(1, size));
  return part(
    5,
    ...sizes,
    number(2, 1),
    part(8, name),
    part(9, Buffer.from(new Float32Array(values).buffer)),
  );
}

function column(field, name) {
  const shape = [part(1, part(2, 'N')), part(1, number(1, 1))];
  return part(field, part(1, name), part(2, part(1, number(1, 1), part(2, ...shape))));
}

function onnx(output, w, b) {
  const axis = part(5, part(1, 'axis'), number(3, 1), number(20, 2));
  const graph = [
    node('Concat', names, 'all', axis),
    node('MatMul', ['all', 'w'], 'weighed'),
    node('Add', ['weighed', 'b'], 'z'),
    node('Sigmoid', ['z'], output),
    part(2, 'logistic-regression'),
    tensor('w', [w.length, 1], w),
    tensor('b', [1], [b]),
    ...names.map((name) => column(11, name)),
    column(12, output),
  ];
  return Buffer.concat([number(1, 8), part(7, ...graph), part(8, part(1, ''), number(2, 17))]);
}
