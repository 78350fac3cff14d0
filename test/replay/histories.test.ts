import { strict as assert } from 'node:assert';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import proto from '@temporalio/proto';
import { DeterminismViolationError } from '@temporalio/workflow';
import { Worker, type WorkflowBundleWithSourceMap } from '@temporalio/worker';
import * as workflows from '../../src/workflows/index.js';
import { changedBundle } from '../support/changed-bundle.js';
import { quieten, workflowBundle } from '../support/workflow-env.js';

interface Recorded {
  /** Path below the folder of all histories. */
  readonly file: string;
  readonly workflowId: string;
}

const folder = fileURLToPath(new URL('./histories/', import.meta.url));

/** The first landed version lies in the folder itself, each later one in a folder of its own. */
async function recordedOf(version: string): Promise<readonly Recorded[]> {
  const index = JSON.parse(
    await readFile(join(folder, version, 'index.json'), 'utf8'),
  ) as readonly Recorded[];
  return index.map(({ file, workflowId }) => ({ file: join(version, file), workflowId }));
}

const later = (await readdir(folder, { withFileTypes: true })).filter((entry) => entry.isDirectory());
const versions = ['.', ...later.map(({ name }) => name).toSorted()];
const index = (await Promise.all(versions.map(recordedOf))).flat();

const historyOf = async ({ file }: Recorded) =>
  proto.temporal.api.history.v1.History.decode(await readFile(join(folder, file)));

async function replay(recorded: Recorded, bundle: WorkflowBundleWithSourceMap): Promise<void> {
  await Worker.runReplayHistory({ workflowBundle: bundle }, await historyOf(recorded), recorded.workflowId);
}

/** What runs in production goes on after an upgrade: a change that is not compatible fails here, and needs `patched()`. */
describe('recorded histories', function () {
  this.timeout(60_000);
  before(() => quieten());

  for (const recorded of index)
    it(`replay: ${recorded.file}`, async () => replay(recorded, await workflowBundle()));

  it('are all of the files that are there', async () => {
    const files = (await readdir(folder, { recursive: true })).filter((file) => file.endsWith('.bin'));
    assert.deepEqual(files.toSorted(), index.map(({ file }) => file).toSorted());
  });

  it('are of every workflow type, and of every kind of end', async () => {
    const histories = await Promise.all(index.map(historyOf));
    const types = new Set(
      histories.map(
        ({ events }) => events[0]?.workflowExecutionStartedEventAttributes?.workflowType?.name ?? '',
      ),
    );
    // A workflow without a history could be changed in any way, and its runs would get stuck.
    assert.deepEqual([...types].toSorted(), Object.keys(workflows).toSorted());
    const files = index.map(({ file }) => file).join(' ');
    for (const kind of ['model', 'first', 'succeeded', 'rolled-back', 'aborted', 'continued-'])
      assert.ok(files.includes(kind), kind);
  });

  it('do not replay on code that does things in another order', async () => {
    const changed = await changedBundle(
      'workflows/release/deploy.ts',
      'if (goldenDigest !== null)',
      'if (input.champion !== null) await readChampion(context);\n  if (goldenDigest !== null)',
    );
    const recorded = index.find(({ file }) => file === 'release-succeeded.bin');
    assert.ok(recorded);
    await assert.rejects(replay(recorded, changed), DeterminismViolationError);
  });
});
