/** What a value of a feature is: something to count, missing, or of a wrong type. */
import type { CategoryType } from './types.js';

export const MISSING = Symbol('missing');
export const WRONG_TYPE = Symbol('wrong type');

/** A number, which may be infinite. Text that looks like a number is of a wrong type: a feed that has changed sends it. */
export function numberOf(value: unknown): number | typeof MISSING | typeof WRONG_TYPE {
  if (isMissing(value)) return MISSING;
  if (typeof value === 'number') return value;
  return typeof value === 'bigint' ? Number(value) : WRONG_TYPE;
}

/** The text of a value of the type; a bigint is a number. */
export function categoryOf(value: unknown, type: CategoryType): string | typeof MISSING | typeof WRONG_TYPE {
  if (isMissing(value)) return MISSING;
  if (typeof value === 'bigint') return type === 'number' ? value.toString() : WRONG_TYPE;
  if (typeof value !== type) return WRONG_TYPE;
  return typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean'
    ? String(value)
    : WRONG_TYPE;
}

function isMissing(value: unknown): boolean {
  return value === null || value === undefined || Number.isNaN(value);
}
