import assert from 'node:assert/strict';
import { chmod, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { examine, repair } from '../../../src/client/doctor.js';
import type { Difference } from '../../../src/contracts/doctor.js';
import type { LedgerEvent } from '../../../src/contracts/ledger.js';
import { readStream } from '../../../src/ledger/index.js';
import { MongoRoutingStore } from '../../../src/platform/serving/index.js';
import { Accidents, codesOf } from '../../support/doctor-accidents.js';
import { FakeGateway } from '../../support/fake-gateway.js';
import { until } from '../../support/gateway.js';
import { approvalBy } from '../../support/manifests.js';
import { logisticModel } from '../../support/onnx.js';
import { MODELS, shortManifest } from '../../support/release-plan.js';
import { ReleaseStage } from '../../support/release-stage.js';

/** What is done to each model, and what the doctor calls it. */
const EXPECTED: Readonly<Record<string, readonly string[]>> = {
  moved: ['route-differs'],
  weighted: ['route-differs'],
  tableless: ['route-missing'],
  terminated: ['model-missing'],
  deleted: ['model-missing'],
  anew: ['model-behind'],
  doubled: ['release-unknown release 99'],
  unregistered: ['registry-missing v1'],
  removed: ['artifact-missing v1'],
  damaged: ['artifact-corrupt v1'],
  broken: ['ledger-broken'],
};
const UNTOUCHED = 'untouched';
/** What only a person can mend. */
const LEFT = ['broken', 'damaged', 'removed'];

describe('doctor: accidents', function () {
  this.timeout(180_000);
  let stage: ReleaseStage;
  let accidents: Accidents;
  const digests = new Map<string, string>();

  before('a model for each accident, with a first version in production', async function () {
    this.timeout(240_000);
    stage = await ReleaseStage.open(['gateway-1']);
    accidents = await Accidents.open(stage);
    const left = [...Object.keys(EXPECTED), UNTOUCHED];
    const lane = async (): Promise<void> => {
      for (let name = left.shift(); name !== undefined; name = left.shift()) await bringUp(name);
    };
    await Promise.all([lane(), lane(), lane()]);
    const { manifest } = await stage.tenure.model('terminated');
    const approval = { beforeDeploy: approvalBy(1, 'ann'), beforePromote: null };
    for (const name of ['terminated', 'deleted', 'doubled'])
      await stage.tenure.applyManifest({ ...manifest, name, purpose: `waits for ann in ${name}`, approval });
  });
  after(async function () {
    this.timeout(60_000);
    await accidents?.close();
    await stage?.close();
  });

  /** A first version in production, after as few requests as can be. */
  const bringUp = async (name: string): Promise<void> => {
    const { canary } = shortManifest(name, '', {});
    const steps = [{ weight: 0.5, minKeys: 1, minSeconds: 0 }];
    await stage.apply(name, { canary: { ...canary, steps }, soak: { seconds: 0, holdback: 0 } });
    digests.set(name, await stage.register(name, 'v1', contentOf(name)));
    const { release } = await stage.tenure.submitRelease(name, 'v1');
    await stage.follow(name, release, ({ stage: at }) => at === 'soaking');
    const traffic = stage.traffic(name);
    await stage.ends(name, release, 'succeeded');
    await traffic.stop();
  };

  const eventsOf = async (model: string): Promise<LedgerEvent[]> => {
    const events: LedgerEvent[] = [];
    for await (const event of readStream(accidents.database.collections.ledger, model)) events.push(event);
    return events;
  };
  const artifactOf = (model: string): string => {
    const digest = digests.get(model) ?? '';
    return join(stage.session.config.artifacts, 'sha256', digest.slice(0, 2), digest);
  };
  const happen = async (): Promise<void> => {
    const { collections } = accidents.database;
    const { manifest } = await stage.tenure.model('anew');
    const doubled = await stage.tenure.model('doubled');
    const v1 = { version: 'v1', digest: digests.get('weighted') ?? '' };
    await Promise.all([
      accidents.changeRoute('moved', {
        champion: null,
        unavailableReason: 'by hand',
        generation: 40,
        changeId: 'hand',
      }),
      accidents.changeRoute('weighted', { candidate: { ...v1, weight: 1 } }),
      collections.routes.deleteOne({ _id: 'tableless' }),
      accidents.terminateModel('terminated'),
      accidents.deleteModel('deleted'),
      accidents.startAnew('anew', manifest),
      accidents.startRelease({
        model: 'doubled',
        release: 99,
        manifest: doubled.manifest,
        version: { version: 'v1', digest: digests.get('doubled') ?? '' },
        champion: doubled.champion,
        warm: [],
        submittedBy: 'nobody',
        submittedAt: new Date().toISOString(),
        generation: doubled.generation,
        frozen: false,
      }),
      collections.versions.deleteOne({ model: 'unregistered' }),
      rm(artifactOf('removed'), { force: true }),
      chmod(artifactOf('damaged'), 0o644).then(() => writeFile(artifactOf('damaged'), 'no model')),
      collections.ledger.deleteOne({ stream: 'broken', action: 'release.validated' }),
    ]);
    await stage.follow('doubled', 99, ({ stage: at }) => at === 'awaiting-approval');
  };
  const found = async (): Promise<readonly Difference[]> => {
    const { report } = await examine(stage.session);
    return report.differences;
  };
  const named = (differences: readonly Difference[]): Readonly<Record<string, readonly string[]>> =>
    Object.fromEntries(
      [...Object.keys(EXPECTED), UNTOUCHED]
        .map((model) => [model, codesOf(differences, model)] as const)
        .filter(([, codes]) => codes.length > 0),
    );

  it('are named, mended by recorded acts, and not there any more', async () => {
    assert.deepEqual(named(await found()), {});
    const before = new Map<string, number>();
    for (const model of Object.keys(EXPECTED)) before.set(model, (await eventsOf(model)).length);
    await happen();
    const differences = await found();
    assert.deepEqual(named(differences), EXPECTED);

    const { repairs, report } = await repair(stage.session, differences);
    assert.deepEqual(
      repairs
        .filter(({ outcome }) => outcome === 'refused')
        .map(({ key }) => key.split('/')[0] ?? '')
        .sort((a, b) => a.localeCompare(b)),
      LEFT,
    );
    assert.deepEqual(
      named(report.differences),
      Object.fromEntries(LEFT.map((model) => [model, EXPECTED[model]])),
      JSON.stringify(repairs, null, 1),
    );

    const acts = async (model: string): Promise<string[]> =>
      (await eventsOf(model)).slice(before.get(model)).map(({ action }) => action);
    const realigned = ['model.realignment-requested', 'model.realigned-requested', 'model.realigned'];
    const told: Record<string, string[]> = {};
    for (const model of Object.keys(EXPECTED)) told[model] = (await acts(model)).sort();
    assert.deepEqual(told['moved'], [...realigned].sort());
    assert.deepEqual(told['weighted'], [...realigned].sort());
    assert.deepEqual(told['tableless'], [...realigned].sort());
    for (const model of ['terminated', 'deleted', 'anew'])
      assert.deepEqual(told[model], ['model.recovered'], model);
    assert.deepEqual(told['unregistered'], ['version.restored', 'version.restored-requested']);
    for (const action of ['model.release-stopped-requested', 'model.release-stopped', ...realigned])
      assert.ok(told['doubled']?.includes(action), `${action} is not in ${told['doubled']?.join()}`);
    assert.deepEqual([told['broken'], told['removed'], told['damaged']], [[], [], []]);
    const [recovered] = (await eventsOf('terminated')).filter(({ action }) => action === 'model.recovered');
    assert.deepEqual(recovered?.actor, { kind: 'person', id: 'ada' });

    for (const model of ['moved', 'weighted', 'tableless', 'doubled', 'terminated', 'deleted', 'anew']) {
      const table = await stage.table(model);
      assert.deepEqual(
        [table.champion?.version, table.candidate, table.phase],
        ['v1', null, 'steady'],
        model,
      );
      const view = await stage.tenure.model(model);
      assert.deepEqual([view.champion?.version, view.inFlight, view.health], ['v1', null, 'healthy'], model);
    }
    // Numbers of generations are used once.
    assert.equal((await stage.table('moved')).generation, 41);
    for (const model of Object.keys(EXPECTED).filter((name) => name !== 'broken')) await stage.record(model);
  });

  it('to artifacts are mended by the same file; a broken record stays named, and its model is left alone', async () => {
    for (const model of ['removed', 'damaged']) await stage.register(model, 'v1', contentOf(model));
    const differences = await found();
    assert.deepEqual(named(differences), { broken: EXPECTED['broken'] });
    await accidents.changeRoute('broken', { generation: 30 });
    const { repairs, mendable } = await repair(stage.session, await found());
    assert.deepEqual([repairs.map(({ outcome }) => outcome), mendable], [['refused'], []]);
    assert.equal((await stage.table('broken')).generation, 30);
  });

  it('in mid-release: the recovered model keeps a release that runs; a lost one is taken back', async () => {
    const release = await stage.submit('terminated', 'v2', MODELS.v2);
    await stage.follow('terminated', release, ({ approval }) => approval !== null);
    await accidents.terminateModel('terminated');
    const missing = await examine(stage.session, { model: 'terminated' });
    assert.deepEqual(codesOf(missing.report.differences, 'terminated'), ['model-missing']);
    const first = await repair(stage.session, missing.mendable, { model: 'terminated' });
    assert.deepEqual(first.report.differences, [], JSON.stringify(first));
    assert.equal((await stage.tenure.model('terminated')).inFlight, release);

    // Of a run that did not start it, the model does not hear that it is gone.
    await accidents.terminateRelease('terminated', release);
    const lost = await examine(stage.session, { model: 'terminated' });
    assert.deepEqual(codesOf(lost.report.differences, 'terminated'), [`release-lost release ${release}`]);
    const second = await repair(stage.session, lost.mendable, { model: 'terminated' });
    assert.deepEqual(second.report.differences, [], JSON.stringify(second));
    const { inFlight, releases, champion } = await stage.tenure.model('terminated');
    assert.deepEqual([inFlight, releases[0]?.stage, champion?.version], [null, 'aborted', 'v1']);
    await stage.record('terminated');
  });

  it('to both at once: the release ends aborted, the champion serves', async () => {
    const release = await stage.submit('deleted', 'v2', MODELS.v2);
    await stage.follow('deleted', release, ({ approval }) => approval !== null);
    const queued = await stage.submit('deleted', 'v3', MODELS.v3);
    await accidents.deleteModel('deleted');
    await accidents.terminateRelease('deleted', release);
    const found = await examine(stage.session, { model: 'deleted' });
    assert.deepEqual(codesOf(found.report.differences, 'deleted'), ['model-missing']);
    const { report } = await repair(stage.session, found.mendable, { model: 'deleted' });
    assert.deepEqual(report.differences, []);
    const { releases, champion } = await stage.tenure.model('deleted');
    assert.deepEqual(
      [champion?.version, ...releases.slice(0, 2).map(({ release: number, stage: at }) => `${number} ${at}`)],
      ['v1', `${queued} superseded`, `${release} aborted`],
    );
    await stage.record('deleted');
  });

  it('with a gateway: one that is alive and does not take the table is named, and nothing more can be done', async () => {
    const gateway = new FakeGateway(new MongoRoutingStore(accidents.database.db), 'gateway-9');
    gateway.stuckAt = 1;
    await gateway.start();
    try {
      const { generation } = await stage.table(UNTOUCHED);
      const [stale] = await until(
        'a stale gateway',
        async () => {
          const { report: seen } = await examine(stage.session, { model: UNTOUCHED, whole: false });
          return seen.differences.length > 0 ? seen.differences : null;
        },
        90_000,
      );
      assert.deepEqual([stale?.code, stale?.subject, stale?.remedy], ['gateway-stale', 'gateway-9', null]);
      assert.match(stale?.expected ?? '', new RegExp(`generation ${generation} `));
      const { repairs } = await repair(stage.session, stale === undefined ? [] : [stale], {
        model: UNTOUCHED,
      });
      assert.deepEqual(
        repairs.map(({ outcome }) => outcome),
        ['refused'],
      );
    } finally {
      await gateway.vanish();
      await accidents.database.collections.gateways.deleteOne({ _id: 'gateway-9' });
    }
  });
});

/** Those whose artifact is harmed have one of their own: artifacts are known by their digest. */
const contentOf = (name: string): Uint8Array =>
  name === 'removed' || name === 'damaged'
    ? logisticModel([name === 'removed' ? 0.451 : 0.452], -2)
    : MODELS.v1;
