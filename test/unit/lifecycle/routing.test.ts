import { strict as assert } from 'node:assert';
import * as fc from 'fast-check';
import type { Manifest } from '../../../src/contracts/manifest.js';
import type { DesiredRoute } from '../../../src/contracts/routes.js';
import {
  canaryRoute,
  deployedRoute,
  promotedRoute,
  shadowRoute,
  steadyRoute,
  unavailableRoute,
  type RouteBasis,
} from '../../../src/lifecycle/routing.js';
import { manifest } from '../../support/manifests.js';

const version = fc
  .nat(5)
  .map((number) => ({ version: `v${number}`, digest: String(number).padStart(64, '0') }));
const candidate = { version: 'candidate', digest: 'c'.repeat(64) };
const basis = fc.record({
  champion: fc.option(version, { nil: null }),
  warm: fc.array(version, { maxLength: 6 }),
  release: fc.option(fc.nat(100), { nil: null }),
  holdback: fc.double({ min: 0, max: 0.5, noNaN: true }),
  weight: fc.double({ min: 0.001, max: 1, noNaN: true }),
});

describe('wanted routes', () => {
  it('never have the candidate as champion too, load each version once, and keep shares within 0 and 1', () => {
    fc.assert(
      fc.property(basis, ({ champion, warm, release, holdback, weight }) => {
        const shadow = { share: 0.5, minRequests: 1, agreementFloor: 0.9, tolerance: 0.1, maxSeconds: 1 };
        const known: RouteBasis = {
          manifest: manifest({ shadow, soak: { seconds: 1, holdback } }),
          champion,
          warm,
          release,
          slowThresholdMs: null,
        };
        const routes: DesiredRoute[] = [
          steadyRoute(known),
          deployedRoute(known, candidate),
          shadowRoute(known, candidate),
          canaryRoute(known, candidate, weight),
          promotedRoute(known, candidate),
          unavailableRoute(known, 'why'),
        ];
        for (const route of routes) {
          const named = [route.champion, route.candidate, route.shadow].flatMap((one) => one?.digest ?? []);
          const warmed = route.warm.map(({ digest }) => digest);
          assert.equal(new Set([...named, ...warmed]).size, named.length + warmed.length);
          assert.ok((route.candidate?.weight ?? 0) <= 1 && (route.candidate?.weight ?? 0) >= 0);
          assert.ok((route.holdback?.share ?? 0) <= 0.5);
          if (route.holdback !== null) assert.ok(warmed.includes(route.holdback.digest) && champion !== null);
          assert.equal(route.champion === null, typeof route.unavailableReason === 'string');
        }
        // The same salt through all of a release: who is in at 5 % is in at 25 %.
        assert.equal(new Set(routes.map(({ salt }) => salt)).size, 1);
      }),
      { seed: 1, numRuns: 500 },
    );
  });

  it('draw the split anew for the next release', () => {
    const known = { manifest: manifest(), champion: null, warm: [], slowThresholdMs: null };
    assert.notEqual(steadyRoute({ ...known, release: 1 }).salt, steadyRoute({ ...known, release: 2 }).salt);
  });

  it('trip at the hard limits of the manifest only in a canary', () => {
    const known = { manifest: manifest(), champion: candidate, warm: [], release: 1, slowThresholdMs: null };
    assert.deepEqual(canaryRoute(known, candidate, 0.1).trips, [
      { guardrail: 'errors', maxShare: 0.5, minRequests: 20 },
    ]);
    assert.deepEqual(promotedRoute(known, candidate).trips, []);
  });
});

describe('what a table says of monitoring', () => {
  const basis = { champion: null, warm: [], release: null, slowThresholdMs: null };
  const monitoring = {
    windowSeconds: 3_600,
    labelSeconds: 86_400,
    samples: { share: 0.25, retainSeconds: 7_200 },
  } as NonNullable<Manifest['monitoring']>;

  it('is what a gateway keeps, without personal inputs', () => {
    const inputs = [
      { name: 'x', datatype: 'FP32', width: 1, nullable: false },
      { name: 'name', datatype: 'BYTES', width: 1, nullable: false, personal: true },
    ] as Manifest['schema']['inputs'];
    const given = manifest({ monitoring, schema: { inputs, outputs: [] } });
    assert.deepEqual(steadyRoute({ ...basis, manifest: given }).monitoring, {
      sampleShare: 0.25,
      sampleSeconds: 7_200,
      labelSeconds: 86_400,
      windowSeconds: 3_600,
      personal: ['name'],
      task: 'binary',
      classes: [0, 1],
    });
  });

  it('is absent where the manifest says nothing, also one of before there was the section', () => {
    const { monitoring: _none, ...old } = manifest();
    for (const given of [manifest(), old as Manifest])
      assert.equal('monitoring' in steadyRoute({ ...basis, manifest: given }), false);
  });
});
