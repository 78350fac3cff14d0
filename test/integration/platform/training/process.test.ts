import assert from 'node:assert/strict';
import { execFileSync, fork } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { compareSignature } from '../../../../src/activities/signature.js';
import { openModelThread } from '../../../../src/platform/onnx/thread.js';
import type {
  NotTrained,
  Trained,
  TrainingOrder,
  TrainingProgress,
} from '../../../../src/platform/training/index.js';
import { digestOf, logisticModel } from '../../../support/onnx.js';
import { alive, TrainingSite } from '../../../support/training.js';
import { until } from '../../../support/until.js';

const WRITE_MODEL = `fs.writeFileSync(request.output.model, Buffer.from('${logisticModel([2]).toString('base64')}', 'base64'));`;

describe('training platform `process`', () => {
  let site: TrainingSite;
  before(async () => {
    site = await TrainingSite.open();
  });
  after(() => site.close());

  async function run(
    body: string,
    overrides: Partial<TrainingOrder> = {},
    onProgress?: (seen: TrainingProgress) => void,
  ): Promise<{ order: TrainingOrder; end: Trained | NotTrained }> {
    const order = await site.order(await site.trainer(body), overrides);
    const end = await site.train(order, onProgress === undefined ? {} : { onProgress });
    assert.deepEqual(alive(order.run), [], 'nothing of it runs any more');
    return { order, end };
  }

  it('gives the request and an environment of its own, and takes model and metrics', async () => {
    process.env['TENURE_TEST_SECRET'] = 'secret';
    const { order, end } = await run(`
      console.log(JSON.stringify({ request, environment: Object.keys(process.env).sort(), cwd: process.cwd(), args: process.argv.slice(2) }));
      ${WRITE_MODEL}
      fs.writeFileSync(request.output.metrics, JSON.stringify({ auc: 0.8, bad: 'text', nothing: null }));`);
    delete process.env['TENURE_TEST_SECRET'];
    assert.ok(end.outcome === 'trained');
    assert.equal(end.model.digest, digestOf(logisticModel([2])));
    assert.deepEqual([end.attempt, end.adopted, end.metrics], [1, false, { auc: 0.8 }]);
    const said = JSON.parse(end.log.head) as Record<string, unknown> & { request: Record<string, unknown> };
    assert.deepEqual(said['environment'], [
      'HOME',
      'LANG',
      'PATH',
      'TENURE_TRAINING_ATTEMPT',
      'TENURE_TRAINING_REQUEST',
      'TMPDIR',
    ]);
    assert.match(String(said['cwd']), /attempts\/1\/work$/);
    const { contract, model, target, inputs, data, champion, limits } = said.request;
    assert.deepEqual([contract, model, target], ['tenure/training/v1', 'employment', 'employed']);
    assert.deepEqual(inputs, [{ name: 'x', datatype: 'FP32', width: 1, nullable: false }]);
    assert.deepEqual([data, champion], [order.data, null]);
    assert.deepEqual(limits, { seconds: 30, memoryMb: 512 });
  });

  it('shows progress while it trains', async () => {
    const seen: TrainingProgress[] = [];
    await run(
      `console.log('{"progress": 0.25, "message": "epoch 1"}'); console.log('{"progress": 7}'); console.log('{broken');
       await sleep(400); console.log(JSON.stringify({ message: 'x'.repeat(5000) })); console.log('{"progress": 0.5}');
       await sleep(400); ${WRITE_MODEL}`,
      {},
      (progress) => seen.push(progress),
    );
    assert.ok(seen.some(({ progress, message }) => progress === 0.25 && message === 'epoch 1'));
    assert.ok(seen.some(({ progress, message }) => progress === 0.5 && message === 'epoch 1'));
    assert.ok(seen.every(({ attempt }) => attempt === 1));
    assert.ok(Math.max(...seen.map(({ memoryMb }) => memoryMb)) > 10, 'memory is measured');
    assert.ok((seen.at(-1)?.outputBytes ?? 0) > 5000);
  });

  const bad: readonly (readonly [string, string, Partial<TrainingOrder>, NotTrained['why'], RegExp])[] = [
    ['hangs', 'await sleep(60_000);', { timeoutSeconds: 0.5 }, 'timeout', /ended after 0.5 seconds/],
    [
      'ignores SIGTERM',
      `process.on('SIGTERM', () => console.log('no')); for (;;) await sleep(100);`,
      { timeoutSeconds: 0.6 },
      'timeout',
      /wrote last: no$/,
    ],
    ['ends with 0 without a model', 'console.log("done")', {}, 'no-model', /exit code 0, but left no file/],
    [
      'leaves an empty model',
      'fs.writeFileSync(request.output.model, "");',
      {},
      'no-model',
      /left an empty file/,
    ],
    [
      'leaves a link as its model',
      'fs.symlinkSync("/etc/hostname", request.output.model);',
      {},
      'no-model',
      /left no file/,
    ],
    [
      'is killed',
      'process.kill(process.pid, "SIGKILL"); await sleep(1e4);',
      {},
      'exit',
      /was ended by SIGKILL/,
    ],
    [
      'fails',
      'console.error("no such column"); process.exit(3);',
      {},
      'exit',
      /exit code 3; it wrote last: no such/,
    ],
    [
      'says that the data will not do',
      'console.error("one class"); process.exit(65);',
      {},
      'data',
      /one class/,
    ],
    [
      'takes too much memory',
      'const kept = []; for (;;) { kept.push(Buffer.alloc(2 ** 24, 1)); await sleep(20); }',
      { memoryMb: 150 },
      'memory',
      /more than the 150 allowed/,
    ],
  ];
  for (const [what, body, overrides, why, message] of bad) {
    it(`says so when the command ${what}`, async () => {
      const { end } = await run(body, overrides);
      assert.ok(end.outcome === 'failed');
      assert.equal(end.why, why);
      assert.match(end.message, message);
    });
  }

  it('says so when there is no such program', async () => {
    const end = await site.train(await site.order(['tenure-no-such-program'], { run: 'none' }));
    assert.ok(end.outcome === 'failed');
    assert.deepEqual([end.why, end.detail['exitCode']], ['start', 127]);
    assert.match(end.message, /tenure-no-such-program cannot be started/);
  });

  it('cuts a flood of output, and says how much', async () => {
    const { end } = await run(`
      process.stdout.write('first line\\n');
      const line = 'x'.repeat(1023) + '\\n';
      for (let i = 0; i < 3000; i += 1) if (!process.stdout.write(line)) await new Promise((done) => process.stdout.once('drain', done));
      process.stdout.write('last line\\n', () => { ${WRITE_MODEL} });`);
    assert.ok(end.outcome === 'trained');
    assert.match(end.log.head, /^first line/);
    assert.match(end.log.tail, /last line\n$/);
    assert.equal(end.log.head.length + end.log.tail.length, 16 * 1024);
    assert.equal(end.log.cutBytes, 11 + 3000 * 1024 + 10 - 16 * 1024);
  });

  it('ends the children that a trainer leaves, also those that left its group', async () => {
    const { end } = await run(`
      for (const detached of [false, true])
        spawn(process.execPath, ['-e', 'process.on("SIGTERM", () => {}); setInterval(() => {}, 1000)'], { detached, stdio: 'inherit' }).unref();
      ${WRITE_MODEL} process.exit(0);`);
    assert.equal(end.outcome, 'trained');
  });

  it('ends the whole group when it is cancelled, and goes on from the checkpoint afterwards', async () => {
    const body = `
      const file = request.checkpoints + '/epoch';
      if (fs.existsSync(file)) { console.log('from ' + fs.readFileSync(file, 'utf8')); ${WRITE_MODEL} process.exit(0); }
      spawn('sleep', ['100'], { stdio: 'inherit' });
      fs.writeFileSync(file, '7'); console.log('{"progress": 0.7}');
      process.on('SIGTERM', () => { fs.writeFileSync(file, '8'); process.exit(1); });
      await sleep(60_000);`;
    const order = await site.order(await site.trainer(body));
    const controller = new AbortController();
    const training = site.train(order, {
      signal: controller.signal,
      onProgress: ({ progress }) => progress === 0.7 && controller.abort(new Error('cancelled')),
    });
    await assert.rejects(training, /cancelled/);
    assert.deepEqual(alive(order.run), []);
    const end = await site.train(order);
    assert.ok(end.outcome === 'trained');
    assert.deepEqual([end.attempt, end.log.head], [2, 'from 8\n']);
  });

  it('does not start when it was cancelled before', async () => {
    const order = await site.order(await site.trainer(WRITE_MODEL));
    await assert.rejects(site.train(order, { signal: AbortSignal.abort(new Error('over')) }), /over/);
  });

  it('takes over what an earlier attempt has made, unless its model was changed', async () => {
    const { order, end } = await run(WRITE_MODEL);
    assert.ok(end.outcome === 'trained');
    const again = await site
      .another()
      .train(order, { signal: new AbortController().signal, onProgress: () => assert.fail() });
    assert.deepEqual(again, { ...end, adopted: true });
    await writeFile(end.model.file, 'something else');
    const anew = await site.train(order);
    assert.ok(anew.outcome === 'trained');
    assert.deepEqual([anew.adopted, anew.model.digest], [false, end.model.digest]);
    await site.platform.forget(order.run);
    assert.equal(existsSync(anew.model.file), false);
  });

  it('keeps nothing of another order under the same run', async () => {
    const body = `
      const file = request.checkpoints + '/of-other-data';
      console.log(fs.existsSync(file)); fs.writeFileSync(file, ''); ${WRITE_MODEL}`;
    const { order } = await run(body);
    const end = await site.train({ ...order, data: { ...order.data, digest: 'e'.repeat(64) } });
    assert.ok(end.outcome === 'trained');
    assert.deepEqual([end.adopted, end.log.head], [false, 'false\n']);
  });

  it('ends an earlier attempt that still runs before the next begins: never two at once', async () => {
    const here = join(site.folder, 'here');
    const body = `
      const here = ${JSON.stringify(here)};
      if (fs.existsSync(here)) console.log('NOT ALONE');
      fs.writeFileSync(here, String(request.attempt));
      process.on('SIGTERM', () => { setTimeout(() => { fs.rmSync(here); process.exit(1); }, 100); });
      if (request.attempt < 4) await sleep(60_000);
      fs.rmSync(here); ${WRITE_MODEL}`;
    const order = await site.order(await site.trainer(body));
    const watch = { signal: new AbortController().signal, onProgress: () => undefined };
    const earlier: Promise<Trained | NotTrained>[] = [];
    for (const attempt of [1, 2, 3]) {
      earlier.push(site.another().train(order, watch));
      await until(
        `attempt ${attempt}`,
        () => existsSync(here) && readFileSync(here, 'utf8') === String(attempt),
      );
    }
    const end = await site.platform.train(order, watch);
    assert.ok(end.outcome === 'trained');
    assert.deepEqual([end.attempt, end.log.head], [4, '']);
    for (const other of await Promise.all(earlier)) assert.equal(other.outcome, 'failed');
    assert.deepEqual(alive(order.run), []);
  });

  it('never runs two when attempts begin at the same moment', async () => {
    const log = join(site.folder, 'log');
    const body = `
      const here = request.checkpoints + '/here';
      fs.appendFileSync(${JSON.stringify(log)}, fs.existsSync(here) ? 'two ' : 'one ');
      fs.writeFileSync(here, ''); process.on('exit', () => fs.rmSync(here, { force: true })); process.on('SIGTERM', () => process.exit(1));
      await sleep(150); ${WRITE_MODEL}`;
    const order = await site.order(await site.trainer(body));
    const watch = { signal: new AbortController().signal, onProgress: () => undefined };
    const ends = await Promise.allSettled([1, 2, 3, 4].map(() => site.another().train(order, watch)));
    const how = ends.map((end) => (end.status === 'fulfilled' ? end.value : String(end.reason)));
    assert.ok(
      how.some((end) => typeof end === 'object' && end.outcome === 'trained'),
      JSON.stringify(how),
    );
    assert.doesNotMatch(readFileSync(log, 'utf8'), /two/);
    assert.deepEqual(alive(order.run), []);
  });

  it('does not outlive its worker, and leaves a stranger with the number of its process alone', async () => {
    const body = `process.on('SIGTERM', () => {}); console.log('{"progress": 0.1}'); for (;;) await sleep(1000);`;
    const order = await site.order(await site.trainer(body));
    const file = join(site.folder, 'order.json');
    await writeFile(file, JSON.stringify({ order, folder: join(site.folder, 'runs') }));
    const worker = fork(new URL('./worker.owner.ts', import.meta.url), [file], {
      execArgv: ['--import=tsx'],
    });
    await once(worker, 'message');
    assert.ok(alive(order.run).length > 1);
    worker.kill('SIGKILL');
    await until('the end of the trainer', () => alive(order.run).length === 0);
    // The number in the record now belongs to this very process.
    const record = join(site.folder, 'runs', encodeURIComponent(order.run), 'attempts', '1', 'process.json');
    await writeFile(record, JSON.stringify({ pid: process.pid, started: 'another time' }));
    const end = await site.train({ ...order, timeoutSeconds: 0.5 });
    assert.ok(end.outcome === 'failed');
    assert.deepEqual([end.why, end.attempt], ['timeout', 2]);
  });

  const examples: readonly (readonly [string, string, string])[] = [
    ['Node', process.execPath, 'train.mjs'],
    ['Python', 'python3', 'train.py'],
  ];
  for (const [language, program, script] of examples) {
    it(`trains with the example in ${language}`, async function () {
      if (language === 'Python' && !hasPython()) {
        // Said, since a test that quietly does nothing would pass as well.
        process.stderr.write('      python3 is absent: its example was not run\n');
        return;
      }
      const file = new URL(`../../../../examples/training/${script}`, import.meta.url).pathname;
      const order = await site.order([program, file], { run: `example-${language}` });
      const seen: TrainingProgress[] = [];
      const end = await site.train(order, { onProgress: (progress) => seen.push(progress) });
      assert.ok(end.outcome === 'trained', JSON.stringify(end));
      assert.match(end.log.head, /"epoch 20 of 200/);
      const thread = await openModelThread({ file: end.model.file, sha256: end.model.digest });
      try {
        const { metadata } = thread;
        assert.deepEqual(compareSignature(order.manifest.schema, metadata), []);
      } finally {
        await thread.close();
      }
      const loss = end.metrics?.['trainLoss'] ?? Number.NaN;
      assert.ok(loss < 0.5, `it has learnt: ${loss}`);
      // Ended early, it goes on where it was.
      await writeFile(end.model.file, 'lost');
      const again = await site.train(order);
      assert.ok(again.outcome === 'trained');
      assert.equal(again.log.head, 'Going on after epoch 200\n');
      assert.equal(again.model.digest, end.model.digest);
    });
  }
});

function hasPython(): boolean {
  try {
    execFileSync('python3', ['--version'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}
