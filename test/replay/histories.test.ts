import { strict as assert } from 'node:assert';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import proto from '@temporalio/proto';
import { DeterminismViolationError } from '@temporalio/workflow';
import { Worker, type WorkflowBundle } from '@temporalio/worker';
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

/** Replays one after the other on one worker, which costs a fifth of a worker for each. @returns what went wrong, by file */
async function replayAll(
  histories: readonly Recorded[],
  workflowBundle: WorkflowBundle,
): Promise<ReadonlyMap<string, Error | undefined>> {
  const read = async function* () {
    for (const recorded of histories)
      yield { workflowId: recorded.workflowId, history: await historyOf(recorded) };
  };
  const errors = new Map<string, Error | undefined>();
  // They come in the order in which they are read.
  for await (const { error } of Worker.runReplayHistories({ workflowBundle }, read()))
    errors.set(histories[errors.size]!.file, error);
  return errors;
}

/** What runs in production goes on after an upgrade: a change that is not compatible fails here, and needs `patched()`. */
describe('recorded histories', function () {
  this.timeout(240_000);
  let errors: ReadonlyMap<string, Error | undefined>;
  before('replay', async () => {
    quieten();
    errors = await replayAll(index, await workflowBundle());
  });

  for (const { file } of index)
    it(`replay: ${file}`, () => {
      assert.ok(errors.has(file));
      assert.equal(errors.get(file), undefined);
    });

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
    const error = (await replayAll([recorded], changed)).get(recorded.file);
    assert.ok(error instanceof DeterminismViolationError, String(error));
  });
});
