import * as z from 'zod';

/**
 * Building blocks of the schema. Each carries what is allowed in words: for error messages (as zod's `error`), the JSON Schema
 * and docs/manifest.md (as metadata).
 */
interface Words {
  /** What the field means, with its unit. */
  readonly about: string;
}

interface Range {
  readonly min?: number;
  readonly max?: number;
  /** Exclusive bound. */
  readonly above?: number;
  /** Exclusive bound. */
  readonly below?: number;
}

function rangeInWords({ min, max, above, below }: Range): string {
  const low = min === undefined ? (above === undefined ? '' : `above ${above}`) : `from ${min}`;
  const high =
    max === undefined
      ? below === undefined
        ? ''
        : `below ${below}`
      : min === undefined
        ? `at most ${max}`
        : `to ${max}`;
  return [low, high].filter((part) => part !== '').join(min === undefined || max === undefined ? ', ' : ' ');
}

function bounded(schema: z.ZodNumber, range: Range, error: string): z.ZodNumber {
  let result = schema;
  if (range.min !== undefined) result = result.min(range.min, { error });
  if (range.max !== undefined) result = result.max(range.max, { error });
  if (range.above !== undefined) result = result.gt(range.above, { error });
  if (range.below !== undefined) result = result.lt(range.below, { error });
  return result;
}

export function number(range: Range & Words) {
  const allowed = `a number ${rangeInWords(range)}`.trim();
  return bounded(z.number({ error: allowed }), range, allowed).meta({ description: range.about, allowed });
}

export function whole(range: Range & Words) {
  const allowed = `a whole number ${rangeInWords(range)}`.trim();
  return bounded(z.number({ error: allowed }).int({ error: allowed }), range, allowed).meta({
    description: range.about,
    allowed,
  });
}

const PERCENT = /^(\d+(?:\.\d+)?)\s*%$/;

/** A number of 0..1 (or of the range), also as a percentage: `5%`. */
export function share(range: Range & Words) {
  const allowed = `a number ${rangeInWords({ ...(range.above === undefined ? { min: 0 } : {}), ...(range.below === undefined ? { max: 1 } : {}), ...range })}, or a percentage such as 5%`;
  const limits: Range = {
    ...range,
    ...(range.above === undefined ? { min: range.min ?? 0 } : {}),
    ...(range.below === undefined ? { max: range.max ?? 1 } : {}),
  };
  return z
    .preprocess(
      (value) => {
        const percent = typeof value === 'string' ? PERCENT.exec(value)?.[1] : undefined;
        return percent === undefined ? value : Number(`${percent}e-2`);
      },
      bounded(z.number({ error: allowed }), limits, allowed),
    )
    .meta({ description: range.about, allowed, type: ['number', 'string'], pattern: PERCENT.source });
}

const DURATION = /^(\d+(?:\.\d+)?)(s|m|h|d)$/;
const UNIT_SECONDS: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3600, d: 86_400 };

/** Seconds, also as `30s`, `15m`, `2h` or `7d`. */
export function seconds(range: { readonly min: number; readonly max: number } & Words) {
  const allowed = `a duration from ${inUnits(range.min)} to ${inUnits(range.max)}: 30s, 15m, 2h, 7d, or a number of seconds`;
  return z
    .preprocess(
      (value) => {
        const [, amount, unit] = typeof value === 'string' ? (DURATION.exec(value) ?? []) : [];
        return amount === undefined || unit === undefined ? value : toSeconds(amount, unit);
      },
      bounded(z.number({ error: allowed }), range, allowed),
    )
    .meta({ description: range.about, allowed, type: ['number', 'string'], pattern: DURATION.source });
}

/** Milliseconds are the finest grain: 0.1m is 6 seconds, not 6.000000000000001. */
const toSeconds = (amount: string, unit: string): number =>
  Math.round(Number(amount) * (UNIT_SECONDS[unit] ?? Number.NaN) * 1000) / 1000;

/** Seconds in the largest unit that divides them, e.g. `15m`. */
export function inUnits(value: number): string {
  const unit = (['d', 'h', 'm'] as const).find((u) => value > 0 && value % (UNIT_SECONDS[u] ?? 1) === 0);
  return unit === undefined ? `${value}s` : `${value / (UNIT_SECONDS[unit] ?? 1)}${unit}`;
}

export const NAME = /^[a-z][a-z0-9-]{0,62}$/;

/** A name of Tenure's own: of a model, a team, a guardrail, a command gate. */
export function name({ about }: Words) {
  const allowed = 'a lower-case letter, then at most 62 lower-case letters, digits and hyphens';
  return z.string({ error: allowed }).regex(NAME, { error: allowed }).meta({ description: about, allowed });
}

/** Free text, or a name that others give: columns, outputs, persons, roles. */
export function text({
  about,
  max = 200,
  pattern,
  allowed = `text of 1 to ${max} characters`,
}: Words & { readonly max?: number; readonly pattern?: RegExp; readonly allowed?: string }) {
  const plain = z.string({ error: allowed }).min(1, { error: allowed }).max(max, { error: allowed });
  const result = pattern === undefined ? plain : plain.regex(pattern, { error: allowed });
  return result.meta({ description: about, allowed });
}

export function oneOf<const T extends readonly [string, ...string[]]>(values: T, { about }: Words) {
  const allowed = values.join(', ');
  return z.enum(values, { error: `one of ${allowed}` }).meta({ description: about, allowed });
}

export function flag({ about }: Words) {
  return z.boolean({ error: 'true or false' }).meta({ description: about, allowed: 'true, false' });
}

/** A label or category: text or a number, kept as it is. */
export function label({ about }: Words) {
  const allowed = 'text or a number';
  return z.union([z.string(), z.number()], { error: allowed }).meta({ description: about, allowed });
}

/** Marks the message of an unknown field: what follows are the fields that the section has. */
export const UNKNOWN_FIELD = 'unknown field; fields: ';

/** A section: unknown fields are errors. */
export function section<T extends z.core.$ZodShape>(shape: T, { about }: Words) {
  const allowed = `a section with the fields ${Object.keys(shape).join(', ')}`;
  return z
    .strictObject(shape, {
      error: (issue) =>
        issue.code === 'unrecognized_keys' ? UNKNOWN_FIELD + Object.keys(shape).join(',') : allowed,
    })
    .meta({ description: about });
}

/** A section that may be left out: its fields have defaults. */
export const optional = <T extends z.ZodObject>(schema: T) =>
  schema.prefault({} as never).meta(schema.meta() ?? {});

export function list<T extends z.ZodType>(
  item: T,
  { about, min = 0, max }: Words & { readonly min?: number; readonly max: number },
) {
  const allowed = `a list of ${min} to ${max} entries`;
  return z
    .array(item, { error: allowed })
    .min(min, { error: allowed })
    .max(max, { error: allowed })
    .meta({ description: about, allowed });
}

/** A field that may also be null; keeps its words. */
export function orNull<T extends z.ZodType>(schema: T) {
  return schema.nullable().meta({ ...schema.meta() });
}

/** With the default also in the metadata as `otherwise`, where the JSON Schema and the reference find it. */
export function defaulted<T extends z.ZodType>(
  schema: T,
  value: () => z.output<T> & z.core.util.NoUndefined<z.output<T>>,
) {
  return schema.default(value as never).meta({ ...schema.meta(), otherwise: value() });
}

/** The word that tells the entries of a list apart. */
export const kind = <T extends string>(value: T, about: string) =>
  z.literal(value).meta({ description: about });

export const person = (about: string) => text({ about, max: 128 });

export const role = (about: string) => text({ about, max: 64 });
