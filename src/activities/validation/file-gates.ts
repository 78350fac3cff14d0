/** Gates on the artifact itself: digest, size, schema, latency. */
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { pipeline } from 'node:stream/promises';
import type { Gate } from '../../contracts/manifest.js';
import { seededRandom, seedOf } from '../../statistics/metrics/random.js';
import type { Bench } from './bench.js';
import { judged, shown } from './results.js';
import type { Judged } from './results.js';
import { compareSignature } from '../signature.js';
import { inputTensors } from './scoring.js';

async function sha256OfFile(path: string, signal: AbortSignal): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(path), hash, { signal });
  return hash.digest('hex');
}

/** The stored artifact and data set have the digests they are known by. */
export async function digestGate(bench: Bench): Promise<Judged> {
  const { path } = await bench.candidateFile();
  const found = await sha256OfFile(path, bench.progress.signal);
  const { digest } = bench.version;
  if (found !== digest)
    return judged('failed', `The artifact has digest ${found}, not ${digest}; register it again`, {
      digest: found,
    });
  return judged('passed', 'The artifact has the digest of the version', { digest });
}

/** The data set: read, checked, and what it holds. */
export async function dataGate(bench: Bench): Promise<Judged> {
  const wanted = bench.manifest.validation.dataDigest;
  const found = await sha256OfFile(await bench.dataFile(), bench.progress.signal);
  if (found !== wanted)
    return judged('failed', `The data set has digest ${found}, not ${wanted}; apply the manifest again`, {
      digest: found,
    });
  const { rows, classRows, inputs } = await bench.data();
  const counted = (of: 'missing' | 'outside'): Record<string, number> =>
    Object.fromEntries(
      inputs.filter((column) => column[of] > 0).map((column) => [column.field.name, column[of]]),
    );
  const outside = counted('outside');
  const names = Object.keys(outside);
  const note =
    names.length === 0
      ? ''
      : `; rows outside the ranges or categories of the manifest: ${names.map((name) => `${name} ${outside[name]}`).join(', ')}`;
  return judged('passed', `${rows} labelled rows${note}`, {
    rows,
    rowsOfClass: Object.fromEntries(
      bench.manifest.prediction.classes.map((name, i) => [String(name), classRows[i] ?? 0]),
    ),
    missing: counted('missing'),
    outside,
  });
}

export async function sizeGate({ maxBytes }: Gate & { kind: 'size' }, bench: Bench): Promise<Judged> {
  const { bytes } = await bench.candidateFile();
  const passed = bytes <= maxBytes;
  return judged(
    passed ? 'passed' : 'failed',
    `The artifact has ${bytes} bytes; at most ${maxBytes} are allowed`,
    { bytes, maxBytes },
  );
}

export async function schemaGate(bench: Bench): Promise<Judged> {
  const { metadata } = await bench.candidateModel();
  const differences = compareSignature(bench.manifest.schema, metadata);
  const names = {
    inputs: metadata.inputs.map(({ name }) => name),
    outputs: metadata.outputs.map(({ name }) => name),
  };
  if (differences.length === 0)
    return judged('passed', 'Inputs and outputs are those of the manifest', names);
  return judged('failed', `The model differs from the manifest: ${differences.join('; ')}`, {
    ...names,
    differences,
  });
}

/** Calls before the timed ones: the first runs of a session are slow. */
const WARM_UP = 20;
/** Fewer rows have no 95th percentile to speak of. */
const LEAST_LATENCY_ROWS = 20;

/** Time inside the model's thread for one row, over rows of the data set in a seeded order (again from the start when it is short). */
export async function latencyGate(
  { p95Ms, rows }: Gate & { kind: 'latency' },
  bench: Bench,
): Promise<Judged> {
  if (rows < LEAST_LATENCY_ROWS) {
    return judged(
      'undecided',
      `${rows} rows are too few for a 95th percentile; set rows to ${LEAST_LATENCY_ROWS} or more`,
      { rows },
    );
  }
  const data = await bench.data();
  const model = await bench.candidateModel();
  const random = seededRandom(seedOf(bench.version.digest));
  const times: number[] = [];
  for (let i = -WARM_UP; i < rows; i += 1) {
    const tensors = inputTensors(data, [random.below(data.rows)], model);
    const { elapsedMs } = await model.infer(tensors, { signal: bench.progress.signal });
    if (i >= 0) times.push(elapsedMs);
    if (i % 100 === 0) bench.progress.report('timing single rows', Math.max(0, i), rows);
  }
  times.sort((a, b) => a - b);
  const at = (share: number): number =>
    Math.round((times[Math.ceil(share * rows) - 1] ?? Number.NaN) * 1000) / 1000;
  const measured = at(0.95);
  return judged(
    measured <= p95Ms ? 'passed' : 'failed',
    `95 % of ${rows} single rows took at most ${measured} ms inside the thread; the budget is ${shown(p95Ms)} ms`,
    { rows, p50Ms: at(0.5), p95Ms: measured, p99Ms: at(0.99), maxMs: at(1), boundMs: p95Ms },
  );
}
