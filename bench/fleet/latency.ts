/** From the first bad request of a model to the finding, and to the alert that reaches a receiver. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { observedOf } from '../../src/platform/observations/collections.js';
import type { Bench, BenchContext } from '../bench.js';
import { figure } from '../figure.js';
import { quantile } from '../support/rounds.js';
import { modelNames, placeModels } from './models.js';
import { FleetStage } from './stage.js';

const MODELS = 1_000;
const ROWS = 60;
/** Of so many models one is made bad. */
const EVERY = 5;
/** Good windows that are evaluated first. */
const GOOD_MS = 180_000;
/** A model in which nothing was found by then is missed. */
const PATIENCE_MS = 300_000;
const LOOK_MS = 500;

type Times = Map<string, number>;

const note = (times: Times, model: string): void => {
  if (!times.has(model)) times.set(model, Date.now());
};

/** Receives alerts as a webhook does. @returns the worker's environment, and when each model was first told of */
async function receiver(context: BenchContext) {
  const told: Times = new Map();
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => void chunks.push(chunk));
    request.on('end', () => {
      const { data } = JSON.parse(Buffer.concat(chunks).toString()) as {
        readonly data: { readonly model: string };
      };
      note(told, data.model);
      response.end();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  context.defer(() => {
    server.closeAllConnections();
    server.close();
  });
  const folder = join(context.folder, 'alerts');
  await mkdir(folder);
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  await writeFile(join(folder, 'secret'), Buffer.from('a secret of this bench').toString('base64'));
  const file = join(folder, 'alerts.yaml');
  await writeFile(file, `receivers:\n  - { name: people, kind: webhook, url: ${url}, secretFile: secret }\n`);
  return { env: { TENURE_ALERTS: file }, told };
}

/** When each model's first bad batch was taken. */
async function firstBad({ db }: FleetStage): Promise<Times> {
  const found = observedOf(db).aggregate<{ readonly _id: string; readonly at: Date }>([
    { $match: { _id: /\/bad\// } },
    { $group: { _id: '$model', at: { $min: '$at' } } },
  ]);
  const times: Times = new Map();
  for await (const { _id, at } of found) times.set(_id, at.getTime());
  return times;
}

async function noteFound({ db }: FleetStage, found: Times): Promise<void> {
  const models: unknown[] = await db.collection('findings').distinct('model', { verdict: 'found' });
  for (const model of models) note(found, String(model));
}

export const latency: Bench = {
  name: 'detect-latency',
  what: `from the first bad request to the finding and to the alert: ${MODELS} models in windows of a minute (--runs N: so many), a fifth of which get three of 16 features a standard deviation off`,
  figures: [
    'detect-latency-finding',
    'detect-latency-finding-p95',
    'detect-latency-alert',
    'detect-latency-alert-p95',
  ],
  async run(context) {
    const models = modelNames(context.runs ?? MODELS);
    const bad = models.filter((_, i) => i % EVERY === 0);
    const { env, told } = await receiver(context);
    const stage = await FleetStage.open(context, env);
    await placeModels({ db: stage.db, tenure: stage.tenure, say: context.say }, models);
    const from = Date.now() + GOOD_MS;
    await stage.startFeeder({ models, rows: ROWS, everySeconds: 60, bad: { from, every: EVERY } });
    await stage.startMonitors();
    context.say(`good rows for ${GOOD_MS / 1_000} s`);
    const found: Times = new Map();
    while (Date.now() < from + PATIENCE_MS && !bad.every((model) => found.has(model) && told.has(model))) {
      await noteFound(stage, found);
      await sleep(LOOK_MS);
    }
    const since = await firstBad(stage);
    stage.stopFeeder();
    const others = [...found].filter(([model, at]) => at < (since.get(model) ?? Number.POSITIVE_INFINITY));
    const secondsTo = (times: Times): readonly number[] =>
      bad.map((model) => {
        const [began, at] = [since.get(model), times.get(model)];
        return began === undefined || at === undefined || at < began
          ? Number.POSITIVE_INFINITY
          : (at - began) / 1_000;
      });
    const [finding, alert] = [secondsTo(found), secondsTo(told)];
    const missed = finding.filter((seconds) => !Number.isFinite(seconds)).length;
    const untold = alert.filter((seconds) => !Number.isFinite(seconds)).length;
    const words = `${bad.length} of ${models.length} models were made bad; ${missed} were not found and ${untold} not told of in ${PATIENCE_MS / 1_000} s, which counts as for ever; ${others.length} models had a finding without being bad; a window of 60 s has to close, and the monitor to tick, every 60 s`;
    return [
      figure({
        name: 'detect-latency-finding',
        unit: 's, median',
        ours: quantile(finding, 0.5),
        note: words,
      }),
      figure({ name: 'detect-latency-finding-p95', unit: 's', ours: quantile(finding, 0.95) }),
      figure({ name: 'detect-latency-alert', unit: 's, median', ours: quantile(alert, 0.5) }),
      figure({ name: 'detect-latency-alert-p95', unit: 's', ours: quantile(alert, 0.95) }),
    ];
  },
};
