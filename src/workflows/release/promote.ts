import { promotedRoute } from '../../lifecycle/routing.js';
import type { ReleaseContext } from './context.js';
import { isHeldBack, THAW } from './freezing.js';

/** Makes the candidate champion, read back from every live gateway; the former champion stays loaded. */
export async function promote(context: ReleaseContext): Promise<void> {
  const { state } = context;
  const { input, canary } = state;
  const { version } = input.version;
  await context.recorder.flush();
  // Frozen while the record was waited for.
  if (await isHeldBack(context))
    return context.moveTo(canary === null ? 'awaiting-approval' : 'canary', THAW);
  const changed = await context.changeTraffic({
    step: 'promote',
    summary: `promote ${version}`,
    desired: promotedRoute(context.basis, input.version),
    action: 'release.promoted',
    evidence: {
      former: input.champion,
      judgement: input.manifest.canary.judgement,
      proven: canary?.look?.proven ?? null,
      held: canary?.held ?? canary?.promotedAs ?? null,
      probationary: input.champion === null,
      look: canary?.look ?? null,
    },
  });
  state.promoted = true;
  const { length } = changed.unreachable;
  const unreachable = length === 0 ? '' : ` (promoted, ${length} gateway(s) unreachable)`;
  await context.moveTo('soaking', `the end of the soak${unreachable}`);
}
