import { ApplicationFailure } from '@temporalio/common';
import { FailureType } from '../../contracts/failures.js';
import { retrainingWorkflowId } from '../../contracts/ids.js';
import type { Challenger, RetrainingWork } from '../../contracts/retraining.js';
import type { NotTrained, TrainingOrder, TrainingProgress } from '../../platform/training/index.js';
import { withPlace } from '../../platform/training/places.js';
import type { RetrainingDeps } from './ports.js';

export interface TrainWatch {
  readonly signal: AbortSignal;
  readonly onWait: () => void;
  readonly onProgress: (progress: TrainingProgress) => void;
}

/** @throws ApplicationFailure `TrainingFailed`, final when no other attempt can mend it */
export async function trainChallenger(
  { db, artifacts, platform, places }: Pick<RetrainingDeps, 'db' | 'artifacts' | 'platform' | 'places'>,
  input: Parameters<RetrainingWork['trainChallenger']>[0],
  { signal, onWait, onProgress }: TrainWatch,
): Promise<Challenger> {
  const { retraining, manifest, champion, training } = input;
  const { retraining: settings } = manifest;
  const run = retrainingWorkflowId(manifest.name, retraining);
  if (settings === null)
    throw ApplicationFailure.nonRetryable(
      'The manifest has no section retraining',
      FailureType.TrainingFailed,
    );
  return withPlace(db, run, places, { signal, onWait }, async (held) => {
    const order: TrainingOrder = {
      run,
      manifest,
      data: { file: await artifacts.pathOf(training.digest), ...training },
      champion: { ...champion, file: await artifacts.pathOf(champion.digest) },
      command: settings.command,
      timeoutSeconds: settings.timeoutSeconds,
      memoryMb: settings.memoryMb,
    };
    const end = await platform.train(order, { signal: held, onProgress });
    if (end.outcome === 'failed') throw failureOf(end);
    const { model, metrics, attempt, adopted, seconds, log } = end;
    const { digest, sizeBytes } = await artifacts.put({ file: model.file });
    return { digest, sizeBytes, metrics, attempt, adopted, seconds, cutBytes: log.cutBytes };
  });
}

/** What another attempt, which goes on from the checkpoint, may mend. */
const WORTH_ANOTHER: readonly NotTrained['why'][] = ['exit', 'timeout'];

const failureOf = ({ why, message, detail }: NotTrained): ApplicationFailure =>
  ApplicationFailure.create({
    type: FailureType.TrainingFailed,
    message: message.slice(0, 1500),
    nonRetryable: !WORTH_ANOTHER.includes(why),
    details: [{ why, ...detail }],
  });
