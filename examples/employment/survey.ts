/**
 * The second model of the demo: the same question, asked in a survey of people under 40. Its champion has never seen anybody older.
 * Rows and labels are the census's; that the survey had this limit, and lost it, is made up.
 */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { DuckDBInstance } from '@duckdb/node-api';
import { stringify } from 'yaml';
import { age, categories } from './columns.js';
import { dataFile, pick, quoted, readTable, type Part } from './data.js';
import type { SurveyPace } from './demo/pace.js';
import { keepModel, modelsFolder, sha256, storedModel } from './model-files.js';
import type { RequestRow } from './rows.js';
import { exportOnnx } from './training/export.js';
import { train } from './training/network.js';
import { recipes } from './training/versions.js';

export const SURVEY = 'survey';
/** Nobody of this age or older was asked at first. */
export const AGE_LIMIT = 40;

export interface SurveyFiles {
  /** Path of model.yaml. */
  readonly manifest: string;
  /** Path of the first version. */
  readonly version: string;
}

const RECIPE = { ...recipes.v2, seed: 5 };

/** The first version, trained unless it was before. A few seconds. @returns its path */
export async function ensureSurveyModel(folder = modelsFolder): Promise<string> {
  const trainingDataDigest = sha256(await readFile(dataFile('train')));
  const made = { trainingDataDigest, recipeDigest: sha256(JSON.stringify({ ...RECIPE, AGE_LIMIT })) };
  const kept = await storedModel(folder, 'survey-v1', made);
  if (kept !== null) return kept.path;
  const all = await readTable('train');
  const ages = all.columns.get(age.name) as Int32Array;
  const network = await train(
    RECIPE,
    pick(all, (row) => (ages[row] as number) < AGE_LIMIT),
    [],
  );
  return (await keepModel(folder, 'survey-v1', exportOnnx('survey-v1', network), made)).path;
}

/** Writes manifest, validation data and the training data of the first version into a folder. */
export async function prepareSurvey(folder: string, version: string, pace: SurveyPace): Promise<SurveyFiles> {
  const data = join(folder, 'survey-validation.parquet');
  const reference = join(folder, 'survey-train.parquet');
  await writeRows('validation', data);
  await writeRows('train', reference);
  const file = join(folder, 'survey.yaml');
  await writeFile(file, stringify(manifest({ data, reference }, pace)));
  return { manifest: file, version };
}

/** Whether the survey asks this person while it has its limit. */
export const isAsked = ({ body }: RequestRow): boolean =>
  body.inputs.some(({ name, data }) => name === age.name && data[0] < AGE_LIMIT);

/** The schooling codes of every third row come from another list. */
export function recoded(row: RequestRow): RequestRow {
  if (Number(row.routingKey.replace(/\D/g, '')) % 3 !== 0) return row;
  const inputs = row.body.inputs.map((input) =>
    input.name === 'SCHL' ? { ...input, data: [input.data[0] + 100] as const } : input,
  );
  return { ...row, body: { ...row.body, inputs } };
}

/** The rows of people who were asked at first. */
async function writeRows(part: Part, file: string): Promise<void> {
  const database = await DuckDBInstance.create(':memory:');
  const connection = await database.connect();
  try {
    await connection.run(
      `COPY (SELECT * FROM read_parquet(${quoted(dataFile(part))}) WHERE ${age.name} < ${AGE_LIMIT})
       TO ${quoted(file)} (FORMAT parquet)`,
    );
  } finally {
    connection.closeSync();
  }
}

/** The trainer is started in a folder of its own, so every path is whole. */
const TRAINER = [
  process.execPath,
  `--import=${import.meta.resolve('tsx')}`,
  fileURLToPath(new URL('retrain.ts', import.meta.url)).replace('/dist/', '/'),
];

const manifest = (
  { data, reference }: { readonly data: string; readonly reference: string },
  { windowSeconds, minRows, clearWindows, stepSeconds, soakSeconds }: SurveyPace,
): object => ({
  apiVersion: 'tenure/v1',
  kind: 'Model',
  name: SURVEY,
  team: 'labour-statistics',
  owner: 'ada.moreau',
  contacts: [
    { name: 'Ada Moreau', role: 'ml-engineer', email: 'ada.moreau@example.org' },
    { name: 'Noor Haddad', role: 'on-call', email: 'on-call@example.org' },
  ],
  purpose: 'Estimates whether a person is employed, in a small survey. Nobody is decided about.',
  task: 'binary',
  riskTier: 'low',
  schema: {
    inputs: [
      { name: age.name, datatype: 'FP32' },
      ...categories.map(({ name }) => ({ name, datatype: 'INT64' })),
    ],
    outputs: [
      { name: 'score', datatype: 'FP32' },
      { name: 'label', datatype: 'INT64' },
    ],
  },
  prediction: { score: 'score', classes: [0, 1] },
  validation: { data, target: 'employed', gates: [{ kind: 'metric', metric: 'auc', min: 0.87 }] },
  canary: {
    judgement: 'watch',
    steps: [
      { weight: 0.1, minKeys: 200, minSeconds: stepSeconds },
      { weight: 0.5, minKeys: 500, minSeconds: stepSeconds },
    ],
  },
  soak: { seconds: soakSeconds },
  objectives: { latencyMs: 100 },
  monitoring: {
    windowSeconds,
    // As many windows as two years have hours.
    falseFindingSeconds: 2 * 365 * 24 * windowSeconds,
    season: 'none',
    minRows,
    // Ancestry has really moved since 2015, by 5 % of the rows: that is recorded, and nobody is called.
    material: 0.1,
    samples: { share: 1, retainSeconds: '1h' },
    promotionSeconds: 5,
    policy: {
      drift: ['notify'],
      performance: ['notify', 'retrain'],
      quality: ['notify'],
      traffic: [],
      availability: ['notify'],
    },
    incidents: { clearWindows, escalation: [{ afterSeconds: '15m', roles: ['on-call'] }] },
  },
  retraining: {
    platform: 'process',
    command: TRAINER,
    data: reference,
    timeoutSeconds: 120,
    memoryMb: 2000,
    triggers: { finding: true },
    cooldownSeconds: 60,
    // Of rows since the change, which are all that a challenger is compared on.
    minLabels: 1000,
    budget: { runs: 2, perSeconds: '1d' },
    recentSeconds: 60,
    metric: 'auc',
    margin: 0.003,
  },
});
