import { createHash } from 'node:crypto';
import canonicalize from 'canonicalize';

/** A value has no canonical form; the message names the place in it. */
export class CanonicalError extends Error {
  /** E.g. `evidence.rows[3].auc`; empty for the value itself. */
  readonly path: string;

  constructor(path: string, problem: string) {
    super(`${path === '' ? 'The value' : path} ${problem}`);
    this.name = 'CanonicalError';
    this.path = path;
  }
}

/** MongoDB refuses documents nested deeper than 100. */
const MAX_DEPTH = 64;

/**
 * Keys that JSON allows, but that the database or its driver refuse or read back as something else.
 * An event is stored as text and as fields, and both must say the same for ever.
 */
const UNSTORABLE_KEYS = ['__proto__', '_bsontype', 'toBSON', 'toJSON', '$ref', '$id', '$db'];

/**
 * The one text of a JSON value, after RFC 8785 (JSON Canonicalization Scheme).
 * What canonicalizers quietly drop or change (undefined, Map, Date, NaN, class instances, …) is refused, with its place.
 * @throws CanonicalError
 */
export function canonicalJson(value: unknown): string {
  check(value, '', 0);
  const text = canonicalize(value);
  if (text === undefined) throw new CanonicalError('', 'has no canonical form');
  return text;
}

/** SHA-256 of a text's UTF-8 bytes, 64 lower-case hex digits. */
export const sha256 = (text: string): string => createHash('sha256').update(text, 'utf8').digest('hex');

/** SHA-256 of a value's canonical form: how evidence is named by hash. @throws CanonicalError */
export const canonicalHash = (value: unknown): string => sha256(canonicalJson(value));

function check(value: unknown, path: string, depth: number): void {
  if (value === null || typeof value === 'boolean') return;
  if (typeof value === 'number') {
    if (!Number.isFinite(value)) throw new CanonicalError(path, `is ${value}, which JSON does not have`);
  } else if (typeof value === 'string') {
    if (/\p{Surrogate}/u.test(value)) throw new CanonicalError(path, 'holds half of a surrogate pair');
  } else if (typeof value === 'object') {
    if (depth >= MAX_DEPTH) throw new CanonicalError(path, `is nested deeper than ${MAX_DEPTH} levels`);
    if (Array.isArray(value)) checkList(value, path, depth);
    else checkObject(value, path, depth);
  } else {
    const what = value === undefined ? 'undefined' : `a ${typeof value}`;
    throw new CanonicalError(path, `is ${what}: leave it out or make it JSON`);
  }
}

function checkList(list: readonly unknown[], path: string, depth: number): void {
  // By index: `forEach` would pass over the holes.
  for (let i = 0; i < list.length; i += 1) check(list[i], `${path}[${i}]`, depth + 1);
}

function checkObject(object: object, path: string, depth: number): void {
  const prototype: unknown = Object.getPrototypeOf(object);
  if (prototype !== Object.prototype && prototype !== null) {
    throw new CanonicalError(
      path,
      `is a ${object.constructor?.name ?? 'class instance'}, not a plain object`,
    );
  }
  if (Object.getOwnPropertySymbols(object).length > 0) throw new CanonicalError(path, 'has a symbol as key');
  for (const [key, value] of Object.entries(object)) {
    const place = path === '' ? key : `${path}.${key}`;
    if (UNSTORABLE_KEYS.includes(key) || key.includes('\0')) {
      throw new CanonicalError(place, 'is a key that the database cannot hold');
    }
    check(key, place, depth);
    check(value, place, depth + 1);
  }
}
