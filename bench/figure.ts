/** One figure of `npm run bench`, as `--json` prints it. */
export interface Figure {
  readonly name: string;
  /** Null: it could not be measured, as the note says. */
  readonly ours: number | null;
  /** Null: there is nothing to compare with. */
  readonly theirs: number | null;
  readonly unit: string;
  /** `ours` to `theirs`. */
  readonly ratio: number | null;
  /** In words, e.g. `ratio at least 0.8`. */
  readonly aim: string | null;
  /** Whether the aim is met; null without an aim or without a measurement. */
  readonly holds: boolean | null;
  /** What a reader has to know beside it; for people, not in the JSON line. */
  readonly note?: string;
}

export interface Aim {
  readonly of: 'ratio' | 'ours';
  readonly at: 'least' | 'most';
  readonly bound: number;
}

export interface Measured {
  readonly name: string;
  readonly unit: string;
  readonly ours: number;
  readonly theirs?: number;
  /** By default `ours / theirs`; measured in rounds it is the median of the rounds' ratios. */
  readonly ratio?: number;
  readonly aim?: Aim;
  readonly note?: string;
}

/** @throws Error when the aim is of a ratio and there is none */
export function figure({ name, unit, ours, theirs, ratio: given, aim, note }: Measured): Figure {
  const ratio = given ?? (theirs === undefined ? null : ours / theirs);
  const judged = aim?.of === 'ratio' ? ratio : ours;
  if (aim !== undefined && judged === null)
    throw new Error(`${name}: the aim is of a ratio, but there is nothing to compare with`);
  return {
    name,
    ours,
    theirs: theirs ?? null,
    unit,
    ratio,
    aim: aim === undefined ? null : wordsOf(aim, unit),
    holds: aim === undefined ? null : meets(aim, judged ?? Number.NaN),
    ...(note === undefined ? {} : { note }),
  };
}

/** A figure that cannot be measured on this machine, with the reason. */
export const notMeasurable = (name: string, reason: string): Figure => ({
  name,
  ours: null,
  theirs: null,
  unit: '',
  ratio: null,
  aim: null,
  holds: null,
  note: `Not measurable here: ${reason}`,
});

/** NaN meets nothing. */
const meets = ({ at, bound }: Aim, value: number): boolean =>
  at === 'least' ? value >= bound : value <= bound;

const wordsOf = ({ of, at, bound }: Aim, unit: string): string =>
  of === 'ratio' ? `ratio at ${at} ${bound}` : `at ${at} ${bound} ${unit}`;

/** The line of `--json`. */
export function jsonLine({ name, ours, theirs, unit, ratio, aim, holds }: Figure): string {
  const short = (value: number | null): number | null =>
    value === null || !Number.isFinite(value) ? null : Number(value.toPrecision(4));
  return JSON.stringify({
    name,
    ours: short(ours),
    theirs: short(theirs),
    unit,
    ratio: short(ratio),
    aim,
    holds,
  });
}

const ANSWER = { true: 'met', false: 'NOT MET', null: '' } as const;

/** Cells of the table for people: name, ours, theirs, unit, ratio, aim, whether it is met. */
export const cells = ({ name, ours, theirs, unit, ratio, aim, holds }: Figure): readonly string[] => [
  name,
  plain(ours),
  plain(theirs),
  unit,
  plain(ratio),
  aim ?? '',
  ANSWER[`${holds}`],
];

function plain(value: number | null): string {
  if (value === null || Number.isNaN(value)) return '';
  return value.toLocaleString('en', { maximumSignificantDigits: Math.abs(value) >= 1_000 ? 5 : 3 });
}
