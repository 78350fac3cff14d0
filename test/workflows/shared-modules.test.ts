import { strict as assert } from 'node:assert';
import { workflowBundle } from '../support/workflow-env.js';

/** Of the project's folders whose modules keep no state. */
const PURE = /"\.\/(src\/(?:contracts|lifecycle|statistics)\/[^"]+)"\)/g;

/** Modules that a piece of a bundle requires. */
const requiredIn = (code: string): readonly string[] => [
  ...new Set([...code.matchAll(PURE)].map(([, module]) => module ?? '')),
];

describe('the workflow bundle', () => {
  it('has every pure module that a workflow imports among those that all workflows share', async () => {
    const bundle = await workflowBundle();
    assert.ok('code' in bundle);
    const modules = bundle.code.split(/\n\/\*\*\*\/ (?=")/);
    const [, preloaded = ''] = /preloadModules = function([^}]*)\}/.exec(bundle.code) ?? [];
    const shared = new Set(requiredIn(preloaded));
    const imported = modules.filter((text) => text.startsWith('"./src/workflows/')).flatMap(requiredIn);
    assert.ok(imported.length > 20);
    assert.deepEqual(
      imported.filter((module) => !shared.has(module)),
      [],
    );
  });
});
