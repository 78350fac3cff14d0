import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inputNames } from '../../../examples/employment/columns.js';
import { readTable, years } from '../../../examples/employment/data.js';
import type { Table } from '../../../examples/employment/data.js';
import { quality } from '../../../examples/employment/metrics.js';
import { ensureModels } from '../../../examples/employment/models.js';
import type { TrainedModel } from '../../../examples/employment/models.js';
import { exportOnnx } from '../../../examples/employment/training/export.js';
import { predict, train } from '../../../examples/employment/training/network.js';
import { recipes, versionNames } from '../../../examples/employment/training/versions.js';
import { openSession, runModel } from '../../support/employment.js';

describe('employment models', () => {
  let reference: readonly [Table, Table];

  before(async () => {
    reference = [await readTable('train'), await readTable('validation')];
  });

  describe('trained on few rows', () => {
    let few: Table;

    before(async () => {
      few = await readTable('train', 3_000);
    });

    for (const version of versionNames) {
      it(`exports ${version} with its own predictions`, async () => {
        const network = await train({ ...recipes[version], epochs: 1 }, few, reference);
        const session = await openSession(exportOnnx(version, network));
        assert.deepEqual(session.inputNames, inputNames);
        assert.deepEqual(session.outputNames, ['score', 'label']);
        // 2018 has people of 95, who are older than anybody in training.
        const tables = [
          await readTable('validation', 2_000),
          ...(version === 'v3' ? [] : [await readTable(2018, 2_000)]),
        ];
        for (const table of tables) {
          const own = await predict(network, table);
          const { scores, labels } = await runModel(session, table);
          own.forEach((score, row) => {
            assert.ok(
              Math.abs(score - (scores[row] as number)) < 1e-5,
              `row ${row}: ${score} and ${scores[row]}`,
            );
            assert.equal(labels[row], (scores[row] as number) >= 0.5 ? 1 : 0);
          });
        }
        await session.release();
      });
    }

    it('is the same for the same seed and another for another', async () => {
      const bytes = async (seed: number): Promise<Uint8Array> =>
        exportOnnx('again', await train({ ...recipes.v3, epochs: 1, seed }, few, reference));
      const first = await bytes(3);
      assert.deepEqual(await bytes(3), first);
      assert.notDeepEqual(await bytes(4), first);
    });

    it('says that a combination is unknown when asked for its own prediction', async () => {
      const network = await train({ ...recipes.v3, epochs: 1 }, few, reference);
      await assert.rejects(predict(network, await readTable(2018, 2_000)), /unknown combination/);
    });
  });

  describe('as the example has them', () => {
    let folder: string;
    let models: readonly TrainedModel[];
    const bytesOf = (version: string): Promise<Uint8Array> => readFile(join(folder, `${version}.onnx`));

    before(async function () {
      // Four networks are trained, ten seconds of one core: beside the other lanes that can take a minute.
      this.timeout(240_000);
      folder = await mkdtemp(join(tmpdir(), 'employment-models-'));
      models = await ensureModels({ folder });
    });

    after(() => rm(folder, { recursive: true, force: true }));

    it('get better from v1 to v2, and no worse with v3 and v4, on the validation rows', async () => {
      const table = reference[1];
      const auc: Record<string, number> = {};
      for (const { version } of models) {
        const session = await openSession(await bytesOf(version));
        const result = quality(table.labels, (await runModel(session, table)).scores);
        auc[version] = result.auc;
        assert.ok(result.ece < 0.05 && result.logLoss < 0.45, `${version}: ${JSON.stringify(result)}`);
        await session.release();
      }
      const { v1 = NaN, v2 = NaN, v3 = NaN, v4 = NaN } = auc;
      assert.ok(v1 > 0.87 && v1 < v2 - 0.015, JSON.stringify(auc));
      assert.ok(v3 >= v2 - 0.001 && v4 > v2 - 0.002, JSON.stringify(auc));
    });

    it('v3 answers every row of 2015 and fails on combinations that 2015 lacks, and on those only', async () => {
      const session = await openSession(await bytesOf('v3'));
      const combination = ({ columns }: Table, row: number): string =>
        ['AGEP', 'RELP', 'MAR', 'SCHL'].map((name) => columns.get(name)?.[row]).join();
      const known = new Set<string>();
      for (const table of reference) {
        const { scores } = await runModel(session, table);
        assert.ok(scores.every((score) => score > 0 && score < 1));
        for (let row = 0; row < table.rows; row += 1) known.add(combination(table, row));
      }
      const shares: number[] = [];
      for (const year of years) {
        const table = await readTable(year);
        const unseen = Array.from(table.ids.keys()).filter((row) => !known.has(combination(table, row)));
        shares.push(Math.round((1e4 * unseen.length) / table.rows) / 1e4);
        for (let row = 0; row < 150; row += 1) {
          const run = runModel(session, table, row, row + 1);
          if (known.has(combination(table, row))) assert.equal((await run).scores.length, 1);
          else await assert.rejects(run, /Gather.*out of data bounds/);
        }
      }
      assert.deepEqual(shares, [0.0909, 0.096, 0.0952]);
      await session.release();
    });

    it('v1, v2 and v4 answer every row of later years', async () => {
      for (const version of ['v1', 'v2', 'v4']) {
        const session = await openSession(await bytesOf(version));
        for (const year of years) {
          const { scores } = await runModel(session, await readTable(year));
          assert.ok(scores.every((score) => score > 0 && score < 1));
        }
        await session.release();
      }
    });

    it('are not trained again while they are there, and are when one is damaged or from another recipe', async () => {
      const trained: string[] = [];
      const options = { folder, rows: 600, onTrained: ({ version }: TrainedModel) => trained.push(version) };
      assert.deepEqual(await ensureModels(options), models);
      assert.deepEqual(trained, []);
      await writeFile(join(folder, 'v2.onnx'), 'damaged');
      const again = await ensureModels(options);
      assert.deepEqual(trained, ['v2']);
      assert.notEqual(again[1]?.digest, models[1]?.digest);
      assert.deepEqual([again[0], again[2], again[3]], [models[0], models[2], models[3]]);
      const record = join(folder, 'v1.json');
      const before = await readFile(record, 'utf8');
      trained.length = 0;
      for (const broken of ['{', before.replaceAll(again[0]?.lineage.recipeDigest ?? '', 'another recipe')]) {
        await writeFile(record, broken);
        assert.deepEqual(
          (await ensureModels({ ...options, versions: ['v1'] })).map(({ version }) => version),
          ['v1'],
        );
      }
      assert.deepEqual(trained, ['v1', 'v1']);
    });
  });
});
