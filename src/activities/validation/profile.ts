/** The reference profile of a version. What cannot be profiled is said, and fails nothing. */
import { setImmediate } from 'node:timers/promises';
import {
  MongoError,
  MongoErrorLabel,
  MongoNetworkError,
  MongoNotConnectedError,
  MongoServerSelectionError,
  MongoWriteConcernError,
} from 'mongodb';
import type { ProfileMade } from '../../contracts/validation.js';
import type { VersionProfile } from '../../platform/profiles/index.js';
import { checkProfile } from '../../statistics/profile/check.js';
import type { Bench } from './bench.js';
import {
  inputFeatures,
  type MadeFeature,
  type MadeScore,
  MOST_FEATURES,
  type PlannedFeature,
  predictionFeature,
  scoreFeature,
} from './profile-features.js';
import type { ValidationDeps } from './ports.js';
import { isInfrastructure, reasonOf } from './results.js';

/** More is counted, not listed. */
const MOST_LACKS = 50;

/**
 * Makes and stores it.
 * @throws what has nothing to do with the version: a cancellation, a store that is away
 */
export async function profileVersion(bench: Bench, deps: ValidationDeps): Promise<ProfileMade> {
  const { signal } = bench.progress;
  try {
    const content = await versionProfile(bench);
    if (content.profile.features.length === 0 && content.profile.score === null)
      return { digest: null, lacks: content.lacks };
    bench.progress.report('storing the profile', 0, 1);
    return { digest: await deps.profiles.put(content), lacks: content.lacks };
  } catch (error) {
    signal.throwIfAborted();
    if (isAway(error) || isInfrastructure(error)) throw error;
    return { digest: null, lacks: [`all: ${reasonOf(error)}`] };
  }
}

/** The store may take it a moment later; all else, as a document that it refuses, would be so for ever. */
const isAway = (error: unknown): boolean =>
  error instanceof MongoNetworkError ||
  error instanceof MongoServerSelectionError ||
  error instanceof MongoNotConnectedError ||
  error instanceof MongoWriteConcernError ||
  (error instanceof MongoError && error.hasErrorLabel(MongoErrorLabel.RetryableWriteError));

async function versionProfile(bench: Bench): Promise<VersionProfile> {
  const { manifest, version } = bench;
  const data = await bench.data();
  const scores = await attempt(bench, 'scores', async () => (await bench.candidateScores()).scores);
  const prediction = typeof scores === 'string' ? null : predictionFeature(manifest, scores);
  const planned = [...inputFeatures(data.inputs), ...(prediction === null ? [] : [prediction])];
  const { made, lacks } = await makeAll(bench, planned);
  const score = await scoreOf(bench, scores, data.labels);
  if (score.lack !== null) lacks.push(score.lack);
  const told = score.score;
  const profile = {
    format: 1,
    rows: data.rows,
    features: made.map(({ feature }) => feature),
    score: told,
  } as const;
  checkProfile(profile);
  const more = lacks.length - MOST_LACKS;
  return {
    format: 1,
    model: manifest.name,
    artifact: version.digest,
    data: manifest.validation.dataDigest ?? '',
    sources: made.map(({ source }) => source),
    score: told === null ? null : manifest.prediction.score,
    lacks: more > 0 ? [...lacks.slice(0, MOST_LACKS), `and ${more} more`] : lacks,
    profile,
  };
}

interface Made {
  readonly made: MadeFeature[];
  readonly lacks: string[];
}

async function makeAll(bench: Bench, planned: readonly PlannedFeature[]): Promise<Made> {
  const made: MadeFeature[] = [];
  const lacks: string[] = [];
  const names = new Set<string>();
  for (const [i, plan] of planned.entries()) {
    if ('lack' in plan) {
      lacks.push(plan.lack);
      continue;
    }
    const { name, make } = plan;
    if (made.length >= MOST_FEATURES) lacks.push(`${name}: there are ${MOST_FEATURES} features already`);
    else if (names.has(name)) lacks.push(`${name}: another feature has that name`);
    else {
      bench.progress.report('profiling', i, planned.length);
      const result = await attempt(bench, name, async () => make());
      if (typeof result === 'string') lacks.push(result);
      else made.push(result);
      names.add(name);
      // Columns are long: heartbeats and other work get their turn between them.
      await setImmediate();
    }
  }
  return { made, lacks };
}

/** The result, or why there is none. @throws a cancellation, and what has nothing to do with the version */
async function attempt<T>(bench: Bench, what: string, make: () => Promise<T>): Promise<T | string> {
  try {
    return await make();
  } catch (error) {
    bench.progress.signal.throwIfAborted();
    if (isInfrastructure(error)) throw error;
    return `${what}: ${reasonOf(error)}`;
  }
}

/** @param scores or why there are none */
async function scoreOf(
  bench: Bench,
  scores: ArrayLike<number> | string,
  labels: ArrayLike<number>,
): Promise<MadeScore> {
  const { task, prediction } = bench.manifest;
  if (typeof scores === 'string') return { score: null, lack: scores };
  if (task !== 'binary') return { score: null, lack: null };
  bench.progress.report('profiling the scores', 0, 1);
  const made = await attempt(bench, 'scores', async () => scoreFeature(scores, labels, prediction.threshold));
  return typeof made === 'string' ? { score: null, lack: made } : made;
}
