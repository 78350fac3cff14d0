import type { RiskTier } from '../contracts/model.js';

/** Rising. */
const TIERS: readonly unknown[] = ['experimental', 'low', 'medium', 'high'] satisfies readonly RiskTier[];

/**
 * What of a manifest a validation rests on: what the model is for, what goes in and comes out, how an answer is read, and what it was
 * measured by. Lists stand for sets where their order says nothing.
 *
 * Everything else can change without another result of the same gates: whom it belongs to, and how versions are released, served and
 * watched; of the section `validation` where the data lie (the digest says which they are) and how many golden rows there are (they
 * compare what is served with what was validated); of an input whether it is `personal`, which says what may be stored of it.
 */
const BASIS: Readonly<Record<string, (value: unknown) => unknown>> = {
  purpose: (value) => value,
  task: (value) => value,
  'schema.inputs': (value) => asSet(value, (input) => ({ ...input, personal: undefined })),
  'schema.outputs': (value) => asSet(value),
  prediction: (value) => value,
  'validation.dataDigest': (value) => value,
  'validation.target': (value) => value,
  'validation.gates': (value) => asSet(value),
};

/**
 * The fields, by their paths, in which a manifest rests on something else than the one before. A lower risk tier asks for no more than
 * was validated; a higher one does. Manifests are taken as they come: those on record may be old, or odd.
 */
export function changedBasis(before: unknown, after: unknown): readonly string[] {
  const changed = Object.entries(BASIS).flatMap(([path, of]) =>
    text(of(valueAt(before, path))) === text(of(valueAt(after, path))) ? [] : [path],
  );
  return tierOf(after) > tierOf(before) ? [...changed, 'riskTier'] : changed;
}

const tierOf = (manifest: unknown): number => TIERS.indexOf(valueAt(manifest, 'riskTier'));

type Fields = Readonly<Record<string, unknown>>;

const isObject = (value: unknown): value is Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const valueAt = (manifest: unknown, path: string): unknown =>
  path.split('.').reduce((at, name) => (isObject(at) ? at[name] : undefined), manifest);

const asSet = (value: unknown, of: (one: Fields) => unknown = (one) => one): unknown =>
  Array.isArray(value) ? value.map((one: unknown) => text(isObject(one) ? of(one) : one)).sort() : value;

/** The same for the same content, whatever the order of the keys. */
const text = (value: unknown): string =>
  JSON.stringify(value ?? null, (_key, field: unknown) =>
    isObject(field) ? Object.fromEntries(Object.entries(field).sort(([a], [b]) => (a < b ? -1 : 1))) : field,
  );
