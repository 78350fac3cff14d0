/** A fleet that is put in place cheaply: what releases would have left of each model, written by the project's own stores. */
import { createHash, randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Db } from 'mongodb';
import type { Tenure } from '../../src/client/tenure.js';
import type { Manifest } from '../../src/contracts/manifest.js';
import type { VersionRef } from '../../src/contracts/model.js';
import type { DesiredRoute } from '../../src/contracts/routes.js';
import { ProfileStore, type VersionProfile } from '../../src/platform/profiles/index.js';
import { MongoVersionRegistry } from '../../src/platform/registry/index.js';
import { MongoRoutingStore } from '../../src/platform/serving/index.js';
import { numericProfile, scoreProfile } from '../../src/statistics/profile/build.js';
import { insist } from '../../test/support/chaos/insist.js';
import { manifest, monitoring } from '../../test/support/manifests.js';
import { createRandom } from '../../test/support/random.js';
import { drawRow, featureNames } from './rows.js';

const REFERENCE_ROWS = 5_000;
const AT_ONCE = 16;
const PATIENCE_MS = 300_000;

export const modelNames = (count: number): readonly string[] =>
  Array.from({ length: count }, (_, i) => `fleet-${i}`);

/** Of a file that nobody has: the gateway serves none of these models, their rows come from elsewhere. */
export const versionOf = (model: string): VersionRef => ({
  version: 'v1',
  digest: createHash('sha256').update(model).digest('hex'),
});

const settings = monitoring({
  windowSeconds: 60,
  policy: { drift: ['notify'], performance: ['notify'], quality: ['notify'], traffic: [], availability: [] },
});

const manifestOf = (name: string): Manifest =>
  manifest({
    name,
    purpose: 'one of a fleet',
    schema: {
      inputs: featureNames.map((input) => ({ name: input, datatype: 'FP64', width: 1, nullable: false })),
      outputs: [{ name: 'score', datatype: 'FP64', width: 1 }],
    },
    monitoring: settings,
  });

const routeOf = (champion: VersionRef | null): DesiredRoute => ({
  phase: 'steady',
  champion,
  candidate: null,
  holdback: null,
  shadow: null,
  warm: [],
  salt: 'fleet',
  release: null,
  guardrails: [{ name: 'errors', kind: 'errors' }],
  trips: [],
  fallback: true,
  deadlineMs: 5_000,
  leaseSeconds: 15,
  maxConcurrency: 32,
  routingKeyHeader: 'tenure-routing-key',
  scoreOutput: 'score',
  monitoring: {
    sampleShare: 0,
    sampleSeconds: 3_600,
    labelSeconds: 3_600,
    windowSeconds: settings.windowSeconds,
    personal: [],
    task: 'binary',
    classes: [0, 1],
  },
});

/** One for all, but for its names: what it costs to read and use does not depend on what is in the bins. */
function reference(): VersionProfile {
  const random = createRandom(7);
  const rows = Array.from({ length: REFERENCE_ROWS }, () => drawRow(random));
  const scores = rows.map(({ score }) => score);
  const labels = scores.map((score) => (random.uniform() < score ? 1 : 0));
  const features = featureNames.map((name, i) =>
    numericProfile(
      name,
      rows.map(({ values }) => values[i]),
    ),
  );
  return {
    format: 1,
    model: '',
    artifact: '',
    data: 'd'.repeat(64),
    sources: featureNames.map((name) => ({ from: 'input', name, datatype: 'FP64', element: 0, width: 1 })),
    score: 'score',
    lacks: [],
    profile: { format: 1, rows: rows.length, features, score: scoreProfile(scores, labels, 0.5, 200) },
  };
}

/** Some at a time. */
export async function eachOf(
  models: readonly string[],
  act: (model: string) => Promise<unknown>,
): Promise<void> {
  const left = [...models].reverse();
  const work = async (): Promise<void> => {
    for (let model = left.pop(); model !== undefined; model = left.pop()) await act(model);
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
}

/**
 * Manifest by the lifecycle workflow, which starts with it; version, reference profile and routing table by the stores. A champion
 * would be loaded by the gateway, a thread each, for which there is no room: so the table that the gateway takes has none, and the next one, for
 * the monitors, has one that it cannot load. It goes on with the first, as it should.
 */
export async function placeModels(
  { db, tenure, say }: { readonly db: Db; readonly tenure: Tenure; readonly say: (text: string) => void },
  models: readonly string[],
): Promise<void> {
  const [profiles, versions, routes] = [
    new ProfileStore(db),
    new MongoVersionRegistry(db),
    new MongoRoutingStore(db),
  ];
  const profile = reference();
  const set = (model: string, expectedGeneration: number, champion: VersionRef | null) =>
    routes.compareAndSet({
      model,
      expectedGeneration,
      desired: routeOf(champion),
      changeId: `fleet/${expectedGeneration}`,
    });
  const started = performance.now();
  await eachOf(models, async (model) => {
    const request = { requestId: randomUUID() };
    const { signal } = new AbortController();
    await insist(model, () => tenure.applyManifest(manifestOf(model), request), signal, PATIENCE_MS);
  });
  say(`${models.length} lifecycle workflows in ${((performance.now() - started) / 1_000).toFixed(0)} s`);
  await eachOf(models, async (model) => {
    const ref = versionOf(model);
    const by = { registeredBy: 'bench', registeredAt: new Date().toISOString() };
    await versions.register({ model, ...ref, sizeBytes: 1, lineage: {}, ...by });
    await profiles.put({ ...profile, model, artifact: ref.digest });
    await set(model, 0, null);
  });
  await taken(routes, models);
  await eachOf(models, (model) => set(model, 1, versionOf(model)));
}

/** Waits until the gateway has every model's first table in force. */
async function taken(routes: MongoRoutingStore, models: readonly string[]): Promise<void> {
  const end = performance.now() + PATIENCE_MS;
  for (;;) {
    const { gateways } = await routes.gateways();
    const observed = gateways[0]?.observed ?? {};
    const missing = models.filter((model) => observed[model]?.generation !== 1);
    if (missing.length === 0) return;
    if (performance.now() > end)
      throw new Error(`The gateway has not taken the tables of ${missing.length} of ${models.length} models`);
    await sleep(500);
  }
}
