import { heartbeat, log, sleep } from '@temporalio/activity';
import type { Db } from 'mongodb';
import type { LookRequest, LookTaken, WaitingActivities } from '../contracts/activities.js';
import type { RoutingStore } from '../platform/serving/store.js';
import { openReleaseReader } from '../platform/windows/sums.js';

export interface WaitingDeps {
  readonly db: Db;
  readonly routes: Pick<RoutingStore, 'gateways'>;
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
    const reader = await openReleaseReader(db, query, { beat: heartbeat, unkept });
    const until = Math.min(input.untilTime, Date.now() + LONGEST_MS);
    for (;;) {
      heartbeat();
      const trips = await readTrips(routes, input);
      await reader.advance(db);
      const { counts, shadow, keysSeen } = reader.result;
      const now = Date.now();
      const due = now >= until || isNew(input, counts, now);
      const why = trips.length > 0 ? 'trip' : keysSeen >= input.untilKeys ? 'keys' : due ? 'time' : null;
      if (why !== null) return { why, counts, shadow, trips, takenAt: now };
      const next = [until, input.whenNew?.from ?? until].filter((time) => time > now);
      await sleep(Math.max(1, Math.min(pollMs, ...next.map((time) => time - now))));
    }
  },
});

/** Due by the clock, and the candidate has had requests since the last look. */
function isNew({ whenNew }: LookRequest, { generations }: LookTaken['counts'], now: number): boolean {
  if (!whenNew || now < whenNew.from) return false;
  return generations.reduce((sum, { candidate }) => sum + candidate.requests, 0) > whenNew.requests;
}

/** Local trips of the generation in force, by every gateway that has reported one. */
async function readTrips(
  routes: WaitingDeps['routes'],
  { model, generation }: LookRequest,
): Promise<LookTaken['trips']> {
  const { gateways } = await routes.gateways();
  return gateways.flatMap(({ gateway, observed }) => {
    const seen = observed[model];
    if (seen?.generation !== generation) return [];
    return seen.trips.map(({ guardrail, bad, requests }) => ({ gateway, guardrail, bad, requests }));
  });
}
