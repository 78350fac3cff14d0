import { strict as assert } from 'node:assert';
import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { bundleWorkflowCode, DefaultLogger, type WorkflowBundleWithSourceMap } from '@temporalio/worker';
import { useModel } from '../support/workflow-env.js';

/** The workflows as they are, with `text` in one file replaced. */
export async function changedBundle(
  file: string,
  text: string,
  replacement: string,
): Promise<WorkflowBundleWithSourceMap> {
  const folder = await mkdtemp(join(tmpdir(), 'tenure-broken-'));
  try {
    await cp(fileURLToPath(new URL('../../src', import.meta.url)), join(folder, 'src'), { recursive: true });
    const modules = fileURLToPath(new URL('../../node_modules', import.meta.url));
    const path = join(folder, 'src', file);
    const source = await readFile(path, 'utf8');
    assert.ok(source.includes(text), `${file} has no longer: ${text}`);
    await writeFile(path, source.replace(text, replacement));
    return await bundleWorkflowCode({
      workflowsPath: join(folder, 'src/workflows/index.ts'),
      logger: new DefaultLogger('ERROR'),
      webpackConfigHook: (config) => ({
        ...config,
        resolve: { ...config.resolve, modules: [modules] },
        resolveLoader: { ...config.resolveLoader, modules: [modules] },
      }),
    });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

describe('a broken worker, replaced in mid-release', function () {
  this.timeout(60_000);
  const start = useModel();

  it('with a bug in an activity loses no release', async () => {
    const { model, platform } = await start({}, { champion: 'v1' });
    platform.fail('changeTraffic', () => new TypeError('desired.warm.map is not a function'));
    const number = await model.submit('v2');
    await model.until(async () => (await model.releaseView(number).catch(() => null))?.parked != null);
    await model.stopWorkers();
    platform.mend();
    await model.startWorkers();
    assert.equal(await model.ended(number), 'succeeded');
    assert.equal(platform.serving, 'v2');
  });

  it('with a bug in workflow code loses no release', async () => {
    const broken = await changedBundle(
      'workflows/release/promote.ts',
      'const { state } = context;',
      'const { state } = context; (undefined as unknown as Function)();',
    );
    const { model, platform } = await start({}, { champion: 'v1' });
    await model.stopWorkers();
    await model.startWorkers(broken);
    const number = await model.submit('v2');
    await model.untilStage(number, 'promoting');
    await new Promise((resolve) => setTimeout(resolve, 500));
    assert.equal(platform.recorded('release.promoted').length, 0);
    await model.stopWorkers();
    await model.startWorkers();
    assert.equal(await model.ended(number), 'succeeded');
    assert.equal(platform.recorded('release.promoted').length, 1);
    assert.equal(platform.serving, 'v2');
  });
});
