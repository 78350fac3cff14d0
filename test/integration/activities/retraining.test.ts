import assert from 'node:assert/strict';
import { readdirSync, symlinkSync } from 'node:fs';
import { mkdir, readdir, readFile, readlink } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { ApplicationFailure } from '@temporalio/common';
import type { Db } from 'mongodb';
import { assemble } from '../../../src/activities/retraining/assemble.js';
import { createRetrainingActivities } from '../../../src/activities/retraining/index.js';
import { judge } from '../../../src/activities/retraining/judge.js';
import { isHeldOut } from '../../../src/activities/retraining/rows.js';
import { trainChallenger } from '../../../src/activities/retraining/train.js';
import type { Manifest } from '../../../src/contracts/manifest.js';
import { openModelThread } from '../../../src/platform/onnx/thread.js';
import { FolderArtifactStore } from '../../../src/platform/registry/index.js';
import { type LabelledRow, MongoLabelledRows } from '../../../src/platform/samples/labelled-rows.js';
import { PLACES, withPlace } from '../../../src/platform/training/places.js';
import { manifest as manifestOf, retrainingSettings } from '../../support/manifests.js';
import { identityModel, logisticModel } from '../../support/onnx.js';
import { putSamples, samples } from '../../support/samples.js';
import { openTestDatabase } from '../../support/database.js';
import { TrainingSite } from '../../support/training.js';
import { until } from '../../support/until.js';

const since = new Date(Date.now() - 30 * 86_400_000).toISOString();

describe('activities of retraining', function () {
  this.timeout(60_000);
  let db: Db;
  let database: Awaited<ReturnType<typeof openTestDatabase>>;
  let site: TrainingSite;
  let artifacts: FolderArtifactStore;
  let rows: MongoLabelledRows;
  before(async () => {
    database = await openTestDatabase();
    db = database.db;
    site = await TrainingSite.open();
    artifacts = new FolderArtifactStore(join(site.folder, 'artifacts'));
    rows = new MongoLabelledRows(db);
    await putSamples(db, samples('employment', 1_000, { slope: 0.5, bias: 0 }));
    await db
      .collection('samples')
      .updateMany({ requestId: { $in: ['r-1', 'r-2'] } }, { $set: { 'inputs.x': null } });
    await db.collection('samples').updateOne({ requestId: 'r-3' }, { $set: { label: 'perhaps' } });
    await db.collection('samples').updateOne({ requestId: 'r-4' }, { $set: { 'inputs.x': 'much' } });
    await db.collection('samples').updateOne({ requestId: 'r-5' }, { $set: { labelledAt: null } });
  });
  after(async () => {
    await site.close();
    await database.drop();
  });

  const put = async (content: string | Uint8Array): Promise<string> =>
    (await artifacts.put(Buffer.from(content))).digest;
  const textOf = async (digest: string | undefined): Promise<string> =>
    readFile(await artifacts.pathOf(digest ?? ''), 'utf8');
  const make = (manifest: Manifest) => assemble({ artifacts, rows }, { manifest, since }, () => undefined);

  describe('the training set', () => {
    it('is the reference data and half of the usable recent rows; the other half is compared on', async () => {
      const dataDigest = await put('employed,other,x\n1.0,a,0.25\n0,b,0.75\n');
      const manifest = manifestOf({ retraining: retrainingSettings({ data: 'rows.csv', dataDigest }) });
      const set = await make(manifest);
      assert.deepEqual([set.recentRows, set.unusableRows, set.referenceRows], [999, 4, 2]);
      const { training, comparison } = set;
      assert.equal((training?.rows ?? 0) + (comparison?.rows ?? 0), 995 + 2);
      assert.ok((comparison?.rows ?? 0) > 400 && (comparison?.rows ?? 0) < 600);
      const [header, first, second, ...others] = (await textOf(training?.digest)).trim().split('\n');
      assert.deepEqual([header, first, second], ['x,employed', '0.25,1', '0.75,0']);
      assert.match(others[0] ?? '', /^\d\.0,[01]$/);
      assert.equal(others.length, (training?.rows ?? 0) - 2);
      // The same rows give the same bytes.
      assert.deepEqual(await make(manifest), set);
    });

    it('is compared on rows since a change only; those of before that are held out are not trained on', async () => {
      const manifest = manifestOf({ retraining: retrainingSettings() });
      const all = await make(manifest);
      const change = new Date(Date.now() - 3600_000 - 200_000);
      const later = await db
        .collection('samples')
        .countDocuments({ model: 'employment', at: { $gte: change } });
      const set = await assemble(
        { artifacts, rows },
        { manifest, since, comparedSince: change.toISOString() },
        () => undefined,
      );
      assert.deepEqual({ ...set, comparison: all.comparison }, all);
      assert.ok(later > 100 && later < 250);
      assert.ok((set.comparison?.rows ?? 0) > 0.3 * later && (set.comparison?.rows ?? 0) < 0.7 * later);
      const none = { manifest, since, comparedSince: new Date().toISOString() };
      assert.equal((await assemble({ artifacts, rows }, none, () => undefined)).comparison, null);
    });

    it('is what the query of the manifest gives, which reaches nothing else', async () => {
      const query = 'SELECT * FROM recent WHERE x > 4';
      const set = await make(manifestOf({ retraining: retrainingSettings({ query }) }));
      const lines = (await textOf(set.training?.digest)).trim().split('\n').slice(1);
      assert.ok(lines.length > 200 && lines.every((line) => Number(line.split(',')[0]) > 4));
      for (const [bad, why] of [
        ["SELECT x, employed FROM read_csv('/etc/passwd')", /disabled by configuration/],
        ['SELECT x FROM recent', /employed/],
        ['nonsense', /syntax error/],
      ] as const)
        await assert.rejects(
          make(manifestOf({ retraining: retrainingSettings({ query: bad }) })),
          (error) => {
            assert.ok(error instanceof ApplicationFailure && error.nonRetryable === true);
            assert.match(error.message, why);
            return true;
          },
        );
    });

    it('is nothing where there are no rows', async () => {
      const set = await make(manifestOf({ name: 'other', retraining: retrainingSettings() }));
      assert.deepEqual([set.training, set.comparison, set.recentRows], [null, null, 0]);
    });

    it('fails where the disk is full, wherever that shows, and leaves nothing behind', async () => {
      const { TMPDIR } = process.env;
      const folder = join(site.folder, 'full');
      await mkdir(folder);
      process.env['TMPDIR'] = folder;
      try {
        // Full while rows come, full when the last of them are written; and what reads the rows is told to end.
        for (const [count, file] of [
          [100_000, 'recent.csv'],
          [100_000, 'held.csv'],
          [10, 'recent.csv'],
          [10, 'held.csv'],
        ] as const) {
          let [read, ended] = [0, false];
          const full = {
            count: async () => 0,
            async *read(): AsyncGenerator<LabelledRow> {
              const [own = ''] = readdirSync(folder);
              symlinkSync('/dev/full', join(folder, own, file));
              // The first write has failed by the time that a row comes: nobody waits for it then.
              await sleep(20);
              try {
                for (; read < count; read += 1)
                  yield { requestId: `r-${read}`, at: new Date(), inputs: { x: 1 }, label: 1 };
              } finally {
                ended = true;
              }
            },
          };
          const manifest = manifestOf({ retraining: retrainingSettings() });
          await assert.rejects(
            assemble({ artifacts, rows: full }, { manifest, since }, () => undefined),
            { code: 'ENOSPC' },
            file,
          );
          assert.deepEqual([ended, count === 10 || read < count], [true, true], file);
          assert.deepEqual(await readdir(folder), []);
          const open = await Promise.all(
            (await readdir('/proc/self/fd')).map((fd) => readlink(`/proc/self/fd/${fd}`).catch(() => '')),
          );
          assert.deepEqual(
            open.filter((target) => target === '/dev/full' || target.startsWith(folder)),
            [],
          );
        }
      } finally {
        if (TMPDIR === undefined) delete process.env['TMPDIR'];
        else process.env['TMPDIR'] = TMPDIR;
      }
    });

    it('says which columns the reference data lack', async () => {
      const dataDigest = await put('x\n1\n');
      const retraining = retrainingSettings({ data: 'rows.csv', dataDigest });
      await assert.rejects(
        make(manifestOf({ retraining })),
        /retraining.data has no column employed; it has x/,
      );
    });
  });

  it('counts labels that came after a moment, also of rows before it; and reads schedules by their time zone', async () => {
    const activities = createRetrainingActivities({ rows });
    const labels = async (labelsSince: string, rowsSince = since) =>
      (await activities.readRetrainingSigns({ model: 'employment', rowsSince, labelsSince, schedule: null }))
        .labels;
    assert.equal(await labels(since), 999);
    assert.equal(await labels(new Date().toISOString()), 0);
    await db
      .collection('samples')
      .updateOne({ requestId: 'r-9' }, { $set: { labelledAt: new Date(Date.now() + 60_000) } });
    assert.equal(await labels(new Date().toISOString()), 1);
    const next = async (cron: string, after: string) =>
      (
        await activities.readRetrainingSigns({
          model: 'employment',
          rowsSince: since,
          labelsSince: since,
          schedule: { cron, timeZone: 'Europe/Paris', after },
        })
      ).next;
    assert.equal(await next('30 3 * * *', '2026-01-10T00:00:00.000Z'), '2026-01-10T02:30:00.000Z');
    assert.equal(await next('30 3 * * *', '2026-07-10T00:00:00.000Z'), '2026-07-10T01:30:00.000Z');
    assert.equal(await next('0 0 30 2 *', '2026-01-01T00:00:00.000Z'), null);
  });

  describe('the judgement', () => {
    const progress = { report: () => undefined, signal: new AbortController().signal };
    async function judged(
      challenger: Uint8Array,
      changes: Partial<Manifest> = {},
      champion = logisticModel([0.1]),
    ) {
      const manifest = manifestOf({ retraining: retrainingSettings({ metric: 'logLoss' }), ...changes });
      const { comparison } = await make(manifest);
      const ref = async (version: string, content: Uint8Array) => ({ version, digest: await put(content) });
      return judge(
        { artifacts, openModel: openModelThread },
        {
          manifest,
          challenger: await ref('retrained-1', challenger),
          champion: await ref('v1', champion),
          comparison: comparison ?? { digest: '0'.repeat(64), rows: 0 },
        },
        progress,
      );
    }

    it('says how much better the challenger is, with limits; and that the same model is no better', async () => {
      const better = await judged(logisticModel([0.5]));
      assert.ok(better.kind === 'compared');
      assert.ok(better.lower > 0 && better.lower < better.gain && better.gain < better.upper);
      assert.equal(Math.round((better.champion - better.challenger) * 1e9), Math.round(better.gain * 1e9));
      const worse = await judged(logisticModel([0.1]), {}, logisticModel([0.5]));
      assert.ok(worse.kind === 'compared' && worse.upper < 0);
      const same = await judged(logisticModel([0.5]), {}, logisticModel([0.5]));
      assert.ok(same.kind === 'compared' && same.gain === 0 && same.lower <= 0);
    });

    it('finds a model with other inputs, and one that does not load', async () => {
      const other = identityModel([{ name: 'age', datatype: 'FP32', shape: ['N', 1] }]);
      const unfit = await judged(other);
      assert.ok(unfit.kind === 'unfit');
      assert.match(unfit.reason, /the model has no input x; it has age/);
      const broken = await judged(Buffer.from('no model'));
      assert.ok(broken.kind === 'unfit');
      assert.match(broken.reason, /cannot be loaded/);
    });

    it('says that there are too few rows, or only one class', async () => {
      const few = samples('few', 60, { slope: 0.5, bias: -2 });
      await putSamples(db, few);
      const found = await judged(logisticModel([0.5]), { name: 'few' });
      assert.ok(found.kind === 'insufficient');
      assert.match(found.reason, /a comparison needs at least/);
      await putSamples(db, samples('one', 300, { slope: 0, bias: -99 }));
      const one = await judged(logisticModel([0.5]), { name: 'one' });
      assert.ok(one.kind === 'insufficient');
      assert.match(one.reason, /one class only/);
    });
  });

  describe('training', () => {
    const watch = {
      signal: new AbortController().signal,
      onWait: () => undefined,
      onProgress: () => undefined,
    };
    async function train(body: string, retraining: number) {
      const manifest = manifestOf({ retraining: retrainingSettings({ command: await site.trainer(body) }) });
      const champion = { version: 'v1', digest: await put(logisticModel([0.1])) };
      const training = { digest: await put('x,employed\n1,1\n'), rows: 1 };
      const deps = { db, artifacts, platform: site.platform, places: { places: 1, pollMs: 50 } };
      return trainChallenger(deps, { retraining, manifest, champion, training }, watch);
    }

    it('puts the model into the artifact store, and gives the place back', async () => {
      const content = logisticModel([0.3]).toString('base64');
      const made = await train(
        `if (!fs.existsSync(request.champion.file)) process.exit(9);
         fs.writeFileSync(request.output.model, Buffer.from('${content}', 'base64'));`,
        1,
      );
      assert.ok(await artifacts.has(made.digest));
      assert.deepEqual([made.attempt, made.adopted, made.metrics], [1, false, null]);
      assert.equal(await db.collection(PLACES).countDocuments(), 0);
    });

    it('fails for good only where another attempt cannot help', async () => {
      for (const [code, isFinal] of [
        [65, true],
        [0, true],
        [3, false],
      ] as const)
        await assert.rejects(train(`process.exit(${code})`, 10 + code), (error) => {
          assert.ok(error instanceof ApplicationFailure && error.type === 'TrainingFailed');
          assert.equal(error.nonRetryable === true, isFinal, error.message);
          return true;
        });
    });
  });

  describe('places of the fleet', () => {
    const settings = { places: 2, leaseMs: 600, pollMs: 20 };
    const signal = new AbortController().signal;

    it('hold at most so many at once, whoever asks', async () => {
      let [now, most] = [0, 0];
      await Promise.all(
        Array.from({ length: 8 }, (_, i) =>
          withPlace(db, `run-${i}`, settings, { signal, onWait: () => undefined }, async () => {
            now += 1;
            most = Math.max(most, now);
            await new Promise((done) => setTimeout(done, 30));
            now -= 1;
          }),
        ),
      );
      assert.deepEqual([now, most], [0, 2]);
    });

    it('are given up by the dead, and taken over at once by another attempt of the same run', async () => {
      const dead = { run: 'dead', holder: 'gone', until: new Date(Date.now() + 400) };
      const places = db.collection<{ _id: number; run: string; holder: string; until: Date }>(PLACES);
      await places.insertMany([
        { _id: 0, ...dead },
        { _id: 1, ...dead, run: 'mine', until: new Date(Date.now() + 1e6) },
      ]);
      const waits: number[] = [];
      const waiting = { signal, onWait: () => void waits.push(1) };
      await withPlace(db, 'mine', settings, waiting, () => Promise.resolve());
      assert.equal(waits.length, 0);
      await places.insertOne({ _id: 1, ...dead, until: new Date(Date.now() + 1e6) });
      await withPlace(db, 'other', settings, waiting, () => Promise.resolve());
      await places.deleteMany({});
    });

    it('end what runs when they are lost', async () => {
      const running = withPlace(db, 'loser', settings, { signal, onWait: () => undefined }, (held) => {
        void db.collection(PLACES).updateOne({ run: 'loser' }, { $set: { holder: 'somebody' } });
        return new Promise((_, reject) => held.addEventListener('abort', () => reject(held.reason as Error)));
      });
      await assert.rejects(running, /The place of loser among the fleet's trainings was lost/);
      await db.collection(PLACES).deleteMany({});
    });

    it('are not waited for by who is cancelled', async () => {
      const controller = new AbortController();
      const none = { ...settings, places: 1 };
      await withPlace(db, 'first', none, { signal, onWait: () => undefined }, async () => {
        const onWait = (): void => controller.abort(new Error('cancelled'));
        const second = withPlace(db, 'second', none, { signal: controller.signal, onWait }, () =>
          assert.fail(),
        );
        await assert.rejects(second, /cancelled/);
      });
      await until('the place to be free', async () => (await db.collection(PLACES).countDocuments()) === 0);
    });
  });

  it('holds out about half of the rows, the same ones each time', () => {
    const ids = Array.from({ length: 4_000 }, (_, i) => `request-${i}`);
    const held = ids.filter(isHeldOut);
    // Five standard deviations around the half.
    assert.ok(Math.abs(held.length - 2_000) < 160, String(held.length));
    assert.deepEqual(ids.filter(isHeldOut), held);
  });
});
