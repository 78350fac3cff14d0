import type { ShadowPlan } from '../../contracts/manifest.js';
import type { ReleaseState } from '../../lifecycle/release-state.js';
import { shadowRoute } from '../../lifecycle/routing.js';
import { initialBound, judgeBound } from '../../statistics/canary/index.js';
import type { ReleaseContext } from './context.js';
import { Ending } from './ending.js';
import { takeLook } from './looking.js';

const FIRST_PAUSE_MS = 5_000;
const LONGEST_PAUSE_MS = 10 * 60_000;

/** The plan, while copies are still to be compared: only beside a champion, and where the manifest asks for it. */
export const openShadowPlan = ({ input, shadowed }: ReleaseState): ShadowPlan | null =>
  input.champion === null || shadowed ? null : input.manifest.shadow;

/**
 * One look at the copies of requests, whose answers nobody gets, until agreement with the champion is shown to be above the
 * floor. Copies that failed do not count as agreement.
 * @throws Ending `rolled-back` when agreement is shown to be below the floor, or undecided at the end of the time
 */
export async function shadow(context: ReleaseContext, plan: ShadowPlan): Promise<void> {
  const { state } = context;
  const { canary } = state.input.manifest;
  const progress = state.shadow ?? (await begin(context));
  const end = progress.startedAt + plan.maxSeconds * 1000;
  const pauseEnd = Date.now() + progress.pauseMs;
  const taken = await takeLook(
    context,
    { keys: Number.MAX_SAFE_INTEGER, times: [end, pauseEnd] },
    () => false,
  );
  if (taken === null) return;

  const { agreed, compared, failed } = taken.shadow;
  const total = compared + failed;
  const bound = { bound: 1 - plan.agreementFloor, alpha: canary.alpha, beta: canary.beta };
  const { state: known, look } = judgeBound(progress.known, bound, { bad: total - agreed, total });
  state.shadow = { ...progress, known, pauseMs: Math.min(2 * progress.pauseMs, LONGEST_PAUSE_MS) };
  context.waitFor(`shadow agreement: ${agreed} of ${total} copies agree, ${plan.minRequests} are needed`);

  const evidence = { shadow: taken.shadow, agreementFloor: plan.agreementFloor, look };
  if (look.breached)
    throw new Ending('rolled-back', `shadow agreement is below ${plan.agreementFloor}`, evidence);
  if (total >= plan.minRequests && look.proven) {
    context.recorder.add(context.entry(context.id('shadow/judged'), 'release.shadow-agreed', evidence));
    state.shadowed = true;
  } else if (taken.takenAt >= end)
    throw new Ending(
      'rolled-back',
      `shadow agreement undecided after ${total} copies: it needs more requests or time`,
      evidence,
    );
}

async function begin(context: ReleaseContext): Promise<NonNullable<typeof context.state.shadow>> {
  const { state } = context;
  const { version } = state.input.version;
  await context.changeTraffic({
    step: 'shadow',
    summary: `copies of requests to ${version}`,
    desired: shadowRoute(context.basis, state.input.version),
    action: 'release.shadowing',
  });
  state.shadow = { startedAt: Date.now(), pauseMs: FIRST_PAUSE_MS, known: initialBound() };
  return state.shadow;
}
