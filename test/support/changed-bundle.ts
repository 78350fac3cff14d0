import { strict as assert } from 'node:assert';
import type { WorkflowBundle } from '@temporalio/worker';
import { workflowBundle } from './workflow-env.js';

/**
 * The workflows as they are, with `text` in one file replaced. It is the bundle that is changed, which saves bundling all workflows once
 * more, so the text must be one that compiling leaves as it is: no types, no calls of what is imported.
 * @param file below `src`
 * @throws AssertionError where the file is not in the bundle, or the text not once in the file
 */
export async function changedBundle(
  file: string,
  text: string,
  replacement: string,
): Promise<WorkflowBundle> {
  const bundle = await workflowBundle();
  assert.ok('code' in bundle);
  const start = bundle.code.indexOf(`\n/***/ "./src/${file}"`);
  assert.ok(start >= 0, `${file} is not in the bundle`);
  const end = bundle.code.indexOf('\n/***/ ', start + 1);
  const module = bundle.code.slice(start, end);
  assert.equal(module.split(text).length, 2, `not once in ${file}: ${text}`);
  return {
    ...bundle,
    code: bundle.code.slice(0, start) + module.replace(text, () => replacement) + bundle.code.slice(end),
  };
}
