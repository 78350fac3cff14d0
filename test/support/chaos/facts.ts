import { verifyLedger } from '../../../src/client/audit.js';
import type { LedgerEvent } from '../../../src/contracts/ledger.js';
import { readStream } from '../../../src/ledger/index.js';
import { MongoRoutingStore } from '../../../src/platform/serving/index.js';
import { windowsOf } from '../../../src/platform/windows/collections.js';
import { until } from '../until.js';
import type { Driver } from './driver.js';
import type { ModelFacts } from './invariants.js';
import { MAY_END } from './kinds.js';
import type { Lane } from './lane.js';

/**
 * What is found of a model after its last release has ended and its users have gone. It first gives the model's own workflow and the
 * gateways the time to hear of the end; what they have not heard of by then is found as it is.
 */
export async function factsOf(
  lane: Lane,
  driver: Pick<Driver, 'model' | 'driven' | 'users'>,
): Promise<ModelFacts> {
  const { model } = driver;
  const { session } = lane;
  const tenure = await session.tenure();
  const { db, collections } = await session.database();
  const routes = new MongoRoutingStore(db);
  const view = () => lane.insist('model', () => tenure.model(model));
  const observed = async (): Promise<Record<string, number>> => {
    const { gateways } = await routes.gateways();
    return Object.fromEntries(
      gateways
        .filter(({ status }) => status === 'serving')
        .map(({ gateway, observed: seen }) => [gateway, seen[model]?.generation ?? 0]),
    );
  };
  await until(`the end of what ${model} does`, async () => (await view()).inFlight === null, 60_000).catch(
    () => undefined,
  );
  const table = await routes.read(model);
  await until(
    `the gateways to take generation ${table?.generation}`,
    async () => Object.values(await observed()).every((generation) => generation === table?.generation),
    20_000,
  ).catch(() => undefined);

  const { champion, inFlight, releases } = await view();
  const verified = await lane.insist('verify', () => verifyLedger(session, { model }));
  const ledgerProblems = [
    ...verified.bad.map((bad) => `${bad.kind} at ${bad.sequence}: ${bad.detail}`),
    ...(verified.headsMatched === 1
      ? []
      : [`no head to compare with: ${JSON.stringify(verified.headsUnknown)}`]),
  ];
  const events: LedgerEvent[] = [];
  for await (const event of readStream(collections.ledger, model)) events.push(event);
  let counted = 0;
  for await (const { cells } of windowsOf(db).find({ model }))
    for (const { requests } of cells) counted += requests.split + requests.unsplit;
  return {
    model,
    events,
    ledgerProblems,
    releases: driver.driven.map(({ release, version, outcome, kind, endedAt }) => ({
      release,
      version,
      endedAt,
      mayEnd: MAY_END[kind],
      inTemporal: outcome,
      inModel: releases.find((known) => known.release === release)?.stage ?? null,
    })),
    table: await routes.read(model),
    champion: champion?.version ?? null,
    inFlight,
    observed: await observed(),
    answers: driver.users.facts,
    counted,
  };
}
