import { CancellationScope, condition, patched } from '@temporalio/workflow';
import type { LookRequest, LookTaken } from '../../contracts/activities.js';
import { guardrailNames } from '../../lifecycle/canary-plan.js';
import { isFlooded, isHistoryLong } from '../support/continuing.js';
import { wait } from '../support/run.js';
import type { ReleaseContext } from './context.js';

/** What a look is called when it is parked. */
export const LOOK = 'look at the canary';

/** The waiting activity never waits longer; a look without new data is cheap. */
const LONGEST_LOOK_MS = 10 * 60_000;

/**
 * Waits for the next look at the counts, unless something else asks for the release's attention first.
 * @param until keys at which the look is due; times (epoch milliseconds; past ones do not count) at the latest; and a time from
 * which on it is due as soon as the candidate has had more requests
 * @param interrupted a condition on the workflow's state; then the look is given up and null returned
 */
export async function takeLook(
  context: ReleaseContext,
  until: {
    readonly keys: number;
    readonly times: readonly number[];
    readonly whenNew?: NonNullable<LookRequest['whenNew']>;
    /** Id of the event that the look will be. */
    readonly recordedAs?: string;
  },
  interrupted: () => boolean,
): Promise<LookTaken | null> {
  const { input, generation } = context.state;
  const now = Date.now();
  const untilTime = Math.min(now + LONGEST_LOOK_MS, ...until.times.filter((time) => time > now));
  const whenNew = until.whenNew !== undefined && until.whenNew.from > now ? until.whenNew : null;
  const at = new Date(whenNew?.from ?? untilTime).toISOString();
  const summary = `next look at ${until.keys} keys, or at ${at}`;
  const request = {
    model: input.model,
    release: input.release,
    candidate: input.version,
    champion: input.champion,
    guardrails: guardrailNames(input.manifest),
    generation: generation ?? 0,
    untilKeys: until.keys,
    untilTime,
    whenNew,
    ...(until.recordedAs === undefined ? {} : { recordedAs: until.recordedAs }),
  };
  // A look under way ends soon enough for a new run; one that is parked may stay so for days.
  const isStuck = (): boolean => context.parking.parked !== null && isHistoryLong(input.historyLimit);
  const scope = new CancellationScope();
  const looking = scope.run(() =>
    context.parking.untilDone(LOOK, () => wait(context.taskQueue, summary, request)),
  );
  const attention = scope.run(async () => {
    await condition(() => interrupted() || isStuck() || isFlooded(input.historyLimit));
    // Runs from before floods were looked for go on as they began.
    if (!interrupted() && !isStuck() && !patched('looks-give-way-to-floods'))
      await condition(() => interrupted() || isStuck());
    return null;
  });
  try {
    return await Promise.race([looking, attention]);
  } finally {
    scope.cancel();
    // Both are over or given up; what they still say is of no interest.
    looking.catch(() => undefined);
    attention.catch(() => undefined);
  }
}

/** A gateway's own trip, in words. */
export const describeTrip = (trip: LookTaken['trips'][number]): string =>
  `gateway ${trip.gateway} tripped: ${trip.bad} of ${trip.requests} candidate requests were bad on ${trip.guardrail}`;
