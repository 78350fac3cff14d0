import { heartbeat, log, sleep } from '@temporalio/activity';
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
    const reader = await openReleaseReader(db, query, { beat: heartbeat, unkept });
    const until = Math.min(input.untilTime, Date.now() + LONGEST_MS);
    for (;;) {
      heartbeat();
      await refuseStrange(routes, input);
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
