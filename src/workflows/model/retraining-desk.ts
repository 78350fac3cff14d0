/** What a model's lifecycle does about retraining, beside its main loop: an act on the traffic never waits for it. */
import { condition, patched } from '@temporalio/workflow';
import { type ClockTrigger, nextClockTrigger } from '../../lifecycle/retraining-clock.js';
import { retrainingOf } from '../../lifecycle/retraining.js';
import type { ModelContext } from './context.js';
import { askByClock } from './retraining-requests.js';
import { findOut, startRetraining, takeReport } from './retraining-run.js';

/** Longer timers are set again. */
const LONGEST_TIMER_MS = 30 * 24 * 3600_000;

/** So often is one that runs looked for. The run that started it sees its end; another one does not. */
const LOOK_FOR_MS = 6 * 3600_000;

/** Ends with its run of the workflow. */
export async function retrainingDesk(context: ModelContext): Promise<never> {
  const { running } = retrainingOf(context.state);
  // Only the run that started a retraining sees it end; another finds out by talking to it.
  if (running?.isStarted === true) void findOut(context, running.retraining);
  for (;;) {
    const due = await nextWork(context);
    const { retrained } = context.state;
    const { running: current } = retrainingOf(context.state);
    if (retrained !== undefined) await takeReport(context, retrained);
    else if (current?.isStarted === false) await context.busy(() => startRetraining(context));
    else if (due !== null) await askByClock(context, due);
  }
}

/** Waits until there is something to do. @returns what the clock asks for, if it is that */
async function nextWork(context: ModelContext): Promise<ClockTrigger | null> {
  const isUrgent = (): boolean =>
    context.state.retrained !== undefined || retrainingOf(context.state).running?.isStarted === false;
  for (;;) {
    if (isUrgent()) return null;
    const { running } = retrainingOf(context.state);
    if (running !== null && patched('running-retrainings-are-looked-for')) {
      const isOver = (): boolean => isUrgent() || retrainingOf(context.state).running !== running;
      const summary = `look for retraining ${running.retraining}`;
      if (!(await condition(isOver, LOOK_FOR_MS, { summary }))) await findOut(context, running.retraining);
      continue;
    }
    const next = nextClockTrigger(context.state, Date.now());
    const at = next?.at ?? null;
    if (at !== null && at <= Date.now()) return next;
    // Any change of the state may bring it forward.
    const changed = (): boolean =>
      isUrgent() || (nextClockTrigger(context.state, Date.now())?.at ?? null) !== at;
    if (at === null) await condition(changed);
    else
      await condition(changed, Math.min(at - Date.now(), LONGEST_TIMER_MS), {
        summary: `retraining: ${next?.kind}`,
      });
  }
}
