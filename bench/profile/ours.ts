/** What Tenure does with the rows: the data set and the features' profile as at validation, the windows as `tenure observe` counts them. */
import { inputFeatures } from '../../src/activities/validation/profile-features.js';
import { readDataSet } from '../../src/activities/validation/data-set.js';
import { takeFile } from '../../src/client/observed-file.js';
import type { Manifest } from '../../src/contracts/manifest.js';
import { openRows } from '../../src/platform/data-files/data-file.js';
import type { CountedCell } from '../../src/platform/observations/label-window.js';
import { RowTaker } from '../../src/platform/observations/take-rows.js';
import { profileDigest, type StoredProfile } from '../../src/platform/profiles/index.js';
import { judgeWindow } from '../../src/statistics/drift/judge-window.js';
import { inputPairs } from '../../src/statistics/monitor/pairs.js';
import { manifest } from '../../test/support/manifests.js';
import { BEGAN, HOURS, type Made } from './made.js';

const WINDOW_SECONDS = 3_600;
const ARTIFACT = 'a'.repeat(64);

/** @returns names of the columns in which there is a significant change in any of the hours, by name */
export async function profileAndJudge(made: Made): Promise<readonly string[]> {
  const stored = await profileOf(made);
  const windows = await windowsOf(made.later, stored);
  const monitored = { digest: stored.digest, profile: stored.content.profile, predictions: [] };
  const found = windows.flatMap(({ cells }) => {
    const counts = (cells as readonly CountedCell[])[0]?.features ?? null;
    if (counts === null) throw new Error('A window has no features');
    const pairs = inputPairs(monitored, counts, []);
    const judged = judgeWindow(Object.fromEntries(pairs.map((pair) => [pair.name, pair.counts])));
    return judged.features.flatMap((one) =>
      one.verdict === 'insufficient' || one.pInWindow > judged.alpha ? [] : [one.name],
    );
  });
  if (windows.length !== HOURS) throw new Error(`There are ${windows.length} windows instead of ${HOURS}`);
  return [...new Set(found)].sort();
}

async function profileOf({ reference, numeric, categorical }: Made): Promise<StoredProfile> {
  const inputs: Manifest['schema']['inputs'] = [
    ...numeric.map((name) => ({ name, datatype: 'FP64', width: 1, nullable: true }) as const),
    ...categorical.map((name) => ({ name, datatype: 'BYTES', width: 1, nullable: false }) as const),
  ];
  const { schema, validation } = manifest();
  const described = manifest({
    schema: { ...schema, inputs },
    validation: { ...validation, target: 'label' },
  });
  const progress = { report: () => undefined, signal: new AbortController().signal };
  const data = await readDataSet(reference, described, progress);
  const features = inputFeatures(data.inputs).map((plan) => {
    const one = 'make' in plan ? plan.make() : plan.lack;
    if (typeof one === 'string') throw new Error(one);
    return one;
  });
  const content = {
    format: 1,
    model: described.name,
    artifact: ARTIFACT,
    data: '',
    sources: features.map(({ source }) => source),
    score: null,
    lacks: [],
    profile: { format: 1, rows: data.rows, features: features.map(({ feature }) => feature), score: null },
  } as const;
  return { digest: profileDigest(content), madeAt: new Date(BEGAN).toISOString(), content };
}

async function windowsOf(path: string, profile: StoredProfile) {
  const taker = new RowTaker({
    head: {
      model: profile.content.model,
      ref: { version: 'v1', digest: ARTIFACT },
      batch: 'later',
      content: '',
    },
    profile,
    monitoring: {
      sampleShare: 0.01,
      sampleSeconds: 86_400,
      labelSeconds: 86_400,
      windowSeconds: WINDOW_SECONDS,
      personal: [],
      task: 'binary',
      classes: [0, 1],
    },
    now: BEGAN + 2 * HOURS * 3_600_000,
    mostStretches: 2 * HOURS,
  });
  const file = await openRows(path, { kinds: ['Parquet'], name: 'The file of later rows' });
  try {
    await takeFile(file, taker, new Set());
  } finally {
    file.close();
  }
  return taker.counted().windows;
}
