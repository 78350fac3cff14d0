import { strict as assert } from 'node:assert';
import { mkdtemp, realpath, rm } from 'node:fs/promises';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { killStack } from '../../../src/stack/index.js';
import { mongodArgument } from '../../../src/stack/mongod.js';
import { findByArgument } from '../../../src/processes/identity.js';
import { temporalArgument } from '../../../src/stack/temporal.js';
import { type Started, startTenure } from '../../support/command.js';

const PATIENCE_MS = 90_000;

interface Addresses {
  readonly temporal: string;
  readonly mongodb: string;
  readonly gateway: string;
  readonly metrics: string;
  readonly temporalUi: string;
  readonly filters: Readonly<Record<string, string>>;
  readonly processes: readonly { readonly name: string; readonly pid: number }[];
}

describe('tenure up', function () {
  this.timeout(2 * PATIENCE_MS);
  let home: string;

  beforeEach(async () => {
    home = await realpath(await mkdtemp(join(tmpdir(), 'tenure-up-')));
  });
  afterEach(async () => {
    killStack(home);
    while (findByArgument(mongodArgument(home)).length + findByArgument(temporalArgument(home)).length > 0)
      await new Promise((resolve) => setTimeout(resolve, 20));
    await rm(home, { recursive: true, force: true, maxRetries: 5 });
  });

  const up = (...options: readonly string[]): Started =>
    startTenure(['up', '--json', ...options], {
      HOME: homedir(),
      TENURE_HOME: home,
      TENURE_GATEWAY_PORT: '0',
    });

  /** What it prints once all of it runs. */
  async function addresses(run: Started): Promise<Addresses> {
    await until('the addresses', () => run.output().endsWith('\n'));
    return JSON.parse(run.output()) as Addresses;
  }

  async function until(what: string, isSo: () => boolean | Promise<boolean>): Promise<void> {
    for (const end = performance.now() + PATIENCE_MS; performance.now() < end;) {
      if (await isSo()) return;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    assert.fail(what);
  }

  const answers = (url: string): Promise<boolean> =>
    fetch(url).then(
      ({ ok }) => ok,
      () => false,
    );

  it('starts all of it, keeps it running, is attached to, and stops in order', async () => {
    const first = up();
    const shown = await addresses(first);
    assert.ok(await answers(`${shown.gateway}/v2/health/live`), 'the gateway');
    assert.ok(await answers(shown.metrics), 'the metrics of the worker');
    // Its port is told before it listens: the server comes first.
    await until('the Temporal UI', () => answers(shown.temporalUi));
    assert.ok(Object.values(shown.filters).every((link) => link.startsWith(shown.temporalUi)));
    assert.deepEqual(
      shown.processes.map(({ name }) => name),
      ['worker', 'gateway'],
    );

    for (const { name, pid } of shown.processes) {
      process.kill(pid, 'SIGKILL');
      await until(`${name} is started again`, () => first.progress().includes(`${name} ended by SIGKILL`));
    }

    const second = up();
    const { temporal, mongodb, temporalUi } = await addresses(second);
    assert.deepEqual([temporal, mongodb, temporalUi], [shown.temporal, shown.mongodb, shown.temporalUi]);
    assert.equal((await second.ended).code, 0);
    assert.match(second.progress(), /is run by another process: nothing was started here/);

    first.kill('SIGTERM');
    assert.equal((await first.ended).code, 0);
    assert.match(first.progress(), /Stopping the worker[^]*Stopping the gateway[^]*Stopping the stack/);
    assert.equal(findByArgument(mongodArgument(home)).length, 0);
    assert.equal(findByArgument(temporalArgument(home)).length, 0);
  });

  it('keeps bare servers running, and comes up on the same data after it was killed, with nothing cleaned by hand', async () => {
    const first = up('--no-worker', '--no-gateway');
    const before = await addresses(first);
    const isOver = await Promise.race([
      first.ended,
      new Promise((resolve) => setTimeout(resolve, 300, null)),
    ]);
    assert.equal(isOver, null, 'nothing of its own keeps it alive');
    first.kill('SIGKILL');
    await first.ended;
    const again = up();
    const after = await addresses(again);
    assert.deepEqual([after.mongodb, after.temporal], [before.mongodb, before.temporal]);
    assert.ok(await answers(`${after.gateway}/v2/health/live`));
    again.kill('SIGINT');
    assert.equal((await again.ended).code, 0);
  });
});
