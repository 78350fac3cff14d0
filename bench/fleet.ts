/** A fleet of monitored models on the embedded stack: whether its ticks are on time, and what a tick costs a model. */
import { availableParallelism } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { observedOf } from '../src/platform/observations/collections.js';
import type { Bench, BenchContext } from './bench.js';
import { figure } from './figure.js';
import { eachOf, modelNames, placeModels, versionOf } from './fleet/models.js';
import { latency } from './fleet/latency.js';
import { observed } from './fleet/observed.js';
import { beyond, OTHERS } from './fleet/spent.js';
import { FleetStage, LOOP_QUEUE, LOOP_WORKER, type Spent, TASK_QUEUE } from './fleet/stage.js';
import { isOnTime, type Tick, ticksOf } from './fleet/ticks.js';
import type { TimerLoopInput } from './fleet/timer-loop.js';
import type { ClientsSeen } from './processes/clients.js';
import { coreWaitSeconds } from './support/cpu.js';
import { quantile } from './support/rounds.js';

const MODELS = 1_000;
const MINUTES = 5;
/** Models with a workflow of their own, of the same fleet. */
const LOOPS = 300;
/** In a batch a model a minute. */
const ROWS = 60;
/** Of the phases that others are compared with, minutes at most: they cost the same in each minute. */
const COMPARED_MINUTES = 5;
/** People who look and decide, and from one act of each to its next, seconds. */
const CLIENTS = { clients: 500, everySeconds: 30, releases: 20 } as const;
/** Without evaluation a tick costs the same however long the sleep is: more of them in a minute are less noise. */
const BARE_SECONDS = 15;

/** Releases, monitors and incidents. */
const CACHED_BESIDE = 500;
const SETTLE_SECONDS = 75;
const words = (cpu: Spent['cpu'], divisor: number, digits = 2): string =>
  Object.entries(cpu)
    .map(([name, seconds]) => `${name} ${(seconds / divisor).toFixed(digits)}`)
    .join(', ');

const isOthers = (name: string): boolean => OTHERS.includes(name) || name === LOOP_WORKER;

const sum = (values: Iterable<number>): number => [...values].reduce((total, value) => total + value, 0);

async function startLoops(
  stage: FleetStage,
  models: readonly string[],
  tick: TimerLoopInput['tick'],
  seconds: number,
): Promise<() => Promise<void>> {
  const idOf = (model: string): string => `${tick}:${model}`;
  const places = new Map(models.map((model, i) => [model, i / models.length]));
  await eachOf(models, async (model) => {
    const offsetMs = Math.round((places.get(model) ?? 0) * seconds * 1_000);
    await stage.client.workflow.start('timerLoop', {
      workflowId: idOf(model),
      taskQueue: LOOP_QUEUE,
      args: [{ model, digest: versionOf(model).digest, seconds, offsetMs, tick } satisfies TimerLoopInput],
    });
  });
  return () => eachOf(models, (model) => stage.client.workflow.getHandle(idOf(model)).terminate('measured'));
}

/** Rows a minute that were taken. */
async function fed(stage: FleetStage, from: number, to: number): Promise<number> {
  const [found] = await observedOf(stage.db)
    .aggregate<{ readonly rows: number }>([
      { $match: { at: { $gte: new Date(from), $lt: new Date(to) } } },
      { $group: { _id: null, rows: { $sum: '$rows' } } },
    ])
    .toArray();
  return ((found?.rows ?? 0) * 60_000) / (to - from);
}

interface Monitored {
  readonly spent: Spent;
  readonly ticks: readonly Tick[];
  readonly memory: Readonly<Record<string, number>>;
  readonly rows: number;
  readonly waited: string;
  /** Epoch milliseconds. */
  readonly from: number;
  readonly to: number;
}

/** The whole fleet by its monitors. The first tick of each, which reads all profiles, is not in it. */
async function monitored(stage: FleetStage, minutes: number): Promise<Monitored> {
  await stage.startMonitors();
  await stage.firstTicks();
  await sleep(SETTLE_SECONDS * 1_000);
  const [from, waiting] = [Date.now(), await coreWaitSeconds()];
  const spent = await stage.spend(minutes * 60);
  const to = Date.now();
  const after = await coreWaitSeconds();
  const memory = await stage.memory();
  // The last places' ticks have their time too.
  await sleep(stage.monitors.seconds * 1_000);
  const ticks = await ticksOf(stage.client, TASK_QUEUE, stage.monitors, {
    from,
    to: to + stage.monitors.seconds * 1_000,
  });
  const rows = await fed(stage, from, to);
  await stage.stopMonitors();
  const waited =
    waiting === null || after === null
      ? 'not known'
      : `${Math.round((100 * (after - waiting)) / spent.seconds)} %`;
  return { spent, ticks, memory, rows, waited, from, to };
}

/** Some of the fleet by loops of their own. @returns what was spent, and the model-ticks that did it */
async function looped(
  stage: FleetStage,
  models: readonly string[],
  minutes: number,
): Promise<{ readonly evaluated: Spent; readonly ticks: number }> {
  const stop = await startLoops(stage, models, 'evaluateOne', 60);
  // The first tick of each makes up for what closed meanwhile.
  await sleep(SETTLE_SECONDS * 1_000);
  const before = await stage.evaluations(models);
  const evaluated = await stage.spend(minutes * 60);
  const ticks = (await stage.evaluations(models)) - before;
  await stop();
  if (ticks === 0) throw new Error('The timer loops have evaluated nothing');
  return { evaluated, ticks };
}

const fleet: Bench = {
  name: 'fleet',
  what: `${MODELS} monitored models with 16 features and windows of a minute for ${MINUTES} minutes (--runs N: so many models, --rounds N: so many minutes), beside ${LOOPS} timer loops and ${CLIENTS.clients} clients`,
  figures: [
    'fleet-late-ticks',
    'fleet-cost-evaluated',
    'fleet-cost-bare',
    'fleet-cpu',
    'fleet-memory',
    'fleet-clients-status',
    'fleet-clients-list',
    'fleet-clients-approve',
  ],
  async run(context) {
    const models = modelNames(context.runs ?? MODELS);
    const minutes = context.rounds ?? MINUTES;
    const loops = models.slice(0, LOOPS);
    // All of them stay in the worker's memory: a query of one that has been let go replays its history first.
    const cached = { TENURE_CACHED_WORKFLOWS: String(models.length + CACHED_BESIDE) };
    const stage = await FleetStage.open(context, cached);
    await placeModels({ db: stage.db, tenure: stage.tenure, say: context.say }, models);
    await stage.startLoopWorker();
    const phase = teller(context);

    const idle = phase('at rest', await stage.spend(60));
    const stopBare = await startLoops(stage, loops, 'doNothing', BARE_SECONDS);
    await sleep(BARE_SECONDS * 1_000);
    const bare = phase('timer loops that do nothing', await stage.spend(60));
    await stopBare();

    await stage.startFeeder({ models, rows: ROWS, everySeconds: 60 });
    // In every phase, so that what serving them costs is not taken for a cost of monitoring.
    const stopClients = await stage.startClients({ models, ...CLIENTS });
    // A whole round of all models first.
    await sleep(SETTLE_SECONDS * 1_000);
    const fedOnly = phase('fed, not monitored', await stage.spend(60 * Math.min(minutes, COMPARED_MINUTES)));
    const ours = await monitored(stage, minutes);
    phase('monitored', ours.spent);
    const theirs = await looped(stage, loops, Math.min(minutes, COMPARED_MINUTES));
    phase('timer loops that evaluate', theirs.evaluated);
    const people = await stopClients();
    stage.stopFeeder();

    const late = ours.ticks.filter((tick) => !isOnTime(tick, stage.monitors.seconds));
    const evaluated = sum(ours.ticks.map((tick) => tick.evaluated));
    if (evaluated === 0) throw new Error('The monitors have evaluated nothing');
    const came = ours.ticks.filter(({ took }) => Number.isFinite(took));
    const took = came.map((tick) => tick.took / 1_000);
    const lags = came.map(({ lag }) => lag / 1_000);
    // By what should have been evaluated: what was not is said, and makes nothing cheaper.
    const ownTicks = (models.length * ours.spent.seconds) / 60;
    const ownExtra = beyond(ours.spent, fedOnly);
    const loopExtra = beyond(theirs.evaluated, fedOnly);
    const own = (1_000 * sum(Object.values(ownExtra))) / ownTicks;
    const loop = (1_000 * sum(Object.values(loopExtra))) / theirs.ticks;
    const bareExtra = beyond(bare, idle);
    const bareLoop = (1_000 * sum(Object.values(bareExtra))) / ((loops.length * bare.seconds) / BARE_SECONDS);
    const bareOwn = (bareLoop * stage.monitors.shards) / models.length;
    const total = (of: Readonly<Record<string, number>>): number =>
      sum(Object.entries(of).flatMap(([name, value]) => (isOthers(name) ? [] : [value])));
    const all = `${models.length} models, ${minutes} minutes`;
    return [
      figure({
        name: 'fleet-late-ticks',
        unit: `of ${ours.ticks.length} ticks`,
        ours: late.length,
        aim: { of: 'ours', at: 'most', bound: 0 },
        note: `${all}, ${stage.monitors.shards} monitors; ${ours.ticks.length - came.length} are not in their histories; begun at most ${Math.max(...lags).toFixed(1)} s after its place (5 s is late); took ${quantile(took, 0.5).toFixed(1)} s in the median and ${Math.max(...took).toFixed(1)} s at most (60 s is late); ${evaluated} of ${Math.round((models.length * ours.ticks.length) / stage.monitors.shards)} model-ticks had a closed window and were evaluated, ${sum(ours.ticks.map(({ found }) => found))} findings, ${sum(ours.ticks.map(({ failed }) => failed))} failures; ${Math.round(ours.rows)} of ${models.length * ROWS} rows a minute were taken; something waited for a core ${ours.waited} of the time`,
      }),
      figure({
        name: 'fleet-cost-evaluated',
        unit: 'ms of CPU a model-tick',
        ours: own,
        theirs: loop,
        ratio: loop / own,
        aim: { of: 'ratio', at: 'least', bound: 30 },
        note: `ratio: how many times cheaper; beyond what being fed costs, which both have. Ours: ${words(ownExtra, ownTicks / 1_000)}. Timer loops in ${loops.length} models' workflows, one after the other with the same evaluation of one model: ${words(loopExtra, theirs.ticks / 1_000)}`,
      }),
      figure({
        name: 'fleet-cost-bare',
        unit: 'ms of CPU a model-tick',
        ours: bareOwn,
        theirs: bareLoop,
        ratio: bareLoop / bareOwn,
        aim: { of: 'ratio', at: 'least', bound: 100 },
        note: `without evaluation. Measured is a loop: a timer and an activity that does nothing, ${loops.length} of them every ${BARE_SECONDS} s, beyond the stack at rest; the fleet has ${stage.monitors.shards} such loops for all models, so the ratio is models to monitors`,
      }),
      figure({
        name: 'fleet-cpu',
        unit: 'cores',
        ours: total(ours.spent.cpu) / ours.spent.seconds,
        note: `${all}, monitored and fed: ${words(ours.spent.cpu, ours.spent.seconds)} of a core; feeder and clients are others and not in the sum. With all of them, ${availableParallelism()} cores would be full at about ${Math.floor((models.length * availableParallelism() * ours.spent.seconds) / sum(Object.values(ours.spent.cpu)))} models: reckoned, not tried`,
      }),
      figure({
        name: 'fleet-memory',
        unit: 'MiB',
        ours: total(ours.memory),
        note: `proportional set size: ${words(ours.memory, 1, 0)}; the feeder, the clients and the worker of the loops are not in the sum. The gateway has no model's file loaded: the rows come from elsewhere`,
      }),
      ...clientFigures(people, ours, all),
    ];
  },
};

/** What the clients waited while the fleet was monitored. */
function clientFigures({ acts, failed, failures }: ClientsSeen, { from, to }: Monitored, all: string) {
  const { clients, everySeconds, releases } = CLIENTS;
  return (['status', 'list', 'approve'] as const).map((what) => {
    const took = acts[what].flatMap(([at, ms]) => (at >= from && at < to ? [ms] : []));
    const notes = {
      status: 'the query behind `tenure model show`, each time of another model',
      list: 'the first 100 models by the visibility store',
      approve: `a decision on one of ${releases} releases that wait for a second approver: all but the first are refused, as the same person's, and recorded`,
    };
    return figure({
      name: `fleet-clients-${what}`,
      unit: 'ms, p95',
      ours: quantile(took, 0.95),
      note: `${all}, ${clients} clients that each do something every ${everySeconds} s: ${took.length} times ${notes[what]}; ${quantile(took, 0.5).toFixed(0)} ms in the median, ${failed} acts of all kinds failed${failures.length === 0 ? '' : ` (${failures.join('; ')})`}`,
    });
  });
}

function teller({ say }: BenchContext) {
  return (what: string, spent: Spent): Spent => {
    say(`${what}: ${words(spent.cpu, spent.seconds, 3)} of a core`);
    return spent;
  };
}

export const benches: readonly Bench[] = [fleet, observed, latency];
