/** Data sets, models and a store in a temporary folder for the validation activity. */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DuckDBInstance } from '@duckdb/node-api';
import { MockActivityEnvironment } from '@temporalio/testing';
import { DefaultLogger } from '@temporalio/worker';
import { createValidationActivities } from '../../../../src/activities/validation/index.js';
import type { ValidationDeps } from '../../../../src/activities/validation/index.js';
import type { ValidationActivities } from '../../../../src/contracts/activities.js';
import type { Gate, Manifest } from '../../../../src/contracts/manifest.js';
import type { GateResult, ValidationReport } from '../../../../src/contracts/validation.js';
import { ProfileStore } from '../../../../src/platform/profiles/index.js';
import { openModelThread } from '../../../../src/platform/onnx/thread.js';
import { FolderArtifactStore } from '../../../../src/platform/registry/index.js';
import { openTestDatabase } from '../../../support/database.js';
import { manifest } from '../../../support/manifests.js';
import { logisticModel } from '../../../support/onnx.js';
import { createRandom } from '../../../support/random.js';

export const AT = '2026-11-24T12:00:00.000Z';

export interface Row {
  readonly x: readonly [number | null, number];
  readonly employed: number | string | null;
  readonly area: string | null;
}

/** Labels follow sigmoid(2 x0); area `n` and `s` by half, `tiny` for 12 rows. */
export function makeRows(count: number, seed = 5): Row[] {
  const random = createRandom(seed);
  return Array.from({ length: count }, (_, i) => {
    const x = [random.normal(), random.normal()] as const;
    const employed = random.uniform() < 1 / (1 + Math.exp(-2 * x[0])) ? 1 : 0;
    return { x, employed, area: i < 12 ? 'tiny' : random.uniform() < 0.6 ? 'n' : 's' };
  });
}

/** The model that the labels follow, one that is clearly worse, and one a little worse. */
export const MODELS = {
  good: logisticModel([2, 0]),
  fair: logisticModel([1.9, 0.1]),
  bad: logisticModel([0.4, 1.5]),
} as const;

export interface Site {
  readonly folder: string;
  readonly store: FolderArtifactStore;
  readonly profiles: ProfileStore;
  readonly deps: ValidationDeps;
  put(content: Uint8Array): Promise<string>;
  /** Puts rows as Parquet; columns `x` (list of two), `employed`, `area`. */
  putRows(rows: readonly Row[]): Promise<string>;
  run(given: Partial<RunGiven> & { readonly dataDigest: string }): Promise<ValidationReport>;
  close(): Promise<void>;
}

interface RunGiven {
  readonly gates: readonly Gate[];
  readonly candidate: Uint8Array | string;
  readonly champion: Uint8Array | null;
  readonly at: string;
  readonly overrides: Partial<Manifest>;
  readonly validation: Partial<Manifest['validation']>;
  readonly environment: MockActivityEnvironment;
}

/** Without the SDK's log lines for activities that fail on purpose. */
export const quietEnvironment = (): MockActivityEnvironment =>
  new MockActivityEnvironment({}, { logger: new DefaultLogger('ERROR') });

type RunInput = Parameters<ValidationActivities['validateVersion']>[0];

export async function openSite(): Promise<Site> {
  const database = await openTestDatabase();
  const profiles = new ProfileStore(database.db);
  const folder = await mkdtemp(join(tmpdir(), 'tenure-validation-'));
  const store = new FolderArtifactStore(join(folder, 'artifacts'));
  const deps: ValidationDeps = {
    artifacts: store,
    profiles,
    openModel: openModelThread,
    commandPath: process.env['PATH'] ?? '',
  };
  const activities = createValidationActivities(deps);
  const put = async (content: Uint8Array): Promise<string> => (await store.put(content)).digest;
  return {
    folder,
    store,
    profiles,
    deps,
    put,
    putRows: async (rows) => {
      const json = join(folder, 'rows.json');
      const parquet = join(folder, 'rows.parquet');
      await writeFile(json, JSON.stringify(rows));
      const database = await DuckDBInstance.create(':memory:');
      const connection = await database.connect();
      await connection.run(`COPY (SELECT CAST(x AS FLOAT[]) AS x, employed, area FROM read_json('${json}',
        columns = {x: 'DOUBLE[]', employed: 'VARCHAR', area: 'VARCHAR'})) TO '${parquet}' (FORMAT parquet)`);
      connection.closeSync();
      database.closeSync();
      return put(await readFile(parquet));
    },
    run: async ({
      dataDigest,
      gates = [],
      candidate = MODELS.good,
      champion = null,
      at = AT,
      overrides,
      validation,
      environment,
    }) => {
      const digest = typeof candidate === 'string' ? candidate : await put(candidate);
      const base = manifest({
        schema: {
          inputs: [{ name: 'x', datatype: 'FP32', width: 2, nullable: false }],
          outputs: [{ name: 'score', datatype: 'FP32', width: 1 }],
        },
        ...overrides,
      });
      return (environment ?? quietEnvironment()).run((input: RunInput) => activities.validateVersion(input), {
        manifest: {
          ...base,
          validation: { ...base.validation, goldenRows: 20, dataDigest, gates, ...validation },
        },
        version: { version: 'v2', digest },
        champion: champion === null ? null : { version: 'v1', digest: await put(champion) },
        release: 1,
        at,
      });
    },
    close: async () => {
      await database.drop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** A gate's result by name. */
export function gateOf(report: ValidationReport, name: string): GateResult {
  const found = report.gates.find(({ gate }) => gate === name);
  if (found === undefined)
    throw new Error(`No gate ${name} among ${report.gates.map(({ gate }) => gate).join(', ')}`);
  return found;
}

/** Name -> verdict. */
export const verdictsOf = (report: ValidationReport): Record<string, string> =>
  Object.fromEntries(report.gates.map(({ gate, verdict }) => [gate, verdict]));
