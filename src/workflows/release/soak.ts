import type { LookTaken } from '../../contracts/activities.js';
import type { FixedBound } from '../../contracts/canary.js';
import { canaryPlan, rollBackReason, soakBounds } from '../../lifecycle/canary-plan.js';
import type { SoakProgress } from '../../lifecycle/release-state.js';
import { steadyRoute } from '../../lifecycle/routing.js';
import { judge, judgeBound, nextLookAt } from '../../statistics/canary/index.js';
import { nextLookId } from './canary.js';
import type { ReleaseContext } from './context.js';
import { Ending } from './ending.js';
import { takeLook } from './looking.js';

/**
 * One look of the soak. With a hold-back the canary's test goes on with its evidence; without one the new champion is held
 * against fixed bounds, which cannot exclude causes that would have hit any version.
 * @throws Ending `rolled-back`
 */
export async function soak(context: ReleaseContext): Promise<void> {
  const { state } = context;
  const { manifest } = state.input;
  const progress = state.soak ?? begin(context);
  const end = progress.startedAt + manifest.soak.seconds * 1000;
  const compared = hasHoldback(context);
  const recordedAs = compared ? nextLookId(context) : context.id('soak-look', context.count('soak-look') + 1);
  const until = { keys: progress.nextLookAt, times: [end], recordedAs };
  const taken = await takeLook(context, until, () => false);
  if (taken === null) return;
  const keys = compared ? compare(context, progress, taken) : bound(context, progress, taken);
  if (taken.takenAt < end) return;
  const needed = compared ? 0 : keysNeeded(context);
  if (keys < needed)
    return context.waitFor(`${needed - keys} more routing keys: too little data never ends a probation`);
  await settle(context, compared);
}

/** What a release in its soak waits for. */
const endOfSoak = ({ soak, input }: ReleaseContext['state']): string =>
  soak === null
    ? 'the end of the soak'
    : `the end of the soak at ${new Date(soak.startedAt + input.manifest.soak.seconds * 1000).toISOString()}`;

/** A soak without a comparison does not end with fewer. */
const keysNeeded = ({ state }: ReleaseContext): number => state.input.manifest.canary.steps[0]?.minKeys ?? 0;

/** The canary's test can go on: somebody to compare with, and a test. */
const hasHoldback = ({ state: { input, canary } }: ReleaseContext): boolean =>
  canary !== null && input.champion !== null && input.manifest.soak.holdback > 0;

function begin(context: ReleaseContext): SoakProgress {
  const progress: SoakProgress = {
    startedAt: Date.now(),
    sinceGeneration: context.state.generation ?? 0,
    nextLookAt: nextLookAt(context.state.canary?.look?.keys ?? 0, 0.5),
    bounds: {},
  };
  context.state.soak = progress;
  context.waitFor(context.state.waitingFor.replace('the end of the soak', endOfSoak(context.state)));
  return progress;
}

function compare(context: ReleaseContext, progress: SoakProgress, taken: LookTaken): number {
  const { state } = context;
  if (state.canary === null) return 0;
  const moment = taken.moment ?? {
    step: state.canary.step,
    sinceGeneration: progress.sinceGeneration,
    seconds: Math.max(0, (taken.takenAt - progress.startedAt) / 1000),
    atHorizon: false,
    soaking: true,
  };
  const judged = judge(state.canary.judge, canaryPlan(state.input.manifest), taken.counts, moment);
  const recorded = { counts: taken.counts, moment, look: judged.look };
  context.recorder.addLazily(
    context.entry(context.id('look', judged.look.look), 'release.soak-look', recorded),
  );
  state.canary = { ...state.canary, judge: judged.state, look: judged.look };
  state.soak = { ...progress, nextLookAt: judged.look.nextLookAt };
  context.waitFor(`${endOfSoak(state)}: ${judged.look.sentence}`);
  if (judged.look.verdict === 'roll-back')
    throw new Ending('rolled-back', rollBackReason(judged.look), recorded);
  return judged.look.keys;
}

function bound(context: ReleaseContext, progress: SoakProgress, taken: LookTaken): number {
  const { state } = context;
  const arms = taken.counts.generations
    .filter((generation) => generation.generation >= progress.sinceGeneration)
    .map((generation) => generation.candidate);
  const total = sum(arms.map((arm) => arm.keys));
  const looks = soakBounds(state.input.manifest).map(({ guardrail, bound: fixed }) => {
    const bad = sum(arms.map((arm) => arm.firstBad[guardrail] ?? Number.NaN));
    return { guardrail, ...judgeOne(progress, guardrail, fixed, bad, total) };
  });
  state.soak = {
    ...progress,
    bounds: Object.fromEntries(looks.map(({ guardrail, state: known }) => [guardrail, known])),
    nextLookAt: nextLookAt(keysSeen(taken), 0.5),
  };
  const recorded = {
    counts: taken.counts,
    bounds: looks.map(({ guardrail, look }) => ({ guardrail, look })),
  };
  const count = context.next('soak-look');
  context.recorder.addLazily(context.entry(context.id('soak-look', count), 'release.soak-look', recorded));
  context.waitFor(
    `${endOfSoak(state)}: ${total} routing keys so far, at least ${keysNeeded(context)} are needed`,
  );
  const broken = looks.find(({ look }) => look.breached);
  if (broken !== undefined) {
    const { guardrail, look } = broken;
    throw new Ending(
      'rolled-back',
      `service objective missed: ${guardrail} was bad for ${look.bad} of ${look.total} keys`,
      recorded,
    );
  }
  return total;
}

const judgeOne = (progress: SoakProgress, guardrail: string, fixed: FixedBound, bad: number, total: number) =>
  judgeBound(progress.bounds[guardrail] ?? { breached: false, proven: false }, fixed, { bad, total });

/** Over the whole release and both arms, as looks are spaced: by fewer, the next look would be due at once. */
const keysSeen = ({ counts }: LookTaken): number =>
  sum(counts.generations.map(({ candidate, champion }) => candidate.keys + champion.keys)) /
  counts.sampleRate;

const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);

/** Ends the release: no hold-back any more, read back. */
async function settle(context: ReleaseContext, compared: boolean): Promise<void> {
  const { state } = context;
  const { input } = state;
  const former = input.champion === null ? [] : [input.champion];
  await context.changeTraffic({
    step: 'settle',
    summary: `all traffic to ${input.version.version}`,
    desired: steadyRoute({
      ...context.basis,
      champion: input.version,
      warm: [...former, ...input.warm],
      release: null,
    }),
    action: 'release.succeeded',
    evidence: {
      comparedWithHoldback: compared,
      commonCausesExcluded: compared,
      look: state.canary?.look ?? null,
    },
  });
  await context.moveTo('succeeded', 'nothing', `${input.version.version} serves`);
}
