import { FailureType } from '../../contracts/failures.js';
import type { ChallengerJudgement, RetrainingWork } from '../../contracts/retraining.js';
import { compareModels, tooFewRows } from '../../statistics/metrics/no-regression.js';
import { seedOf } from '../../statistics/metrics/random.js';
import { refusal } from '../failures.js';
import { compareSignature } from '../signature.js';
import { createBench } from '../validation/bench.js';
import { finished } from '../validation/metric-gates.js';
import { GateProblem, type Progress } from '../validation/ports.js';
import type { RetrainingDeps } from './ports.js';

/** Loads the challenger as a gateway will, then scores it and the champion on the same rows. */
export async function judge(
  { artifacts, openModel }: Pick<RetrainingDeps, 'artifacts' | 'openModel'>,
  { manifest, challenger, champion, comparison }: Parameters<RetrainingWork['judgeChallenger']>[0],
  progress: Progress,
): Promise<ChallengerJudgement> {
  const { retraining } = manifest;
  if (retraining === null) throw refusal(FailureType.InvalidInput, 'The manifest has no section retraining');
  const { metric } = retraining;
  const validation = { ...manifest.validation, dataDigest: comparison.digest, gates: [] };
  const subject = { manifest: { ...manifest, validation }, version: challenger, champion };
  const bench = createBench({ artifacts, openModel }, subject, progress);
  try {
    const model = await problemOf(() => bench.candidateModel());
    if (model.problem !== null) return { kind: 'unfit', reason: model.problem };
    const differences = compareSignature(manifest.schema, model.value.metadata);
    if (differences.length > 0)
      return { kind: 'unfit', reason: `The model does not fit the manifest: ${differences.join('; ')}` };
    const data = await problemOf(() => bench.data());
    if (data.problem !== null) return { kind: 'insufficient', reason: data.problem, rows: comparison.rows };
    const scores = await problemOf(async () => {
      const own = await bench.candidateScores();
      const others = await bench.championScores();
      if (others === null) throw new GateProblem('There is no champion to compare with');
      return { own, others };
    });
    if (scores.problem !== null) return { kind: 'unfit', reason: scores.problem };
    const { own, others } = scores.value;
    const few = tooFewRows(own);
    if (few !== null) return { kind: 'insufficient', reason: few, rows: data.value.rows };
    // Seeded by the data: the same comparison gives the same answer.
    const work = compareModels(metric, own, others, seedOf(comparison.digest));
    const {
      method,
      candidate,
      champion: former,
      loss,
      lower,
      upper,
      rows,
    } = await finished(work, bench, metric);
    // A gain is a negative loss, so its limits change places.
    const gained = { gain: -loss, lower: -upper, upper: -lower };
    if (!Object.values(gained).every(Number.isFinite))
      return { kind: 'insufficient', reason: `${metric} cannot be compared on these rows`, rows };
    return { kind: 'compared', metric, method, challenger: candidate, champion: former, ...gained, rows };
  } finally {
    await bench.close();
  }
}

type Tried<T> = { readonly problem: null; readonly value: T } | { readonly problem: string };

async function problemOf<T>(act: () => Promise<T>): Promise<Tried<T>> {
  try {
    return { problem: null, value: await act() };
  } catch (error) {
    if (error instanceof GateProblem) return { problem: error.message };
    throw error;
  }
}
