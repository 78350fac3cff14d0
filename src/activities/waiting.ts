import { Context, heartbeat, log, sleep } from '@temporalio/activity';
import type { Db } from 'mongodb';
import type { LookRequest, LookTaken, WaitingActivities } from '../contracts/activities.js';
import { FailureType } from '../contracts/failures.js';
import { releaseWorkflowId } from '../contracts/ids.js';
import type { RoutingStore } from '../platform/serving/store.js';
import { refusal } from './failures.js';
import { openReleaseReader } from '../platform/windows/sums.js';

export interface WaitingDeps {
  readonly db: Db;
  readonly routes: Pick<RoutingStore, 'gateways' | 'read'>;
  /** Between two readings; default 1 s. */
  readonly pollMs?: number;
}

const unkept = (error: unknown): void => log.warn('The sums of a release could not be kept', { error });

const LONGEST_MS = 600_000;

/** For the waiting task queue: these take minutes and do nothing but read. */
export const createWaitingActivities = ({ db, routes, pollMs = 1_000 }: WaitingDeps): WaitingActivities => ({
  awaitLook: async (input) => {
    const query = {
      model: input.model,
      release: input.release,
      candidate: input.candidate.digest,
      champion: input.champion?.digest ?? null,
      guardrails: input.guardrails,
    };
    const scheduled = Context.current().info.currentAttemptScheduledTimestampMs;
    const began = performance.now();
    const reader = await openReleaseReader(db, query, { beat: heartbeat, unkept });
    for (;;) {
      heartbeat();
      await refuseStrange(routes, input);
      const { trips, storeTime } = await readGateways(routes, input);
      await reader.advance(db);
      const { counts, shadow, keysSeen } = reader.result;
      const waited = performance.now() - began;
      const now = middle(scheduled + waited, Date.now(), storeTime);
      noteClock(Date.now() - now);
      const until = Math.min(input.untilTime, now - waited + LONGEST_MS);
      const due = now >= until || isNew(input, counts, now);
      const why = trips.length > 0 ? 'trip' : keysSeen >= input.untilKeys ? 'keys' : due ? 'time' : null;
      if (why !== null) return { why, counts, shadow, trips, takenAt: now };
      const next = [until, input.whenNew?.from ?? until].filter((time) => time > now);
      await sleep(Math.max(1, Math.min(pollMs, ...next.map((time) => time - now))));
    }
  },
});

/**
 * What is counted under a table that somebody else has made is no canary of this release. Its own next act may be in the table
 * already, while the release waits for the gateways and looks on.
 * @throws ApplicationFailure `StaleGeneration`
 */
async function refuseStrange(
  routes: WaitingDeps['routes'],
  { model, release, generation }: LookRequest,
): Promise<void> {
  const table = await routes.read(model);
  const isOwn = table?.changeId.startsWith(`${releaseWorkflowId(model, release)}/`) === true;
  if (table?.generation === generation || isOwn) return;
  const seen =
    table === null ? 'is gone' : `was changed to generation ${table.generation} by ${table.changeId}`;
  throw refusal(
    FailureType.StaleGeneration,
    `The routing table of ${model} ${seen} while release ${release} had it at ${generation}`,
  );
}

/**
 * What the time is, when one of three clocks has jumped: the one of the Temporal server, late by as long as the task waited for a
 * worker; this machine's; and the store's. A minimum time of a step, or the end of a canary, must not come by a clock that was set.
 */
const middle = (...clocks: [number, number, number]): number => clocks.sort((a, b) => a - b)[1];

const WRONG_SECONDS = 60;
let told = 0;

/** Told each time that it has changed by more than a minute. @param off milliseconds that this machine's clock is ahead */
function noteClock(off: number): void {
  if (Math.abs(off - told) < WRONG_SECONDS * 1_000) return;
  told = off;
  log.warn('The clock of this worker is wrong: times are taken from Temporal and MongoDB', {
    seconds: Math.round(off / 1_000),
  });
}

/** Due by the clock, and the candidate has had requests since the last look. */
function isNew({ whenNew }: LookRequest, { generations }: LookTaken['counts'], now: number): boolean {
  if (!whenNew || now < whenNew.from) return false;
  return generations.reduce((sum, { candidate }) => sum + candidate.requests, 0) > whenNew.requests;
}

/** Local trips of the generation in force, by every gateway that has reported one, and the store's time. */
async function readGateways(
  routes: WaitingDeps['routes'],
  { model, generation }: LookRequest,
): Promise<{ readonly trips: LookTaken['trips']; readonly storeTime: number }> {
  const { now, gateways } = await routes.gateways();
  const trips = gateways.flatMap(({ gateway, observed }) => {
    const seen = observed[model];
    if (seen?.generation !== generation) return [];
    return seen.trips.map(({ guardrail, bad, requests }) => ({ gateway, guardrail, bad, requests }));
  });
  return { trips, storeTime: now };
}
