/**
 * Records histories of retrainings and of their model into a folder of their own in test/replay/histories, for
 * test/replay/histories.test.ts:
 *   npx tsx scripts/record-retraining-histories.ts 3-retraining
 * Histories that are stored stay as they are: it fails where the folder is there already.
 */
import { runAfter } from './support/test-hooks.js';
import type { LedgerEntry } from '../src/contracts/ledger.js';
import type { RetrainingSettings } from '../src/contracts/manifest.js';
import { ApplicationFailure } from '@temporalio/common';
import { retrainingWorkflowId } from '../src/contracts/ids.js';
import { applyManifest, monitorReported, retrainModel } from '../src/contracts/messages.js';
import { findingNotice, manifest, monitoring, retrainingSettings } from '../test/support/manifests.js';
import { ScriptedPlatform } from '../test/support/scripted-platform.js';
import { ModelUnderTest } from '../test/support/workflow-env.js';
import { RecordedFolder } from './support/recorded-folder.js';

const [version = ''] = process.argv.slice(2);
const folder = await RecordedFolder.make(version, '3-retraining');

const HOUR = 3_600_000;
const OLD = { kind: 'data-drift' as const, cause: 'data-drift', onset: '2020-01-01T00:00:00.000Z' };
const drift = monitoring({ policy: { ...monitoring().policy, drift: ['notify', 'retrain'] } });
const settings = (triggers: Partial<RetrainingSettings['triggers']> = {}): RetrainingSettings =>
  retrainingSettings({
    minLabels: 100,
    budget: { runs: 100, perSeconds: 86_400 },
    triggers: { finding: true, schedule: null, newLabels: null, maxAgeSeconds: null, ...triggers },
  });

const isOf =
  (finding: string) =>
  ({ evidence }: LedgerEntry): boolean =>
    evidence['finding'] === finding;

async function story(): Promise<void> {
  const platform = new ScriptedPlatform();
  const subject = manifest({ retraining: settings(), monitoring: drift });
  const model = await ModelUnderTest.start(platform, subject, { champion: 'v1' });
  const handleOf = (number: number) =>
    model.env.client.workflow.getHandle(retrainingWorkflowId(model.name, number));
  const ended = (number: number) =>
    model.until(async () => (await model.view()).retraining?.last?.retraining === number);
  const find = (id: string, cleared: readonly string[] = [], change = OLD) =>
    model.handle.signal(monitorReported, {
      findings: [findingNotice(id, Date.now(), change)],
      cleared: cleared.map((cause) => ({ cause, windows: 3, at: new Date().toISOString() })),
    });
  const ask = async (reason: string): Promise<void> => {
    const answer = await model.ask(retrainModel, { reason });
    if (!answer.accepted) throw new Error(answer.reason);
  };
  const held = async (number: number): Promise<void> => {
    platform.before = (activity) =>
      activity === 'trainChallenger' ? new Promise(() => undefined) : undefined;
    const before = platform.count('trainChallenger');
    await ask(`number ${number}`);
    await model.until(() => platform.count('trainChallenger') > before);
    platform.before = () => undefined;
  };

  // Held back by too few labels, looked at again, gone, found again, started.
  platform.labels = 10;
  await find('d1');
  await model.until(async () => (await model.view()).retraining?.next?.length === 1);
  await model.skip(HOUR + 60_000);
  await find('d2', ['data-drift']);
  await model.until(async () => (await model.view()).retraining?.next?.length === 1);
  platform.labels = 500;
  await model.skip(HOUR + 60_000);
  await ended(1);
  await model.ended(2);
  await model.idle();
  await folder.record(handleOf(1), 'retraining-submitted');

  const { judgement } = platform;
  if (judgement.kind !== 'compared') throw new Error('not compared');
  platform.judgement = { ...judgement, lower: 0, gain: 0.02 };
  await ask('new data');
  await ended(2);
  await folder.record(handleOf(2), 'retraining-not-better');

  platform.fail('assembleTrainingSet', () => new Error('MongoDB is away'), 6);
  platform.fail('trainChallenger', () => ApplicationFailure.nonRetryable('no model', 'TrainingFailed'));
  await ask('again');
  await model.until(() => platform.count('assembleTrainingSet') >= 7);
  await handleOf(3).result();
  await ended(3);
  platform.mend();
  await folder.record(handleOf(3), 'retraining-failed');

  // Parked, then gone: its model finds out when it looks for it.
  platform.fail('assembleTrainingSet', () => new Error('MongoDB is away'), 1_000);
  await ask('number 4');
  await model.until(() => platform.count('assembleTrainingSet') >= 12);
  await handleOf(4).terminate('by hand');
  platform.mend();
  await model.skip(7 * HOUR);
  await ended(4);

  const triggers = {
    schedule: { cron: '0 3 * * *', timeZone: 'UTC' },
    newLabels: 1_000,
    maxAgeSeconds: 864_000,
  };
  await model.ask(applyManifest, { manifest: { ...model.manifest, retraining: settings(triggers) } });
  await model.until(async () => (await model.view()).retraining?.nextScheduled != null);
  await model.skip(25 * HOUR);
  await ended(5);
  platform.labels = 10;
  await find('d3');
  await model.until(() => platform.recorded('retraining.held-back').some(isOf('d3')));
  await find('d4', [], { ...OLD, cause: 'slow', onset: new Date(Date.now() - 60_000).toISOString() });
  await model.until(() => platform.recorded('retraining.held-back').some(isOf('d4')));
  await model.skip(2 * HOUR);
  await folder.record(model.handle, 'model-retrained');

  // The last, since no time is skipped while an activity runs.
  const last = ((await model.view()).retraining?.last?.retraining ?? 0) + 1;
  platform.labels = 500;
  await held(last);
  await handleOf(last).cancel();
  await ended(last);
  await folder.record(handleOf(last), 'retraining-cancelled');
  await model.stop();
}

await story();
await runAfter();
