import assert from 'node:assert/strict';
import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Repaired } from '../../../src/client/doctor.js';
import type { Manifest } from '../../../src/contracts/manifest.js';
import type { ReleaseView } from '../../../src/contracts/views.js';
import { findByArgument, signal } from '../../../src/processes/identity.js';
import { temporalArgument } from '../../../src/stack/temporal.js';
import { tenureHere } from '../../support/command.js';
import { codesOf } from '../../support/doctor-accidents.js';
import { until } from '../../support/gateway.js';
import { approvalBy } from '../../support/manifests.js';
import { OwnHome } from '../../support/own-home.js';
import { MODELS, shortManifest } from '../../support/release-plan.js';
import type { ReleaseStage } from '../../support/release-stage.js';
import { allAnswered, type Traffic } from '../../support/release-traffic.js';
import { scale } from '../../support/scale.js';

/** Quick: a release of it costs little. */
const quick = (name: string): Pick<Manifest, 'canary' | 'soak' | 'approval'> => ({
  canary: {
    ...shortManifest(name, '', {}).canary,
    steps: [{ weight: 0.5, minKeys: 5, minSeconds: 0 }],
    judgement: 'watch',
  },
  soak: { seconds: 0, holdback: 0 },
  approval: { beforeDeploy: null, beforePromote: null },
});

const byBeatrice = { beforeDeploy: approvalBy(1, 'beatrice'), beforePromote: null };
/** A gate that takes as long as its worker lives. */
const PATIENT = ['/bin/sh', '-c', 'while kill -0 $PPID 2>/dev/null; do sleep 0.5; done'];

interface Fate {
  /** What the manifest says for the release that Temporal is lost in; null: there is none. */
  readonly changes: ((name: string) => Partial<Manifest>) | null;
  readonly reached: (view: ReleaseView) => boolean;
}

const never = (): boolean => false;
const at =
  (stage: ReleaseView['stage']) =>
  (view: ReleaseView): boolean =>
    view.stage === stage;

const FATES: Readonly<Record<string, Fate>> = {
  resting: { changes: null, reached: never },
  frozen: { changes: null, reached: never },
  retired: { changes: null, reached: never },
  validating: {
    changes: (name) => {
      // The data are those of every model here, which the stage fills in.
      const { dataDigest: _, ...validation } = shortManifest(name, '', {}).validation;
      const gates = [{ kind: 'command', name: 'patient', command: PATIENT, timeoutSeconds: 900 }] as const;
      return { validation: { ...validation, gates } as unknown as Manifest['validation'] };
    },
    reached: at('validating'),
  },
  asking: { changes: () => ({ approval: byBeatrice }), reached: at('awaiting-approval') },
  // And one more release behind it.
  queued: { changes: () => ({ approval: byBeatrice }), reached: at('awaiting-approval') },
  canary: {
    changes: (name) => ({
      canary: { ...quick(name).canary, steps: [{ weight: 0.5, minKeys: 1_000_000, minSeconds: 0 }] },
    }),
    reached: ({ stage, canary }) => stage === 'canary' && (canary?.looks ?? 0) > 0,
  },
  soaking: {
    changes: () => ({ soak: { seconds: 3600, holdback: 0.2 } }),
    reached: at('soaking'),
  },
};

/** Eight in the short run, one of each fate; twenty in the long one. */
const COUNTS: Readonly<Record<string, number>> = {
  resting: scale(1, 4),
  frozen: scale(1, 2),
  retired: scale(1, 2),
  validating: scale(1, 2),
  asking: scale(1, 2),
  queued: scale(1, 2),
  canary: scale(1, 3),
  soaking: scale(1, 3),
};

const NAMES = Object.entries(COUNTS).flatMap(([fate, count]) =>
  Array.from({ length: count }, (_, i) => `${fate}-${i}`),
);
const fateOf = (name: string): string => name.replace(/-\d+$/, '');
const SERVED = NAMES.filter((name) => fateOf(name) !== 'retired');
/** Whose release was in flight. */
const FLYING = SERVED.filter((name) => FATES[fateOf(name)]?.changes != null);

/** A few at a time: there are two cores. */
async function inLanes(names: readonly string[], act: (name: string) => Promise<void>): Promise<void> {
  const left = [...names];
  const lane = async (): Promise<void> => {
    for (let name = left.shift(); name !== undefined; name = left.shift()) await act(name);
  };
  await Promise.all([lane(), lane(), lane(), lane()]);
}

describe(`the loss of Temporal's whole database, with ${NAMES.length} models`, function () {
  this.timeout(1_200_000);
  let home: OwnHome;
  let stage: ReleaseStage;
  const users = new Map<string, Traffic>();

  before('models, some in mid-release', async () => {
    home = await OwnHome.make();
    stage = await home.open(['gateway-1']);
    stage.patienceMs = 240_000;
    await inLanes(NAMES, bringUp);
    await inLanes(NAMES, meetFate);
  });
  after(async () => {
    await Promise.all([...users.values()].map((traffic) => traffic.stop()));
    await home?.remove();
  });

  async function bringUp(name: string): Promise<void> {
    await stage.apply(name, quick(name));
    await stage.register(name, 'v1', MODELS.v1);
    const { release } = await stage.tenure.submitRelease(name, 'v1');
    await stage.follow(name, release, ({ stage: now }) => now === 'soaking');
    await hurried(name, () => stage.ends(name, release, 'succeeded'));
    if (SERVED.includes(name)) users.set(name, stage.traffic(name, { rate: 4 }));
    users.get(name)?.pause();
  }

  /** With as many users as a canary needs to come to its end soon; each of them is answered too. */
  async function hurried(name: string, act: () => Promise<unknown>): Promise<void> {
    const many = stage.traffic(name, { rate: 150 });
    try {
      await act();
      allAnswered(many);
    } finally {
      await many.stop();
    }
  }

  async function meetFate(name: string): Promise<void> {
    const fate = fateOf(name);
    const { changes, reached } = FATES[fate]!;
    if (fate === 'frozen') await stage.tenure.freeze(name, { reason: 'end of quarter' });
    if (fate === 'retired') await stage.tenure.retire(name, { reason: 'replaced' });
    if (changes === null) return;
    await stage.apply(name, { ...quick(name), ...changes(name) });
    const release = await stage.submit(name, 'v2', MODELS.v2);
    const comes = (): Promise<unknown> => stage.follow(name, release, reached);
    await (fate === 'canary' || fate === 'soaking' ? hurried(name, comes) : comes());
    if (fate === 'queued') await stage.submit(name, 'v3', MODELS.v3);
  }

  async function loseTemporal(): Promise<void> {
    await stage.kill(stage.worker);
    const argument = temporalArgument(home.folder);
    for (const identity of findByArgument(argument)) signal(identity, 'SIGKILL');
    await until('the end of Temporal', () => findByArgument(argument).length === 0);
    for (const file of await readdir(home.folder))
      if (file.startsWith('temporal.sqlite')) await rm(join(home.folder, file));
  }

  it('users are served throughout; the doctor makes every lifecycle again, and what was in flight has ended', async () => {
    for (const name of SERVED) {
      users.get(name)?.reset();
      users.get(name)?.resume();
    }
    await loseTemporal();
    await home.up();
    await stage.startWorker();
    const found = await tenureHere(['doctor', '--json'], home.env);
    assert.equal(found.code, 1, found.stdout + found.stderr);
    const { report } = JSON.parse(found.stdout) as Repaired;
    for (const name of NAMES) assert.deepEqual(codesOf(report.differences, name), ['model-missing'], name);

    const mended = await tenureHere(['doctor', '--repair', '--yes', '--as', 'olga', '--json'], home.env);
    assert.equal(mended.code, 0, mended.stdout + mended.stderr);
    const { report: after, repairs } = JSON.parse(mended.stdout) as Repaired;
    assert.deepEqual(after.differences, []);
    assert.equal(repairs.filter(({ outcome }) => outcome === 'done').length, NAMES.length);
    assert.deepEqual((await stage.tenure.listModels()).map(({ model }) => model).sort(), [...NAMES].sort());

    for (const name of NAMES) {
      const fate = fateOf(name);
      const view = await stage.tenure.model(name);
      const table = await stage.table(name);
      const champion = fate === 'retired' ? undefined : 'v1';
      assert.deepEqual(
        [view.champion?.version, table.champion?.version, table.candidate, table.holdback, view.inFlight],
        [champion, champion, null, null, null],
        name,
      );
      assert.deepEqual(
        [view.health === 'retired', view.freeze !== null],
        [fate === 'retired', fate === 'frozen'],
        name,
      );
      const story = (await stage.record(name)).map(({ event }) => event);
      const of = (action: string): readonly unknown[] =>
        story.filter((event) => event.action === action).map(({ subject }) => subject['release']);
      assert.deepEqual(of('release.aborted'), FLYING.includes(name) ? [2] : [], name);
      assert.equal(of('model.recovered').length, 1, name);
      if (fate === 'queued')
        assert.deepEqual(
          view.releases.map(({ stage: end }) => end),
          ['superseded', 'aborted', 'succeeded'],
        );
    }
  });

  it('and the next release of each works, under the next number; no request was lost', async () => {
    await inLanes(SERVED, async (name) => {
      if (fateOf(name) === 'frozen') await stage.tenure.unfreeze(name, { reason: 'the quarter is closed' });
      await stage.apply(name, quick(name));
      const version = FLYING.includes(name) ? 'v2' : 'v4';
      const known = (await stage.tenure.model(name)).releases.length;
      const release =
        version === 'v2'
          ? (await stage.tenure.submitRelease(name, 'v2')).release
          : await stage.submit(name, 'v4', MODELS.v2);
      assert.equal(release, known + 1, name);
      await hurried(name, () => stage.ends(name, release, 'succeeded'));
      assert.equal((await stage.table(name)).champion?.version, version, name);
      users.get(name)?.pause();
    });
    for (const name of SERVED) {
      const traffic = users.get(name)!;
      await traffic.stop();
      assert.ok(allAnswered(traffic).sent > 0, name);
    }
    const { code, stdout } = await tenureHere(['doctor', '--json'], home.env);
    assert.equal(code, 0, stdout);
  });
});
