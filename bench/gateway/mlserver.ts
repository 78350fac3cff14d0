import { execFile } from 'node:child_process';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { freePorts } from '../../src/stack/ports.js';
import type { Bench, BenchContext } from '../bench.js';
import { figure } from '../figure.js';
import { MODEL, startGatewayStage } from '../support/gateway-stage.js';
import { load, type LoadRequest } from '../support/load.js';
import { sideBySide } from '../support/rounds.js';
import { startProgram } from '../support/processes.js';
import { venv } from '../support/venv.js';
import { COLUMNS, CONNECTIONS } from './pair.js';
import { canary } from './route.js';

const PEER = new URL('../peers/mlserver/', import.meta.url);
const ROUNDS = 7;
const SECONDS = 3;
const SAME = 1e-5;
const PATIENCE_MS = 120_000;

interface Server {
  readonly url: string;
  readonly output: string;
}

interface Forest {
  readonly rows: readonly (readonly number[])[];
  /** What scikit-learn says of them. */
  readonly probabilities: readonly (readonly number[])[];
}

const PATH = `/v2/models/${MODEL}/infer`;

export const mlserver: Bench = {
  name: 'gateway-mlserver',
  what: 'single-row requests a second for a forest of 50 trees, in a canary, beside MLServer with the same forest',
  figures: ['gateway-mlserver'],
  async run(context) {
    const python = await venv(context, 'mlserver', new URL('requirements.txt', PEER));
    const script = fileURLToPath(new URL('forest.py', PEER));
    await promisify(execFile)(python, [script, context.folder]);
    const forest = JSON.parse(await readFile(join(context.folder, 'rows.json'), 'utf8')) as Forest;
    const ours = await gatewayWithForests(context);
    const theirs = await startMlserver(context, python);
    for (const server of [ours, theirs]) await mustAnswerAlike(server, forest);
    const turn = async ({ url, output }: Server): Promise<number> => {
      const requests = forest.rows.map((row, user) => requestOf(row, user, output));
      const { perSecond } = await load({
        kind: 'closed',
        url,
        path: PATH,
        requests,
        connections: CONNECTIONS,
        seconds: SECONDS,
      });
      return perSecond;
    };
    const rounds = context.rounds ?? ROUNDS;
    const seen = await sideBySide({
      rounds,
      ours: () => turn(ours),
      theirs: () => turn(theirs),
      onRound: context.say,
    });
    return [
      figure({
        name: 'gateway-mlserver',
        unit: 'requests/s',
        ...seen,
        aim: { of: 'ratio', at: 'least', bound: 30 },
        note: `MLServer serves the forest with scikit-learn in its own process (parallel_workers 0), the gateway as ONNX; both give the same probabilities; ${CONNECTIONS} connections, ${rounds} rounds`,
      }),
    ];
  },
};

async function gatewayWithForests(context: BenchContext): Promise<Server> {
  const stage = await startGatewayStage(context);
  const [champion, candidate] = await Promise.all(
    ['champion', 'candidate'].map(async (version) => {
      const { digest } = await stage.artifacts.put({ file: join(context.folder, `${version}.onnx`) });
      return { version, digest };
    }),
  );
  if (champion === undefined || candidate === undefined) throw new Error('There are no forests');
  await stage.route(canary(champion, candidate, { scoreOutput: 'probabilities', guardrails: GUARDRAILS }));
  return { url: stage.url, output: 'probabilities' };
}

const GUARDRAILS = [
  { name: 'errors', kind: 'errors' },
  { name: 'slow', kind: 'slow', thresholdMs: 1_000 },
  { name: 'high', kind: 'share', output: 'probabilities', index: 1, op: '>', value: 0.9 },
] as const;

/** Without workers of its own: on one or two cores they cost it more than they give. */
async function startMlserver(context: BenchContext, python: string): Promise<Server> {
  const [http, grpc, metrics] = (await freePorts(3)) as [number, number, number];
  const folder = join(context.folder, 'mlserver');
  const model = join(folder, MODEL);
  await mkdir(model, { recursive: true });
  await writeFile(
    join(folder, 'settings.json'),
    JSON.stringify({
      host: '127.0.0.1',
      http_port: http,
      grpc_port: grpc,
      metrics_port: metrics,
      parallel_workers: 0,
      debug: false,
    }),
  );
  await writeFile(
    join(model, 'model-settings.json'),
    JSON.stringify({
      name: MODEL,
      implementation: 'mlserver_sklearn.SKLearnModel',
      parameters: { uri: join(context.folder, 'champion.joblib') },
    }),
  );
  const program = startProgram(context, join(dirname(python), 'mlserver'), ['start', folder]);
  const url = `http://127.0.0.1:${http}`;
  const end = performance.now() + PATIENCE_MS;
  while (!(await isReady(url))) {
    if (!program.running()) throw new Error('MLServer ended before it was ready');
    if (performance.now() > end) throw new Error(`MLServer was not ready within ${PATIENCE_MS / 1_000} s`);
    await sleep(250);
  }
  return { url, output: 'predict_proba' };
}

const isReady = (url: string): Promise<boolean> =>
  fetch(`${url}/v2/models/${MODEL}/ready`).then(
    ({ ok }) => ok,
    () => false,
  );

function requestOf(data: readonly number[], user: number, output: string): LoadRequest {
  const input = { name: 'x', shape: [1, COLUMNS], datatype: 'FP32', data };
  return {
    headers: { 'tenure-routing-key': `user-${user}` },
    body: JSON.stringify({ inputs: [input], outputs: [{ name: output }] }),
  };
}

/** It is the same forest. Asked for by name, the champion answers, whoever's the key is. */
async function mustAnswerAlike({ url, output }: Server, { rows, probabilities }: Forest): Promise<void> {
  const path = output === 'probabilities' ? `/v2/models/${MODEL}/versions/champion/infer` : PATH;
  for (const [i, row] of rows.entries()) {
    const { headers, body } = requestOf(row, i, output);
    const response = await fetch(url + path, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      body,
    });
    const answer = (await response.json()) as { outputs?: { data: number[] }[]; error?: string };
    const [given] = answer.outputs ?? [];
    const expected = probabilities[i] ?? [];
    const alike =
      given !== undefined && expected.every((p, k) => Math.abs(p - (given.data[k] ?? Number.NaN)) <= SAME);
    if (!alike)
      throw new Error(
        `${url}${path} answers row ${i} with ${JSON.stringify(answer)}, not ${expected.join(', ')}`,
      );
  }
}
