import { readFile, stat } from 'node:fs/promises';
import { Document } from 'yaml';
import type * as z from 'zod';
import type { Manifest } from '../contracts/manifest.js';
import { crossChecks } from './checks.js';
import { MAX_TEXT, readDocument } from './document.js';
import { UNKNOWN_FIELD } from './fields.js';
import { partsOf } from './parts.js';
import { nearest, pathInWords, valueInWords } from './problems.js';
import type { Complaint, Path, Problem } from './problems.js';
import { manifestSchema, RISK_TIERS, TASKS } from './schema.js';

export interface ManifestSource {
  /** As given; null when there is no file. */
  readonly file: string | null;
  readonly text: string;
  /** The place of a field, for errors that show later (e.g. a data set that is missing); lines and columns from 1. */
  place(path: Path): { readonly line: number; readonly column: number };
}

export type Refused = { readonly ok: false; readonly problems: readonly Problem[] };
export type ParsedManifest =
  { readonly ok: true; readonly manifest: Manifest; readonly source: ManifestSource } | Refused;
export type ResolvedManifest =
  | { readonly ok: true; readonly manifest: Manifest }
  | { readonly ok: false; readonly complaints: readonly Complaint[] };

/** Reads the text of a model.yaml. All problems are reported at once, in the order of the text. Never throws. */
export function parseManifest(
  text: string,
  { file = null }: { readonly file?: string | null } = {},
): ParsedManifest {
  const document = readDocument(text);
  if (document.problems.length > 0) return { ok: false, problems: document.problems };
  const resolved = resolveManifest(document.value);
  if (!resolved.ok) return { ok: false, problems: document.locate(resolved.complaints) };
  const place: ManifestSource['place'] = (path) => {
    const [found] = document.locate([{ path, message: '' }]);
    return { line: found?.line ?? 1, column: found?.column ?? 1 };
  };
  return { ok: true, manifest: resolved.manifest, source: { file, text, place } };
}

/** A character has four bytes at most. */
const MAX_BYTES = 4 * MAX_TEXT;

/** `parseManifest` of a file. A file that cannot be read is a problem too. */
export async function loadManifest(file: string): Promise<ParsedManifest> {
  try {
    const { size } = await stat(file);
    // Before it is read: what is meant may be a data set, or a model.
    if (size > MAX_BYTES)
      return {
        ok: false,
        problems: [
          {
            path: '',
            line: null,
            column: null,
            message: `The file has ${size} bytes; allowed for a manifest: at most ${MAX_BYTES}. Is it a manifest?`,
          },
        ],
      };
    const text = await readFile(file, 'utf8');
    return parseManifest(text, { file });
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    return {
      ok: false,
      problems: [{ path: '', line: null, column: null, message: `Cannot be read: ${reason}` }],
    };
  }
}

/** Checks a plain value (of YAML or JSON) and fills in the defaults of its tier. A resolved manifest comes out as it went in. */
export function resolveManifest(raw: unknown): ResolvedManifest {
  // Without a valid tier or task the defaults that ask for least: their own problem is reported, not what follows from it.
  const schema = manifestSchema(
    known(RISK_TIERS, raw, 'riskTier') ?? 'experimental',
    known(TASKS, raw, 'task') ?? 'binary',
  );
  const result = schema.safeParse(raw);
  const complaints = [
    ...(result.error?.issues ?? []).flatMap((issue) => complaintsOf(issue, raw)),
    ...(isRecord(raw) ? crossChecks(partsOf(schema, raw)) : []),
  ];
  const distinct = [
    ...new Map(complaints.toReversed().map((complaint) => [pathInWords(complaint.path), complaint])).values(),
  ];
  return result.success && distinct.length === 0
    ? { ok: true, manifest: result.data }
    : { ok: false, complaints: distinct.reverse() };
}

/** YAML of a resolved manifest, every default written out; `parseManifest` of it gives the same manifest. */
export function stringifyManifest(manifest: Manifest): string {
  return new Document(manifest, { aliasDuplicateObjects: false }).toString({ lineWidth: 110 });
}

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

function known<T extends string>(values: readonly T[], raw: unknown, key: string): T | undefined {
  return isRecord(raw) ? values.find((value) => value === raw[key]) : undefined;
}

function complaintsOf(issue: z.core.$ZodIssue, raw: unknown): Complaint[] {
  const path = issue.path.map((part) => (typeof part === 'number' ? part : String(part)));
  if (issue.code === 'unrecognized_keys')
    return issue.keys.map((key) => unknownField(path, key, issue.message));
  const where = path.length === 0 ? 'The manifest' : pathInWords(path);
  const value = valueAt(raw, path);
  if (value === undefined && path.length > 0)
    return [{ path, message: `${where} is missing; needed: ${issue.message}` }];
  const shown = value === null || value === undefined ? 'empty' : valueInWords(value);
  return [{ path, message: `${where} is ${shown}; allowed: ${issue.message}${meantChoice(issue, value)}` }];
}

/** A guess for slips in words of a fixed choice. */
function meantChoice(issue: z.core.$ZodIssue, value: unknown): string {
  if (typeof value !== 'string' || issue.code !== 'invalid_value' || issue.values.length < 2) return '';
  return guess(value, issue.values.map(String));
}

const guess = (written: string, candidates: readonly string[]): string => {
  const near = nearest(written, candidates);
  return near === undefined ? '' : `; did you mean ${near}?`;
};

function unknownField(path: Path, key: string, message: string): Complaint {
  const fields = message.slice(UNKNOWN_FIELD.length).split(',');
  const section = path.length === 0 ? 'the manifest' : pathInWords(path);
  const full = [...path, key];
  const meant = guess(key, fields) || '.';
  return {
    path: full,
    atName: true,
    message: `${pathInWords(full)} is not a field of ${section}${meant} Allowed: ${fields.join(', ')}`,
  };
}

const valueAt = (raw: unknown, path: Path): unknown =>
  path.reduce<unknown>((value, part) => {
    if (Array.isArray(value)) return (value as unknown[])[Number(part)];
    return isRecord(value) && Object.hasOwn(value, part) ? value[part] : undefined;
  }, raw);
