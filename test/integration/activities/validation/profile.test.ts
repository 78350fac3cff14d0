import assert from 'node:assert/strict';
import { MongoNetworkError } from 'mongodb';
import type { InputField, Manifest } from '../../../../src/contracts/manifest.js';
import type { ValidationReport } from '../../../../src/contracts/validation.js';
import { createValidationActivities, evidenceHashOf } from '../../../../src/activities/validation/index.js';
import { profileDigest, type StoredProfile } from '../../../../src/platform/profiles/index.js';
import type { CategoricalProfile, NumericProfile } from '../../../../src/statistics/profile/types.js';
import { WindowCounter } from '../../../../src/statistics/profile/window.js';
import { manifest } from '../../../support/manifests.js';
import { lookupModel } from '../../../support/onnx.js';
import { AT, makeRows, MODELS, openSite, quietEnvironment } from './support.js';
import type { Site } from './support.js';

const wide = (input: Partial<InputField>): Pick<Manifest, 'schema'> => ({
  schema: {
    inputs: [{ name: 'x', datatype: 'FP32', width: 2, nullable: false, ...input }],
    outputs: [{ name: 'score', datatype: 'FP32', width: 1 }],
  },
});

describe('the reference profile of a version', () => {
  let site: Site;
  let data: string;
  const rows = makeRows(2000);
  before(async () => {
    site = await openSite();
    data = await site.putRows(rows);
  });
  after(() => site.close());

  const made = async (given: Partial<Parameters<Site['run']>[0]> = {}): Promise<StoredProfile> => {
    const report = await site.run({ dataDigest: data, ...given });
    const stored = await site.profiles.get(report.profile?.digest ?? '');
    assert.ok(stored, JSON.stringify(report.profile));
    return stored;
  };

  it('holds inputs and scores, under its digest, and the report is bound to it', async () => {
    const report = await site.run({ dataDigest: data });
    const { digest, lacks } = report.profile ?? {};
    assert.deepEqual(lacks, []);
    const stored = await site.profiles.get(digest ?? '');
    const { content } = stored!;
    assert.equal(profileDigest(content), digest);
    assert.deepEqual([content.model, content.artifact, content.data], ['employment', report.digest, data]);
    assert.deepEqual(await site.profiles.newest('employment', report.digest), stored);
    assert.equal(await site.profiles.newest('other', report.digest), null);
    const { evidenceHash, profile, ...rest } = report;
    assert.equal(evidenceHash, evidenceHashOf({ ...rest, profile: profile! }));
    assert.notEqual(evidenceHash, evidenceHashOf(rest));
    assert.notEqual(evidenceHash, evidenceHashOf({ ...rest, profile: { digest: null, lacks: [] } }));

    const { features, score } = content.profile;
    assert.deepEqual(
      features.map(({ name, kind }) => [name, kind]),
      [
        ['x[0]', 'numeric'],
        ['x[1]', 'numeric'],
      ],
    );
    assert.deepEqual(content.sources[1], {
      from: 'input',
      name: 'x',
      datatype: 'FP32',
      element: 1,
      width: 2,
    });
    assert.equal(content.score, 'score');
    const labels = (list: readonly number[]): number => list.reduce((sum, n) => sum + n, 0);
    const employed = rows.filter((row) => row.employed === 1).length;
    assert.deepEqual([score!.counts, score!.positives, score!.negatives].map(labels), [
      2000,
      employed,
      2000 - employed,
    ]);
    assert.equal(score!.estimator.metrics.auc.bounds?.values.length, 10);
  });

  it('has values as the model gets them: a row of the reference is within its range', async () => {
    const { content } = await made();
    const counter = new WindowCounter(content.profile, 'd');
    for (const { x } of rows) counter.add(x.map((value) => Math.fround(value!)));
    counter.counts().features.forEach((counts, i) => {
      assert.ok(counts.kind === 'numeric');
      assert.deepEqual([counts.below, counts.above], [0, 0]);
      assert.deepEqual(counts.counts, content.profile.features[i]!.counts);
    });
  });

  it('is stored once: the same again is the same profile, made later', async () => {
    const one = await made();
    const two = await made();
    assert.equal(one.digest, two.digest);
    assert.ok(two.madeAt >= one.madeAt);
    const other = await made({ candidate: MODELS.fair });
    assert.notEqual(other.digest, one.digest);
    // The newest is the one that was made last, whichever was there first.
    const less = await site.putRows(rows.slice(0, 1000));
    const second = await made({ dataDigest: less });
    assert.equal((await site.profiles.newest('employment', one.content.artifact))?.digest, second.digest);
    await made();
    assert.equal((await site.profiles.newest('employment', one.content.artifact))?.digest, one.digest);
  });

  it('shows nobody where a field is personal', async () => {
    const { content } = await made({ overrides: wide({ personal: true, min: -100, max: 100 }) });
    const [x] = content.profile.features as readonly NumericProfile[];
    assert.deepEqual([x?.personal, x?.moments, x?.range], [true, null, { least: -100, most: 100 }]);
    assert.ok(x?.counts.every((count) => count >= 20));
  });

  it('says what it lacks: scores of too few rows', async () => {
    const few = await made({ dataDigest: await site.putRows(rows.slice(0, 200)) });
    assert.equal(few.content.profile.score, null);
    assert.match(few.content.lacks.join(), /^scores: 200 rows do not make 10 chunks of at least 30$/);
  });

  it('fails nothing: without data or a model there is none, and a broken model has no scores', async () => {
    const report = await site.run({ dataDigest: 'e'.repeat(64) });
    assert.equal(report.profile?.digest, null);
    assert.match(report.profile?.lacks.join() ?? '', /^all: The data set cannot be used/);
    const broken = await site.run({ dataDigest: data, candidate: lookupModel(3, [0.5]) });
    const stored = await site.profiles.get(broken.profile?.digest ?? '');
    assert.equal(stored?.content.profile.features.length, 2);
    assert.match(broken.profile?.lacks.join() ?? '', /^scores: The candidate cannot be scored/);
  });

  it('reads categories from a CSV, those of a personal field without their names', async () => {
    const csv = await site.put(
      Buffer.from(
        `a,b,kind,who,employed\n${rows.map(({ x, employed, area }, i) => `${x[0]},${i % 3},${area},p${i},${employed}`).join('\n')}\n`,
      ),
    );
    const field = (
      name: string,
      datatype: InputField['datatype'],
      more: Partial<InputField> = {},
    ): InputField => ({
      name,
      datatype,
      width: 1,
      nullable: false,
      ...more,
    });
    const { content } = await made({
      dataDigest: csv,
      overrides: {
        schema: {
          inputs: [
            field('a', 'FP64'),
            field('b', 'INT64', { categories: [0, 1, 2] }),
            field('kind', 'BYTES'),
            field('who', 'BYTES', { personal: true }),
          ],
          outputs: [{ name: 'score', datatype: 'FP32', width: 1 }],
        },
      },
    });
    const [a, b, kind, who] = content.profile.features as readonly [
      NumericProfile,
      CategoricalProfile,
      CategoricalProfile,
      CategoricalProfile,
    ];
    assert.equal(a.range?.least, Math.min(...rows.map(({ x }) => x[0]!)));
    assert.deepEqual([b.of, b.values, b.counts], ['number', ['0', '1', '2'], [667, 667, 666]]);
    const counted = kind.values.map((name, i) => [name, kind.counts[i]]);
    assert.deepEqual(
      Object.fromEntries(counted),
      Object.fromEntries(
        ['n', 's', 'tiny'].map((area) => [area, rows.filter((row) => row.area === area).length]),
      ),
    );
    assert.deepEqual([who.values, who.counts, who.other], [[], [], { rows: 2000, values: 2000 }]);
    assert.ok(!JSON.stringify(content).includes('p1999'));
  });

  it('leaves a store that is away to the retry', async () => {
    const FakeAway = { put: () => Promise.reject(new MongoNetworkError('connection closed')) };
    const FakeRefusing = { put: () => Promise.reject(new Error('too large')) };
    const base = manifest(wide({}));
    const input = {
      manifest: { ...base, validation: { ...base.validation, dataDigest: data } },
      version: { version: 'v2', digest: await site.put(MODELS.good) },
      champion: null,
      release: 1,
      at: AT,
    };
    const run = (profiles: typeof FakeAway): Promise<ValidationReport> => {
      const activities = createValidationActivities({ ...site.deps, profiles });
      return quietEnvironment().run(() => activities.validateVersion(input));
    };
    await assert.rejects(run(FakeAway), MongoNetworkError);
    const report = await run(FakeRefusing);
    assert.deepEqual([report.passed, report.profile], [true, { digest: null, lacks: ['all: too large'] }]);
  });
});
