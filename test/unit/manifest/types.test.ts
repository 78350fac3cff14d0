import assert from 'node:assert/strict';
import type * as z from 'zod';
import type { Manifest } from '../../../src/contracts/manifest.js';
import { METRICS_OF_TASK } from '../../../src/manifest/gate-checks.js';
import type { ManifestSchema } from '../../../src/manifest/schema.js';
import { METRICS_OF } from '../../../src/statistics/metrics/scored.js';

type Plain<T> = T extends object ? { readonly [K in keyof T]: Plain<T[K]> } : T;
// Assignability both ways would not see a missing optional field; identity of types does.
// oxlint-disable-next-line typescript/no-unnecessary-type-parameters
type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;

describe('the schema and the contracts', () => {
  it('have the same type of a resolved manifest, both ways', () => {
    const same: Same<Plain<z.output<ManifestSchema>>, Plain<Manifest>> = true;
    // Sections one by one: a mistake shows where it is.
    const sections: { [K in keyof Manifest]: Same<Plain<z.output<ManifestSchema>[K]>, Plain<Manifest[K]>> } =
      {
        apiVersion: true,
        kind: true,
        name: true,
        team: true,
        owner: true,
        contacts: true,
        purpose: true,
        task: true,
        riskTier: true,
        schema: true,
        prediction: true,
        validation: true,
        approval: true,
        shadow: true,
        canary: true,
        soak: true,
        objectives: true,
        serving: true,
        rollbackWindowSeconds: true,
        freezeWindows: true,
        monitoring: true,
        retraining: true,
      };
    assert.ok(same && Object.values(sections).every(Boolean));
  });

  it('would see a difference', () => {
    const missing: Same<Plain<z.output<ManifestSchema>>, Plain<Omit<Manifest, 'owner'>>> = false;
    const wider: Same<
      Plain<z.output<ManifestSchema>>,
      Plain<Omit<Manifest, 'owner'> & { owner: string | null }>
    > = false;
    assert.ok(!missing && !wider);
  });

  it('give each task the metrics that the statistics have for it', () => {
    assert.deepEqual(METRICS_OF_TASK, METRICS_OF);
  });
});
