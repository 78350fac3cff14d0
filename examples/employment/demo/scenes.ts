import { setTimeout as sleep } from 'node:timers/promises';
import { history, verifyLedger } from '../../../src/client/audit.js';
import { TenureError } from '../../../src/client/errors.js';
import { applyModelFile, registerFile } from '../../../src/client/models.js';
import { recomputeVerdicts } from '../../../src/client/verdicts.js';
import { lookAtRelease, type ReleaseSight } from '../../../src/client/watch.js';
import type { ReleaseView } from '../../../src/contracts/views.js';
import type { TrainedModel } from '../models.js';
import { pacedManifest } from './manifest.js';
import type { Pace } from './pace.js';
import { Replay } from './replay.js';
import type { Stage } from './stage.js';
import type { Story } from './story.js';

const MODEL = 'employment';

export interface Scene {
  readonly story: Story;
  readonly stage: Stage;
  readonly models: readonly TrainedModel[];
  readonly pace: Pace['employment'];
}

const percent = (share: number): string => `${Math.round(share * 1000) / 10} %`;

/** Registers a trained version and submits its release. */
async function submit(
  { stage, story, models }: Scene,
  version: string,
  actor = 'ada.moreau',
): Promise<number> {
  const trained = models.find((model) => model.version === version);
  if (trained === undefined) throw new Error(`version ${version} was not trained`);
  await registerFile(stage.session, MODEL, version, trained.path, {
    lineage: { trainingDataDigest: trained.lineage.trainingDataDigest },
    actor,
  });
  const { release } = await stage.tenure.submitRelease(MODEL, version, { actor });
  story.say(
    `${actor} submits ${version} (sha256 ${trained.digest.slice(0, 12)}…, ${trained.bytes} bytes): release ${release}`,
  );
  return release;
}

/** What was said of each release last. */
const TOLD = new Map<number, string>();

/** Follows a release and tells each change, until something is so or it has ended. */
async function follow(
  { stage, story }: Scene,
  release: number,
  until: (view: ReleaseView) => boolean = () => false,
  limitMs = 120_000,
): Promise<ReleaseSight> {
  const end = Date.now() + limitMs;
  for (;;) {
    const sight = await lookAtRelease(stage.tenure, MODEL, release);
    const now = tell(sight.view);
    if (now !== '' && now !== TOLD.get(release)) story.say(now);
    TOLD.set(release, now);
    if (sight.ended || (sight.view !== null && until(sight.view))) return sight;
    if (Date.now() > end)
      throw new Error(
        `release ${release} is still ${sight.stage} after ${limitMs / 1000} s: ${sight.view?.waitingFor}`,
      );
    await sleep(300);
  }
}

function tell(view: ReleaseView | null): string {
  if (view === null) return '';
  const { stage, canary, reason, outcome } = view;
  if (outcome !== null) return `${outcome}${reason === null ? '' : `: ${reason}`}`;
  if (stage !== 'canary' || canary === null) return stage;
  const verdict = canary.verdict;
  return `canary at ${percent(canary.weight)}${verdict === null ? '' : `: look ${verdict.look}, ${verdict.keys} keys, ${verdict.verdict}`}`;
}

/** Two people approve, by signal, what the release is waiting for. */
async function approve(scene: Scene, release: number, gate: 'beforeDeploy' | 'beforePromote'): Promise<void> {
  const { stage, story } = scene;
  await follow(scene, release, ({ approval }) => approval?.gate === gate && approval.approvals.length === 0);
  for (const approver of ['beatrice.mensah', 'carlos.ortega']) {
    const reason = gate === 'beforeDeploy' ? 'the gates are fine' : 'ready for all users';
    await stage.tenure.signalDecision(MODEL, release, { decision: 'approve', approver, reason });
    story.say(`${approver} approves ${gate} (a signal, bound to artifact and evidence)`);
  }
}

export async function firstVersion(scene: Scene): Promise<Replay> {
  const { story, stage, pace } = scene;
  story.chapter('The first version: gates, two approvals, probation');
  const applied = await applyModelFile(stage.session, await pacedManifest(stage.folder, pace));
  story.say(
    `manifest applied (revision ${applied.revision}), validation data sha256 ${applied.dataDigest.slice(0, 12)}…`,
  );
  const release = await submit(scene, 'v1');
  const { view } = await follow(
    scene,
    release,
    ({ validation, stage: at }) => validation !== null && at !== 'validating',
  );
  for (const gate of view?.validation?.gates ?? [])
    story.say(`gate ${gate.gate}: ${gate.verdict}. ${gate.summary}`);
  await approve(scene, release, 'beforeDeploy');
  await approve(scene, release, 'beforePromote');
  await follow(scene, release, ({ stage: at }) => at === 'soaking');
  const replay = new Replay(stage.gatewayUrl, { ratePerSecond: pace.ratePerSecond }).start(2016);
  story.say('2016 rows are replayed as live requests from here on');
  const { stage: outcome } = await follow(scene, release);
  story.expect(
    outcome === 'succeeded',
    'v1 was validated, approved by two, promoted on probation and has soaked',
  );
  return replay;
}

export async function betterVersion(scene: Scene): Promise<void> {
  const { story, stage } = scene;
  story.chapter('A better version: canary 5 → 25 → 50 → 100');
  const release = await submit(scene, 'v2');
  await approve(scene, release, 'beforeDeploy');
  await approve(scene, release, 'beforePromote');
  const { stage: outcome, view } = await follow(scene, release);
  story.say(view?.canary?.verdict?.sentence ?? '');
  story.expect(outcome === 'succeeded', 'v2 was proven not to be worse, step by step, and promoted');
  const { champion } = await stage.tenure.model(MODEL);
  story.expect(champion?.version === 'v2', 'v2 is champion');
}

export async function brokenVersion(scene: Scene, replay: Replay): Promise<void> {
  const { story, stage } = scene;
  story.chapter('A version that passes every gate and fails in production');
  const before = replay.seen;
  const release = await submit(scene, 'v3');
  await approve(scene, release, 'beforeDeploy');
  const { stage: outcome, view } = await follow(scene, release);
  const seen = replay.seen;
  story.expect(view?.validation?.passed === true, 'v3 passed every offline gate');
  story.expect(outcome === 'rolled-back', 'v3 was rolled back by itself');
  story.say(`${seen.fallbacks - before.fallbacks} requests on which v3 failed were answered by v2 instead`);
  story.expect(seen.failed === before.failed, 'no user went without an answer meanwhile');
  story.expect(seen.fallbacks > before.fallbacks, 'v3 did fail on live rows');
  const { champion } = await stage.tenure.model(MODEL);
  story.expect(champion?.version === 'v2', 'v2 is champion as before');
}

/** An approver submits; then the worker is killed in the middle of the canary. */
export async function ownApprovalAndKill(scene: Scene): Promise<void> {
  const { story, stage } = scene;
  story.chapter('Nobody approves their own release');
  const release = await submit(scene, 'v4', 'beatrice.mensah');
  await follow(scene, release, ({ approval }) => approval !== null);
  const refusal = await stage.tenure
    .decide(MODEL, release, { decision: 'approve', approver: 'beatrice.mensah', reason: 'mine, and good' })
    .then(
      () => null,
      (error: unknown) => (error instanceof TenureError && error.code === 'refused' ? error.message : null),
    );
  story.expect(refusal !== null, `beatrice.mensah, who submitted it, was refused: ${refusal}`);
  const approveOthers = async (): Promise<void> => {
    for (const approver of ['dana.weiss', 'carlos.ortega'])
      await stage.tenure.signalDecision(MODEL, release, {
        decision: 'approve',
        approver,
        reason: 'read the report',
      });
  };
  await approveOthers();
  story.say('dana.weiss and carlos.ortega approve instead');

  story.chapter('The worker is killed in the middle of the canary');
  await follow(scene, release, ({ canary }) => (canary?.step ?? 0) >= 1 && canary?.weight === 0.25);
  const { pid } = stage.worker;
  stage.worker.kill('SIGKILL');
  await stage.worker.exited;
  story.say(`worker ${pid} killed with SIGKILL; the gateway goes on serving`);
  await sleep(2_000);
  await stage.startWorker();
  story.say(`worker ${stage.worker.pid} started; the release goes on where it was`);
  await follow(scene, release, ({ approval }) => approval?.gate === 'beforePromote');
  await approveOthers();
  const { stage: outcome } = await follow(scene, release);
  story.expect(outcome === 'succeeded', 'the release ended as it should: v4 promoted');
}

export async function theRecord(scene: Scene, replay: Replay): Promise<void> {
  const { story, stage } = scene;
  story.chapter('The record');
  const seen = await replay.stop();
  const byVersion = Object.entries(seen.byVersion).map(([version, count]) => `${version} ${count}`);
  story.say(
    `${seen.answered} requests answered (${byVersion.join(', ')}), ${seen.fallbacks} of them by the champion for a failing candidate`,
  );
  for (const complaint of seen.complaints) story.say(complaint);
  story.expect(seen.failed === 0, 'every request of the whole story was answered');
  let events = 0;
  const lines: string[] = [];
  for await (const { sentence, at, detail } of history(stage.session, MODEL)) {
    events += 1;
    if (!detail) lines.push(`${at.slice(11, 19)}  ${sentence}`);
  }
  story.say(`tenure history ${MODEL}: ${events} events, among them`);
  for (const line of lines.slice(0, 60)) story.say(`  ${line}`);
  const verified = await verifyLedger(stage.session, { model: MODEL });
  story.expect(
    // One more can have come since the history was read.
    verified.ok && verified.events >= events,
    `the ledger verifies: ${verified.events} events, hash by hash`,
  );
  const verdicts = await recomputeVerdicts(stage.session, MODEL);
  const looks = verdicts.reduce((sum, verdict) => sum + verdict.looks, 0);
  story.expect(
    verdicts.length > 0 && verdicts.every(({ result }) => result === 'same'),
    `all ${looks} verdicts of ${verdicts.length} canaries follow from their recorded inputs`,
  );
  story.expect(
    verified.headsMatched === 1,
    'its newest event is the one that the lifecycle workflow in Temporal knows of',
  );
}
