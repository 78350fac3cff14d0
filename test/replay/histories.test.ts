import { strict as assert } from 'node:assert';
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import proto from '@temporalio/proto';
import { DeterminismViolationError } from '@temporalio/workflow';
import { Worker, type WorkflowBundleWithSourceMap } from '@temporalio/worker';
import { changedBundle } from '../support/changed-bundle.js';
import { quieten, workflowBundle } from '../support/workflow-env.js';

interface Recorded {
  readonly file: string;
  readonly workflowId: string;
}

const folder = fileURLToPath(new URL('./histories/', import.meta.url));
const index = JSON.parse(await readFile(`${folder}index.json`, 'utf8')) as readonly Recorded[];

async function replay({ file, workflowId }: Recorded, bundle: WorkflowBundleWithSourceMap): Promise<void> {
  const history = proto.temporal.api.history.v1.History.decode(await readFile(`${folder}${file}`));
  await Worker.runReplayHistory({ workflowBundle: bundle }, history, workflowId);
}

/** What runs in production goes on after an upgrade: a change that is not compatible fails here, and needs `patched()`. */
describe('recorded histories', function () {
  this.timeout(60_000);
  before(() => quieten());

  for (const recorded of index)
    it(`replay: ${recorded.file}`, async () => replay(recorded, await workflowBundle()));

  it('are of both workflows, and of every kind of end', () => {
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
