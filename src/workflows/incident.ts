import {
  ApplicationFailure,
  CancellationScope,
  condition,
  continueAsNew,
  setHandler,
} from '@temporalio/workflow';
import type { IncidentInput, IncidentView } from '../contracts/incidents.js';
import {
  acknowledgeIncident,
  actOnIncident,
  incidentCleared,
  incidentMitigated,
  incidentRepeated,
  incidentState,
  reportIncident,
  resolveIncident,
  retryParked,
} from '../contracts/messages.js';
import { nextDue, owesReport } from '../lifecycle/incident/clock.js';
import { isClearance, isMitigation, isRepeat, requestProblem } from '../lifecycle/incident/shapes.js';
import { initialIncidentState, phaseOf, type IncidentState } from '../lifecycle/incident/state.js';
import { act, byTheClock, clear, mitigate, open, refusalOf, repeat } from '../lifecycle/incident/steps.js';
import { IncidentContext } from './incident/context.js';
import { beside } from './support/beside.js';
import { isHistoryLong, isSettled } from './support/continuing.js';

/**
 * One cause that people are told of until it is over: alerts, escalates while nobody acknowledges it, takes repeats in, is resolved
 * when its cause is gone, and stays for a while, so that it is reopened if the cause returns. A receiver of alerts that is out of
 * order holds nothing up.
 * @param carried the state of the run before, after continue-as-new
 * @returns what became of it
 */
export async function incident(input: IncidentInput, carried?: IncidentState): Promise<IncidentView> {
  const context = new IncidentContext(carried ?? initialIncidentState(input, Date.now()));

  setHandler(incidentState, () => context.view(), { description: 'Where the incident stands' });
  setHandler(acknowledgeIncident, (message) => context.receive('acknowledge', message), {
    description: 'Somebody sees to it',
  });
  setHandler(resolveIncident, (message) => context.receive('resolve', message), {
    description: 'Its cause is gone',
  });
  setHandler(reportIncident, (message) => context.receive('report', message), {
    description: 'It was reported to whom it must be',
  });
  setHandler(actOnIncident, (request) => CancellationScope.nonCancellable(() => context.answer(request)), {
    description: "A person's act, answered",
    validator: (request) => {
      const problem = requestProblem(request);
      if (problem !== null) throw ApplicationFailure.nonRetryable(problem, 'InvalidRequest');
    },
  });
  setHandler(
    incidentRepeated,
    (again) => (isRepeat(again) ? context.take(repeat(context.state, again, Date.now())) : context.junk()),
    { description: 'From the model, or a monitor: the same cause again' },
  );
  setHandler(
    incidentMitigated,
    (done) => (isMitigation(done) ? context.take(mitigate(context.state, done)) : context.junk()),
    { description: 'From the model: users are protected' },
  );
  setHandler(
    incidentCleared,
    (gone) =>
      isClearance(gone) ? context.take(clear(context.state, gone, context.id, Date.now())) : context.junk(),
    { description: 'From the model, or a monitor: the cause is gone' },
  );
  setHandler(retryParked, () => context.parking.retry(), { description: 'Try again what is parked' });
  // Whoever ends it in the Temporal UI has decided that it is over.
  CancellationScope.current().cancelRequested.catch(() => {
    if (refusalOf(context.state, 'resolve') !== null) return;
    const why = { by: 'unknown', reason: 'the workflow was cancelled in Temporal', step: 'cancelled' };
    context.take(act(context.state, 'resolve', why, Date.now()));
  });
  return CancellationScope.nonCancellable(() => live(context, carried === undefined));
}

async function live(context: IncidentContext, isFirstRun: boolean): Promise<IncidentView> {
  const { historyLimit } = context.state.input;
  beside(context.recorder.work());
  if (isFirstRun) context.take(open(context.state, Date.now()));
  else context.show();
  let reported = phaseOf(context.state);
  for (;;) {
    context.retryUntold();
    for (
      let due = byTheClock(context.state, Date.now());
      due !== null;
      due = byTheClock(context.state, Date.now())
    )
      context.take(due);
    // The model knows of it by itself until it is resolved; of a run before, it has heard.
    const now = standing(context.phase);
    if (now !== standing(reported)) {
      reported = context.phase;
      await context.report(now);
      continue;
    }
    if (context.phase === 'over' && !owesReport(context.state) && (await isAtRest(context)))
      return context.view();
    if (isHistoryLong(historyLimit) && isFinished(context))
      await continueAsNew<typeof incident>(context.state.input, context.snapshot());
    await waitForChange(context);
  }
}

const standing = (phase: IncidentView['phase']): 'open' | 'resolved' | 'over' =>
  phase === 'resolved' || phase === 'over' ? phase : 'open';

/** Nothing is under way that a new run would not take up. */
const isFinished = (context: IncidentContext): boolean => isSettled(context) && context.quiet;

/** Everything is recorded, and everybody told who can be. */
async function isAtRest(context: IncidentContext): Promise<boolean> {
  await context.recorder.flush();
  await condition(() => isFinished(context));
  return context.state.untold.length === 0 && context.recorder.unrecorded.length === 0;
}

/** Longer timers are set again: no server's timer is sure to hold a time of years. */
const LONGEST_TIMER_MS = 30 * 24 * 3600_000;

async function waitForChange(context: IncidentContext): Promise<void> {
  const { historyLimit } = context.state.input;
  const known = context.state;
  const changed = (): boolean =>
    context.state !== known || (isHistoryLong(historyLimit) && isFinished(context));
  const due = nextDue(known);
  const retries = known.untold.map(({ retryAt, key }) => ({
    what: `tell again: ${key}`,
    at: Date.parse(retryAt),
  }));
  const [next] = [...retries, ...(due === null ? [] : [due])].sort((a, b) => a.at - b.at);
  if (next === undefined) return condition(changed);
  const left = Math.min(next.at - Date.now(), LONGEST_TIMER_MS);
  if (left > 0) await condition(changed, left, { summary: next.what });
}
