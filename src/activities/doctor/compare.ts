import { Context, heartbeat } from '@temporalio/activity';
import type { ComparePartsInput, Difference, DifferenceCode, DoctorReport } from '../../contracts/doctor.js';
import { differences, lasting } from '../../lifecycle/doctor/differences.js';
import { viewOf } from '../../lifecycle/doctor/work.js';
import type { Collections } from '../../platform/mongo/connect.js';
import type { GatewaysSeen } from '../../platform/serving/store.js';
import { type Facts, gather, isHeard, type Sources } from './gather.js';

/** What a workflow's result can hold without being a burden. */
const MOST_LISTED = 200;
const AT_ONCE = 4;
const LEASE_MS = 17_000;

export interface Comparing extends Sources {
  readonly collections: Collections;
  readonly settleMs: number;
}

/** One round: all models once, and those that differ a second time after a pause. */
export async function compare(deps: Comparing, input: ComparePartsInput): Promise<DoctorReport> {
  const { whole } = input;
  const hints = await deps.executions.hints();
  const models = input.model === undefined ? await modelsOf(deps, hints.models) : [input.model];
  const { gateways, found } = await pass(deps, models, hints.releases, whole);
  const suspects = found.filter((one) => one.differences.length > 0);
  let counted: readonly Difference[] = [];
  if (suspects.length > 0) {
    await Context.current().sleep(deps.settleMs);
    const again = await deps.executions.hints();
    const names = suspects.map(({ model }) => model);
    const second = await pass(deps, names, again.releases, false);
    counted = lasting(
      suspects.flatMap((one) => one.differences),
      second.found.flatMap((one) => one.differences),
    );
  }
  const sorted = [...counted].sort(
    (a, b) => a.severity.localeCompare(b.severity) || a.model.localeCompare(b.model),
  );
  const byCode: Partial<Record<DifferenceCode, number>> = {};
  for (const { code } of counted) byCode[code] = (byCode[code] ?? 0) + 1;
  return {
    at: new Date().toISOString(),
    models: models.length,
    differences: sorted.slice(0, MOST_LISTED),
    more: Math.max(0, sorted.length - MOST_LISTED),
    byCode,
    ledgerLagSeconds: Math.max(0, ...found.map(({ lagSeconds }) => lagSeconds)),
    parked: found.reduce((sum, { parked }) => sum + parked, 0),
    gateways: seen(gateways),
  };
}

interface Looked {
  readonly model: string;
  readonly differences: readonly Difference[];
  readonly lagSeconds: number;
  readonly parked: number;
}

async function pass(
  deps: Comparing,
  models: readonly string[],
  hints: ReadonlyMap<string, readonly number[]>,
  whole: boolean,
): Promise<{ readonly gateways: GatewaysSeen; readonly found: readonly Looked[] }> {
  const gateways = await deps.routes.gateways();
  const left = [...models];
  const found: Looked[] = [];
  const one = async (): Promise<void> => {
    for (let model = left.shift(); model !== undefined; model = left.shift()) {
      heartbeat(`${models.length - left.length} of ${models.length}`);
      found.push(looked(await gather(deps, model, { gateways, hints: hints.get(model) ?? [], whole })));
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, one));
  return { gateways, found };
}

function looked(facts: Facts): Looked {
  const { parts } = facts;
  const view = viewOf(parts);
  const views = [view, ...parts.releases.map((release) => (release.state === 'open' ? release.view : null))];
  const oldest = views
    .map((one) => one?.unrecorded?.oldest)
    .flatMap((at) => (at === undefined ? [] : [Date.parse(at)]));
  return {
    model: parts.model,
    differences: differences(facts),
    lagSeconds: oldest.length === 0 ? 0 : Math.max(0, (Date.now() - Math.min(...oldest)) / 1_000),
    parked: views.filter((one) => one !== null && one.parked !== null).length,
  };
}

/** Every model that any part knows of. */
async function modelsOf({ collections }: Comparing, running: readonly string[]): Promise<readonly string[]> {
  const names = await Promise.all([
    collections.ledger.distinct('stream'),
    collections.routes.distinct('_id'),
    collections.versions.distinct('model'),
  ]);
  return [...new Set([...running, ...names.flat()])].sort();
}

function seen({ now, gateways }: GatewaysSeen): DoctorReport['gateways'] {
  const serving = gateways.filter(({ status }) => status === 'serving');
  const silent = serving.filter((gateway) => !isHeard(gateway, now, LEASE_MS));
  return {
    serving: serving.length - silent.length,
    silent: silent.map(({ gateway }) => gateway).slice(0, 100),
  };
}
