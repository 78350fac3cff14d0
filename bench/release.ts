/** What a release costs when nothing has to be waited for, how many go at once, and what a crash of everything does to them. */
import type { ChildProcess } from 'node:child_process';
import type { FailPlan } from '../src/fail-points/plan.js';
import type { Bench, BenchContext } from './bench.js';
import { type Aim, figure } from './figure.js';
import type { Spent } from './release/history.js';
import { CALLS, Infrastructure, STEPS } from './release/infrastructure.js';
import { kill, Prefect } from './release/prefect.js';
import { ReleaseStage } from './release/stage.js';
import { compare, median } from './support/rounds.js';

const ROUNDS = 5;
const MODELS_AT_ONCE = 50;
/** Where a run is killed: an act has just been done and nobody knows it yet. Ours by effect, the flow's by the number of its call. */
const KILLED_AT: readonly { readonly plan: FailPlan; readonly call: number; readonly what: string }[] = [
  { plan: at('activity.checkConformance.after', 1), call: 11, what: 'the golden rows were sent' },
  { plan: at('routes.set.after', 2), call: 16, what: 'the canary got its share' },
  { plan: at('routes.set.after', 3), call: 22, what: 'the candidate was promoted' },
];
/** Changes of traffic of a light release: loaded, canary, promoted, settled. */
const GENERATIONS = 4;
/** Users of the model under test, requests a second; with 50 models, of each. */
const RATE = 100;
const RATE_OF_MANY = 4;

function at(point: FailPlan['point'], hit: number): FailPlan {
  return { point, hit, action: 'kill' };
}

const names = (prefix: string, count: number): readonly string[] =>
  Array.from({ length: count }, (_, i) => `${prefix}-${i + 1}`);

async function infrastructure(context: BenchContext): Promise<Infrastructure> {
  const service = await Infrastructure.start();
  context.defer(() => service.stop());
  return service;
}

/** A release of a second version under users of its own. */
async function release(stage: ReleaseStage, model: string): Promise<{ number: number; seconds: number }> {
  const users = stage.users(model, RATE);
  const started = performance.now();
  const number = await stage.submit(model, 'v2');
  await stage.ends(model, number);
  const seconds = (performance.now() - started) / 1_000;
  await users.stop();
  return { number, seconds };
}

/** Models with their first version in production, brought there all at once. */
async function prepare(stage: ReleaseStage, models: readonly string[], rate: number): Promise<void> {
  const users = models.map((model) => stage.users(model, rate));
  await Promise.all(models.map((model) => stage.model(model)));
  await Promise.all(users.map((traffic) => traffic.stop()));
}

const most = (of: Aim['of'], bound: number): Aim => ({ of, at: 'most', bound });
const seconds = (ms: number): string => `${(ms / 1_000).toFixed(2)} s`;

const one: Bench = {
  name: 'release-one',
  what: `time and history events of one release with all waits at zero, beside a Prefect flow of ${STEPS.length} tasks with ${CALLS} HTTP calls`,
  figures: ['release-active', 'release-control', 'release-events', 'release-model-events'],
  async run(context) {
    const rounds = context.rounds ?? ROUNDS;
    const models = names('light', rounds + 1);
    const stage = await ReleaseStage.open(context);
    const service = await infrastructure(context);
    const prefect = await Prefect.open(context);
    context.say(`${models.length} models get their first version`);
    await prepare(stage, models, RATE / models.length);
    const spent: Spent[] = [];
    const modelEvents: number[] = [];
    const flows: number[] = [];
    for (const [i, model] of models.entries()) {
      const before = (await stage.spent(model, 1)).model;
      const { number, seconds: wall } = await release(stage, model);
      const cost = await stage.spent(model, number);
      const flow = await prefect.run(service.url, [model]);
      // The first of each warms up.
      if (i === 0) continue;
      spent.push(cost.release);
      modelEvents.push(cost.model - before);
      flows.push(flow.seconds);
      context.say(
        `round ${i} of ${rounds}: ${wall.toFixed(2)} s from submission to success, the flow ${flow.seconds.toFixed(2)} s`,
      );
    }
    const active = compare(
      spent.map((s, i) => ({ ours: (s.deciding + s.acting) / 1_000, theirs: flows[i] ?? NaN })),
    );
    const control = compare(
      spent.map((s, i) => ({ ours: (s.elapsed - s.acting - s.waiting) / 1_000, theirs: flows[i] ?? NaN })),
    );
    const of = (what: (s: Spent) => number): number => median(spent.map(what));
    const kinds = Object.entries(spent.at(-1)?.byActivity ?? {})
      .map(([name, { count, ms }]) => `${count} ${name} ${seconds(ms)}`)
      .join(', ');
    return [
      figure({
        name: 'release-active',
        unit: 's',
        ...active,
        note: `workflow tasks ${seconds(of((s) => s.deciding))} and activities ${seconds(of((s) => s.acting))}, without the ${seconds(of((s) => s.waiting))} that looks waited for users; the flow's calls do nothing, the release's do what they say. Of the last release: ${kinds}`,
      }),
      figure({
        name: 'release-control',
        unit: 's',
        ...control,
        note: `from the first event to the last, without the activities: what deciding, recording and handing over take; the flow's calls take almost nothing, so its time is that too`,
      }),
      figure({ name: 'release-events', unit: 'events', ours: of((s) => s.events), aim: most('ours', 110) }),
      figure({
        name: 'release-model-events',
        unit: 'events',
        ours: median(modelEvents),
        aim: most('ours', 60),
      }),
    ];
  },
};

const many: Bench = {
  name: 'release-many',
  what: `releases a minute of ${MODELS_AT_ONCE} models at once (one worker, one gateway), beside ${MODELS_AT_ONCE} Prefect flows at once in one process`,
  figures: ['release-per-minute'],
  async run(context) {
    const models = names('many', MODELS_AT_ONCE);
    const stage = await ReleaseStage.open(context);
    context.say(`${models.length} models get their first version`);
    await prepare(stage, models, RATE_OF_MANY);
    for (const model of models) stage.users(model, RATE_OF_MANY);
    const started = performance.now();
    await Promise.all(models.map(async (model) => stage.ends(model, await stage.submit(model, 'v2'))));
    const ours = (60_000 * models.length) / (performance.now() - started);
    context.say(`${ours.toFixed(1)} releases a minute; now the flows`);
    await stage.close();
    const service = await infrastructure(context);
    const prefect = await Prefect.open(context);
    const { seconds: took, succeeded } = await prefect.run(service.url, models);
    if (succeeded !== models.length) throw new Error(`${succeeded} of ${models.length} flows succeeded`);
    return [
      figure({
        name: 'release-per-minute',
        unit: 'a minute',
        ours,
        theirs: (60 * models.length) / took,
        note: `one after the other, not at the same time; each of ours is a canary of ${RATE_OF_MANY} requests a second that the gateway serves on the same cores, each flow does nothing but calls`,
      }),
    ];
  },
};

/** A run that was killed in its middle. */
interface Killed {
  /** Ended as it should without anybody's doing. */
  readonly alone: boolean;
  /** Acts that were done a second time. */
  readonly twice: number;
  /** Activities or tasks that were begun a second time. */
  readonly again: number;
}

async function killRelease(stage: ReleaseStage, model: string, plan: FailPlan): Promise<Killed> {
  const users = stage.users(model, RATE);
  const before = await stage.generation(model);
  const { died } = await stage.armWorker(plan);
  const number = await stage.submit(model, 'v2');
  await died;
  await stage.restartAll();
  await stage.ends(model, number);
  await users.stop();
  const { release: spent } = await stage.spent(model, number);
  const recorded = await stage.recorded(model);
  const changed = (await stage.generation(model)) - before;
  return {
    alone: true,
    twice: changed - GENERATIONS + recorded.filter(({ id }) => id.includes('/again/')).length,
    again: spent.tries - spent.activities,
  };
}

async function killFlow(
  prefect: Prefect,
  service: Infrastructure,
  name: string,
  call: number,
): Promise<Killed> {
  service.reset();
  const cut = service.cutAt(call);
  let flow: ChildProcess | null = null;
  const running = prefect.run(service.url, [name], (child) => (flow = child)).catch(() => null);
  await cut;
  if (flow !== null) kill(flow);
  prefect.killServer();
  await running;
  await prefect.startServer();
  const before = service.seen.askings;
  // Nobody resumes it: the server has it down as running. Somebody has to start it again.
  const stuck = (await prefect.states()).filter((state) => state === 'Running').length;
  const alone = stuck === 0 && service.seen.askings > before;
  await prefect.run(service.url, [name]);
  const { acts, askings } = service.seen;
  return { alone, twice: askings - acts, again: service.stepsBegunAgain };
}

const killed: Bench = {
  name: 'release-killed',
  what: 'runs whose worker and servers are killed in the middle and started again, beside Prefect flows whose process and server are',
  figures: ['release-killed-resumed', 'release-killed-acts-twice', 'release-killed-begun-again'],
  async run(context) {
    const models = names('killed', KILLED_AT.length);
    const stage = await ReleaseStage.open(context);
    await prepare(stage, models, RATE / models.length);
    const ours: Killed[] = [];
    const theirs: Killed[] = [];
    for (const [i, { plan, what }] of KILLED_AT.entries()) {
      const result = await killRelease(stage, models[i] ?? '', plan);
      context.say(`killed when ${what}: ${JSON.stringify(result)}`);
      ours.push(result);
    }
    await stage.close();
    const service = await infrastructure(context);
    const prefect = await Prefect.open(context);
    for (const [i, { call, what }] of KILLED_AT.entries()) {
      const result = await killFlow(prefect, service, models[i] ?? '', call);
      context.say(`flow killed when ${what}: ${JSON.stringify(result)}`);
      theirs.push(result);
    }
    const sum = (all: readonly Killed[], what: 'twice' | 'again'): number =>
      all.reduce((total, run) => total + run[what], 0);
    const alone = (all: readonly Killed[]): number => all.filter((run) => run.alone).length;
    const runs = KILLED_AT.length;
    return [
      figure({
        name: 'release-killed-resumed',
        unit: `of ${runs} runs`,
        ours: alone(ours),
        theirs: alone(theirs),
        aim: { of: 'ours', at: 'least', bound: runs },
        note: 'went on by themselves once the processes were there again. A flow stays Running at its server for ever; run again by hand, it takes the results of its finished tasks from disk',
      }),
      figure({
        name: 'release-killed-acts-twice',
        unit: 'acts',
        ours: sum(ours, 'twice'),
        theirs: sum(theirs, 'twice'),
        aim: most('ours', 0),
        note: 'ours: changes of traffic beyond the four of a release, and events recorded under a second id; theirs: calls that the service did a second time. Each is killed when an act has been done and nobody knows it yet',
      }),
      figure({
        name: 'release-killed-begun-again',
        unit: 'activities',
        ours: sum(ours, 'again'),
        theirs: sum(theirs, 'again'),
        note: 'activities, or tasks, that were begun a second time; ours find what their first try has done',
      }),
    ];
  },
};

export const benches: readonly Bench[] = [one, many, killed];
