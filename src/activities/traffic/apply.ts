import { Context, heartbeat } from '@temporalio/activity';
import { FailureType } from '../../contracts/failures.js';
import type { DesiredRoute, RoutingTable } from '../../contracts/routes.js';
import type { RouteChange } from '../../platform/serving/index.js';
import { notConfirmed, refusal } from '../failures.js';
import {
  allDigests,
  type Confirmation,
  judgeConfirmation,
  sendsNothing,
  servingDigests,
  Watch,
} from './confirmation.js';
import type { TrafficDeps } from './settings.js';

export interface Applied {
  readonly generation: number;
  /** The table was there already: an earlier attempt had made it. */
  readonly repeated: boolean;
  /** Of the table before, where it is known, and of this one: what a silent gateway may still be on. */
  readonly leaseSeconds: number;
}

/** Compare-and-set; a repeat finds its own work done. @throws StaleGenerationError */
export async function apply({ routes }: TrafficDeps, change: RouteChange): Promise<Applied> {
  const before = await routes.read(change.model);
  const { outcome, generation } = await routes.compareAndSet(change);
  const leaseSeconds = Math.max(before?.leaseSeconds ?? 0, change.desired.leaseSeconds);
  return { generation, repeated: outcome === 'already', leaseSeconds };
}

/** After a silent gateway can be counted out, an act towards safety waits so much longer before it says that it is not confirmed. */
const SAFETY_SPARE_SECONDS = 10;

export interface Confirmed {
  readonly confirmed: readonly string[];
  readonly unreachable: readonly string[];
  /** From the change to now, by the clock of the store. */
  readonly seconds: number;
}

/**
 * Waits, heartbeating, until every live gateway reports the generation with all it needs loaded, and the table is read back as it
 * was written.
 * @param safety overtaken acts are tried again instead of given up, and versions that only are kept warm need not be ready
 * @throws ApplicationFailure `StaleGeneration`, `ArtifactInvalid` or, to be retried, `NotConfirmed`; CancelledFailure
 */
export async function confirm(
  deps: TrafficDeps,
  change: { readonly model: string; readonly desired: DesiredRoute; readonly safety: boolean },
  { generation, leaseSeconds }: Applied,
): Promise<Confirmed> {
  const { routes, settings } = deps;
  const { model, desired, safety } = change;
  const digests = safety ? servingDigests(desired) : allDigests(desired);
  const silentSeconds = leaseSeconds + settings.clockMarginSeconds;
  // People are to hear soon that an act towards safety is not seen done; it is tried again without end.
  const patience = safety
    ? Math.min(silentSeconds + SAFETY_SPARE_SECONDS, settings.confirmSeconds)
    : settings.confirmSeconds;
  const deadline = performance.now() + patience * 1_000;
  const watch = new Watch();
  const watchedSeconds = (gateway: string): number => watch.seconds(gateway);
  for (;;) {
    heartbeat();
    const asked = performance.now();
    const { now, gateways } = await routes.gateways();
    watch.see(gateways, asked, performance.now());
    const table = await routes.read(model);
    if (table?.generation !== generation) throw overtaken(model, generation, table, safety);
    const judged = judgeConfirmation({
      model,
      generation,
      digests,
      gateways,
      now,
      silentSeconds,
      watchedSeconds,
    });
    refuseFailed(model, judged);
    const { confirmed, waiting, unreachable } = judged;
    if (waiting.length === 0 && (confirmed.length > 0 || sendsNothing(desired))) {
      const seconds = Math.max(0, now - Date.parse(table.changedAt)) / 1_000;
      return { confirmed, unreachable, seconds };
    }
    if (performance.now() >= deadline) throw unconfirmed(model, generation, judged);
    await Context.current().sleep(settings.pollMs);
  }
}

function overtaken(model: string, generation: number, table: RoutingTable | null, safety: boolean): Error {
  const words =
    `Generation ${generation} of ${model} was overtaken by generation ${table?.generation ?? 0} ` +
    'before it was seen on every gateway';
  return safety ? notConfirmed(words) : refusal(FailureType.StaleGeneration, words);
}

function refuseFailed(model: string, { failed }: Confirmation): void {
  const [first] = failed;
  if (first === undefined) return;
  const more = failed.length === 1 ? '' : `, and ${failed.length - 1} more of the kind`;
  throw refusal(
    FailureType.ArtifactInvalid,
    `Gateway ${first.gateway} cannot load artifact ${first.digest} of ${model}: ${first.reason}${more}`,
  );
}

function unconfirmed(model: string, generation: number, { waiting, unreachable }: Confirmation): Error {
  const whom =
    waiting.length > 0
      ? `waiting for gateway(s) ${waiting.join(', ')}`
      : `no gateway is live${unreachable.length > 0 ? ` (silent: ${unreachable.join(', ')})` : ': start one'}`;
  return notConfirmed(`Generation ${generation} of ${model} is written, but not seen everywhere: ${whom}`);
}
