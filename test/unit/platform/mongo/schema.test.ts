import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { COLLECTIONS } from '../../../../src/platform/mongo/collections.js';
import { type CollectionPlan, versionOf } from '../../../../src/platform/mongo/plan.js';
import { isOurs, outdated, refusal, type SchemaState } from '../../../../src/platform/mongo/schema/state.js';
import { OBSERVATION_COLLECTIONS } from '../../../../src/platform/observations/collections.js';
import { WINDOW_COLLECTIONS } from '../../../../src/platform/windows/collections.js';

const nothing: SchemaState = { versions: new Map(), restore: null };
const having = (version: number, revision: number): SchemaState => ({
  versions: new Map([['alerts', { version, revision }]]),
  restore: null,
});

const migration = { what: 'nothing', run: async () => undefined };
const plan = (version: number, revision: number): CollectionPlan => ({
  name: 'alerts',
  migrations: Array.from({ length: version }, () => migration),
  revision,
  validator: {},
  indexes: [],
});

describe('the schema of a database', () => {
  it('is older, as it should be, or newer', () => {
    // [database, program] -> [refused, outdated, validator and indexes are the program's to set]
    const cases: readonly (readonly [SchemaState, CollectionPlan, boolean, boolean, boolean])[] = [
      [nothing, plan(1, 1), false, true, true],
      [having(1, 1), plan(1, 1), false, false, true],
      [having(1, 1), plan(2, 1), false, true, true],
      [having(1, 9), plan(2, 1), false, true, true],
      [having(2, 1), plan(2, 3), false, true, true],
      [having(2, 3), plan(2, 1), false, false, false],
      [having(3, 1), plan(2, 7), true, false, false],
    ];
    for (const [state, known, refused, old, ours] of cases) {
      const found = [
        refusal(state, [known], 'tenure') !== null,
        outdated(state, [known]).length > 0,
        isOurs(state, known),
      ];
      assert.deepEqual(found, [refused, old, ours], JSON.stringify([...state.versions]) + known.revision);
    }
  });

  it('is refused in words that name database, collection, versions and what to do', () => {
    const words = refusal(having(3, 1), [plan(2, 1)], 'tenure-eu') ?? '';
    assert.match(
      words,
      /^Database tenure-eu was written by a newer program.* alerts \(3, known are 1 to 2\)/,
    );
    assert.match(words, /: run the newer program, or restore/);
    const startedAt = new Date('2026-11-24T03:00:00Z');
    const restore = { _id: '(restore)', kind: 'restore', backup: 'b', folder: '/b', startedAt } as const;
    const half = refusal({ ...nothing, restore: { ...restore, phase: 'loading' } }, [], 'tenure') ?? '';
    assert.match(
      half,
      /restore of \/b into database tenure has begun at 2026-11-24T03:00:00.000Z and not ended/,
    );
    assert.match(half, /repeat `tenure restore \/b`/);
  });

  /**
   * What stands in databases by now. A validator or an index that changes needs a higher revision, or a new version with its
   * migration, and its new fingerprint here: else processes of both forms would set them back in turns.
   */
  const KNOWN: Readonly<Record<string, readonly [version: number, revision: number, fingerprint: string]>> = {
    ledger: [1, 2, '64fa60e3abee'],
    versions: [1, 1, '7364c3643206'],
    routes: [1, 1, '2d0e671d9e16'],
    gateways: [1, 1, '1ac0e7c006ca'],
    alerts: [1, 2, 'e61048c4d8e5'],
    profiles: [1, 1, '0c06788eb0e7'],
    reports: [1, 1, 'b9b9b26f976b'],
    findings: [1, 1, '0866e525c931'],
    health: [1, 1, '2f533c75defa'],
    detectors: [2, 1, '7942ff3475b6'],
    monitors: [1, 2, '49c944fd16b9'],
    fleetIncidents: [1, 1, 'c59b8e893e33'],
    trainingPlaces: [1, 1, 'f3d13d9d1b7b'],
    windows: [1, 2, 'b1d722e4d608'],
    predictions: [1, 1, 'a53b57fa09e2'],
    samples: [1, 1, '533e32b8a8af'],
    labels: [1, 1, 'eb5d5cc3fae2'],
    observed: [1, 1, 'f97d21537027'],
  };

  it('has a higher revision or version whenever a validator or an index has changed', () => {
    const found = Object.fromEntries(
      [...COLLECTIONS, ...WINDOW_COLLECTIONS, ...OBSERVATION_COLLECTIONS].map((known) => {
        const form = JSON.stringify([known.validator, known.indexes]);
        const fingerprint = createHash('sha256').update(form).digest('hex').slice(0, 12);
        return [known.name, [versionOf(known), known.revision, fingerprint]];
      }),
    );
    assert.deepEqual(found, KNOWN);
  });
});
