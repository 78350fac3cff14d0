import type { Json, LedgerEvent } from '../../contracts/ledger.js';
import type { VersionRef } from '../../contracts/model.js';

type Fields = { readonly [key: string]: Json };

/** What is read of an event is checked where it is read: a record may be older than this code, or odd. */
const field = (of: unknown, name: string): Json | undefined =>
  typeof of === 'object' && of !== null && !Array.isArray(of) && Object.hasOwn(of, name)
    ? (of as Fields)[name]
    : undefined;

export const subjectOf = (event: LedgerEvent, name: string): Json | undefined => field(event.subject, name);
export const evidenceOf = (event: LedgerEvent, name: string): Json | undefined => field(event.evidence, name);

/** A whole number from 0; null for anything else. */
export const numberIn = (value: Json | undefined): number | null =>
  typeof value === 'number' && Number.isSafeInteger(value) && value >= 0 ? value : null;

export const textIn = (value: Json | undefined): string | null =>
  typeof value === 'string' && value !== '' ? value : null;

export const numbersIn = (value: Json | undefined): readonly number[] =>
  Array.isArray(value) ? (value as readonly Json[]).flatMap((one) => numberIn(one) ?? []) : [];

export const textsIn = (value: Json | undefined): readonly string[] =>
  Array.isArray(value) ? (value as readonly Json[]).flatMap((one) => textIn(one) ?? []) : [];

export function versionIn(value: Json | undefined): VersionRef | null {
  const version = textIn(field(value, 'version'));
  const digest = textIn(field(value, 'digest'));
  return version === null || digest === null ? null : { version, digest };
}

/** Far beyond what a model will see, and far from where counting on stops. */
const MOST_RELEASES = 1e9;

/** The number of the release that an event is about. */
export function releaseOf(event: LedgerEvent): number | null {
  const number = numberIn(subjectOf(event, 'release'));
  return number !== null && number >= 1 && number < MOST_RELEASES ? number : null;
}
