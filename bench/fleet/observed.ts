/** What rows from elsewhere cost whoever takes them. */
import { setTimeout as sleep } from 'node:timers/promises';
import { observedOf } from '../../src/platform/observations/collections.js';
import type { Bench } from '../bench.js';
import { figure } from '../figure.js';
import { modelNames, placeModels } from './models.js';
import { beyond } from './spent.js';
import { FleetStage } from './stage.js';

const MODELS = 1_000;
const ROWS = 60;
/** A batch of each model: as many a second as a fleet of 10,000 sends in windows of a minute. */
const EVERY_SECONDS = 6;
const SETTLE_MS = 20_000;
const SECONDS = 60;

export const observed: Bench = {
  name: 'fleet-observed',
  what: `CPU of gateway and mongod for batches of ${ROWS} rows of 16 features through POST /observations: ${MODELS} models (--runs N: so many), each every ${EVERY_SECONDS} s`,
  figures: ['fleet-observed-gateway', 'fleet-observed-mongod'],
  async run(context) {
    const models = modelNames(context.runs ?? MODELS);
    const stage = await FleetStage.open(context);
    await placeModels({ db: stage.db, tenure: stage.tenure, say: context.say }, models);
    const idle = await stage.spend(20);
    await stage.startFeeder({ models, rows: ROWS, everySeconds: EVERY_SECONDS });
    await sleep(SETTLE_MS);
    const from = new Date();
    const fed = await stage.spend(SECONDS);
    const at = { $gte: from, $lt: new Date() };
    const batches = await observedOf(stage.db).countDocuments({ at });
    if (batches === 0) throw new Error('The gateway has taken nothing');
    const extra = beyond(fed, idle);
    const note = `${Math.round(batches / fed.seconds)} batches a second; beyond what the process spends at rest`;
    return ['gateway', 'mongod'].map((name) =>
      figure({
        name: `fleet-observed-${name}`,
        unit: 'ms of CPU a batch',
        ours: (1_000 * (extra[name] ?? Number.NaN)) / batches,
        note,
      }),
    );
  },
};
