import { strict as assert } from 'node:assert';
import * as fc from 'fast-check';
import type { Manifest } from '../../../src/contracts/manifest.js';
import { changeChampion, goBack } from '../../../src/lifecycle/champions.js';
import { withIncidents } from '../../../src/lifecycle/model-incidents.js';
import { initialModelState, type ModelState } from '../../../src/lifecycle/model-state.js';
import {
  nextRevalidationNotice,
  revalidationDue,
  revalidationNotice,
  validationDue,
  withBasisChange,
} from '../../../src/lifecycle/revalidation.js';
import { changedBasis } from '../../../src/lifecycle/validation-basis.js';
import { manifest, monitoring } from '../../support/manifests.js';
import { refNumber } from '../../support/recorded-life.js';
import { scale } from '../../support/scale.js';

const DAY = 24 * 3600_000;
const SECONDS = (100 * DAY) / 1000;
const iso = (time: number): string => new Date(time).toISOString();

const base: Manifest = manifest({
  riskTier: 'medium',
  schema: {
    inputs: [
      { name: 'age', datatype: 'INT64', width: 1, nullable: false, min: 0, max: 120 },
      { name: 'job', datatype: 'BYTES', width: 1, nullable: true, categories: ['a', 'b'] },
    ],
    outputs: [
      { name: 'score', datatype: 'FP32', width: 1 },
      { name: 'extra', datatype: 'FP32', width: 2 },
    ],
  },
  validation: {
    ...manifest().validation,
    gates: [
      { kind: 'metric', metric: 'auc', min: 0.7 },
      { kind: 'latency', p95Ms: 5, rows: 100 },
    ],
  },
  monitoring: monitoring({ revalidateSeconds: SECONDS }),
});
const { schema, validation } = base;
const [age, job] = schema.inputs as [Manifest['schema']['inputs'][0], Manifest['schema']['inputs'][0]];

/** By path: other manifests in which just that is another. */
const REST_ON: Readonly<Record<string, readonly Partial<Manifest>[]>> = {
  purpose: [{ purpose: 'Decides who gets a loan' }],
  task: [{ task: 'regression' }],
  'schema.inputs': [
    { schema: { ...schema, inputs: [age] } },
    { schema: { ...schema, inputs: [{ ...age, max: 130 }, job] } },
    { schema: { ...schema, inputs: [age, { ...job, categories: ['a', 'b', 'c'] }] } },
  ],
  'schema.outputs': [{ schema: { ...schema, outputs: schema.outputs.slice(0, 1) } }],
  prediction: [
    { prediction: { ...base.prediction, threshold: 0.6 } },
    { prediction: { ...base.prediction, classes: [1, 0] } },
  ],
  'validation.dataDigest': [
    { validation: { ...validation, dataDigest: 'e'.repeat(64) } },
    { validation: { ...validation, dataDigest: null } },
  ],
  'validation.target': [{ validation: { ...validation, target: 'hired' } }],
  'validation.gates': [
    { validation: { ...validation, gates: validation.gates.slice(1) } },
    {
      validation: {
        ...validation,
        gates: [{ kind: 'metric', metric: 'auc', min: 0.6 }, ...validation.gates.slice(1)],
      },
    },
  ],
  riskTier: [{ riskTier: 'high' }],
};

/** Other manifests by which the same version passes the same gates. */
const RESTS_NOT_ON: readonly Partial<Manifest>[] = [
  { team: 'loans', owner: 'ada', contacts: [] },
  { riskTier: 'low' },
  { schema: { inputs: [job, age], outputs: schema.outputs.toReversed() } },
  { schema: { ...schema, inputs: [{ ...age, personal: true }, job] } },
  { validation: { ...validation, gates: validation.gates.toReversed() } },
  { validation: { ...validation, data: 'moved/data.parquet', goldenRows: 9, goldenTolerance: 1e-3 } },
  { approval: { beforeDeploy: null, beforePromote: null }, shadow: null },
  { canary: { ...base.canary, alpha: 0.2 }, soak: { seconds: 1, holdback: 0 } },
  { objectives: { availability: 0.5, latencyMs: 9, slowShare: 0.5 }, rollbackWindowSeconds: 1 },
  { serving: { ...base.serving, deadlineMs: 5 }, freezeWindows: [] },
  { monitoring: monitoring({ material: 0.5, revalidateSeconds: 9 * SECONDS }) },
  { monitoring: null, retraining: null },
];

describe('what of a manifest a validation rests on', () => {
  it('each field of it is told by its path', () => {
    for (const [path, others] of Object.entries(REST_ON))
      for (const other of others) {
        assert.deepEqual(changedBasis(base, { ...base, ...other }), [path]);
        // Lowered again: a lower tier asks for no more than was validated.
        assert.deepEqual(changedBasis({ ...base, ...other }, base), path === 'riskTier' ? [] : [path]);
      }
  });

  it('nothing else is', () => {
    for (const other of RESTS_NOT_ON)
      assert.deepEqual(changedBasis(base, { ...base, ...other }), [], JSON.stringify(other));
  });

  it('is what changed, however much else did, in whatever order keys are written', () => {
    const paths = Object.keys(REST_ON);
    fc.assert(
      fc.property(
        fc.subarray(paths),
        fc.nat(),
        fc.nat(),
        fc.array(fc.nat(), { minLength: 8, maxLength: 8 }),
        (changed, which, other, keys) => {
          const changes = changed.map((path) => {
            const others = REST_ON[path] ?? [];
            return others[which % others.length] ?? {};
          });
          const after = changes.reduce<Manifest>(
            (made, change) => ({
              ...made,
              ...change,
              schema: merged(made.schema, base.schema, change.schema),
              validation: merged(made.validation, base.validation, change.validation),
            }),
            { ...base, ...unrelated(RESTS_NOT_ON[other % RESTS_NOT_ON.length] ?? {}) },
          );
          const found = changedBasis(base, shuffled(after, keys));
          assert.deepEqual([...found].toSorted(), changed.toSorted());
          assert.deepEqual(changedBasis(shuffled(after, keys), after), []);
        },
      ),
      { numRuns: scale(300, 5_000), seed: 21 },
    );
  });

  it('is read of manifests as they come', () => {
    assert.deepEqual(changedBasis({ owner: 'ada' }, { owner: 'bea' }), []);
    assert.deepEqual(changedBasis({ purpose: 'p' }, { purpose: 'p', validation: { dataDigest: null } }), []);
    assert.deepEqual(changedBasis(null, { purpose: 'p', riskTier: 'low' }), ['purpose', 'riskTier']);
    fc.assert(
      fc.property(fc.jsonValue(), fc.jsonValue(), (one, other) => {
        assert.deepEqual(changedBasis(one, structuredClone(one)), []);
        changedBasis(one, { ...base, schema: other, validation: other });
      }),
      { numRuns: scale(300, 5_000), seed: 22 },
    );
  });
});

/** The parts of a section that a change is about, over what other changes made of the section. */
const merged = <S extends object>(made: S, from: S, change: S | undefined): S =>
  change === undefined
    ? made
    : {
        ...made,
        ...Object.fromEntries(
          Object.entries(change).filter(([key, value]) => value !== from[key as keyof S]),
        ),
      };

/** Only what no path of the basis is changed by together with it. */
const unrelated = (other: Partial<Manifest>) => ({ ...other, schema, validation, riskTier: base.riskTier });

/** The same with its keys in another order, at every depth. */
function shuffled<T>(value: T, keys: readonly number[]): T {
  if (Array.isArray(value)) return value.map((one: unknown) => shuffled(one, keys)) as T;
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).map(([key, field], i) => ({
    key,
    field: shuffled(field as unknown, keys),
    place: keys[(i + key.length) % keys.length] ?? 0,
  }));
  return Object.fromEntries(
    entries.toSorted((a, b) => a.place - b.place).map(({ key, field }) => [key, field]),
  ) as T;
}

describe('when the validation of what serves is due', () => {
  const at = (day: number): number => Date.parse('2026-01-01T00:00:00.000Z') + day * DAY;
  const due = (promoted: number[], anew: number[], changed: number[], seconds: number | null = SECONDS) => {
    const found = validationDue(promoted.map(at), anew.map(at), changed.map(at), seconds);
    return found === null ? null : (found - at(0)) / DAY;
  };

  it('after its time, or as soon as what it rests on has changed', () => {
    assert.equal(due([10], [], []), 110);
    assert.equal(due([10], [], [30]), 30);
    // The first of several; one that comes when it was due already changes nothing.
    assert.equal(due([10], [], [40, 30]), 30);
    assert.equal(due([10], [], [130]), 110);
    // Before the promotion, or in the same moment.
    assert.equal(due([10], [], [5, 10]), 110);
    // Going back to it validates nothing.
    assert.equal(due([10, 50], [], [30]), 30);
    // A person's word after the change ends it, one of before it does not.
    assert.equal(due([10], [35], [30]), 135);
    assert.equal(due([10], [20], [30]), 30);
    assert.equal(due([10], [35], [30, 40]), 40);
    assert.equal(due([10], [], [30], null), null);
    assert.equal(due([], [], [30]), null);
  });

  const serving: ModelState = changeChampion(
    { ...initialModelState(base), manifestRevision: 1 },
    refNumber(1),
    1,
    at(0),
  );

  it('says at once which fields changed, once, and is over by a word of after it', () => {
    assert.equal(revalidationNotice(serving, at(3)), null);
    const changed = withBasisChange(serving, ['purpose', 'schema.inputs'], at(3));
    assert.equal(revalidationDue(changed), at(3));
    assert.ok((nextRevalidationNotice(changed) ?? 0) <= at(3));
    const notice = revalidationNotice(changed, at(3));
    assert.ok(notice);
    assert.equal(notice.happening.severity, 'warning');
    assert.equal(
      notice.happening.title,
      `The validation of v1 was due at ${iso(at(3))}: the manifest changed in purpose, schema.inputs`,
    );
    assert.match(notice.happening.text, /what the manifest said of purpose, schema\.inputs before/);
    assert.equal(nextRevalidationNotice(notice.state), null);
    // What comes on top of it before anybody has validated is part of it.
    const further = withBasisChange(notice.state, ['purpose', 'riskTier'], at(4));
    assert.equal(nextRevalidationNotice(further), null);
    assert.deepEqual(further.incidents?.basisChanges, [
      { at: iso(at(3)), fields: ['purpose', 'schema.inputs', 'riskTier'] },
    ]);
    const validated = withIncidents(further, { revalidatedAt: iso(at(5)) });
    assert.equal(revalidationDue(validated), at(105));
    const again = withBasisChange(validated, ['purpose'], at(6));
    assert.equal(revalidationDue(again), at(6));
    assert.equal(revalidationDue(changeChampion(again, refNumber(2), 2, at(7))), at(107));
  });

  it('at its date it is told as ever, and never where the manifest says never', () => {
    assert.match(revalidationNotice(serving, at(100))?.happening.title ?? '', /^The validation.*Z$/);
    const never = { ...serving, manifest: { ...base, monitoring: monitoring() } };
    assert.equal(revalidationDue(withBasisChange(never, ['purpose'], at(3))), null);
    assert.equal(nextRevalidationNotice(withBasisChange(never, ['purpose'], at(3))), null);
  });

  it('a state of before there were changes knows of none', () => {
    const known = withIncidents(serving, { revalidatedAt: iso(at(1)) });
    assert.equal(known.incidents !== undefined && 'basisChanges' in known.incidents, false);
    assert.equal(revalidationDue(known), at(101));
  });

  /** What is kept is bounded, and as good as all of it. */
  it('is the same by the state as by all that ever happened', () => {
    const happening = fc.oneof(
      { weight: 3, arbitrary: fc.constant('change' as const) },
      { weight: 2, arbitrary: fc.nat(5) },
      { weight: 1, arbitrary: fc.constant('word' as const) },
    );
    const pause = fc.constantFrom(0, 1, 5, 60);
    const life = fc.array(fc.tuple(happening, pause), { minLength: 1, maxLength: 120, size: 'max' });
    fc.assert(
      fc.property(life, (all) => {
        let state = serving;
        let now = 0;
        const words: number[] = [];
        const changes: number[] = [];
        for (const [what, days] of all) {
          now += days;
          if (what === 'change') {
            changes.push(at(now));
            state = withBasisChange(state, ['purpose'], at(now));
          } else if (what === 'word') {
            words.push(at(now));
            state = withIncidents(state, { revalidatedAt: iso(at(now)) });
          } else state = goBack(state, refNumber(what), at(now));
          const kept = state.incidents?.basisChanges ?? [];
          assert.ok(kept.length <= 20);
          const promoted = state.champions
            .filter(({ digest }) => digest === state.champion?.digest)
            .map(({ since }) => Date.parse(since));
          assert.equal(revalidationDue(state), validationDue(promoted, words, changes, SECONDS));
        }
      }),
      { numRuns: scale(300, 5_000), seed: 23 },
    );
  });
});
