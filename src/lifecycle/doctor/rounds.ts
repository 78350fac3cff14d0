import { differenceKey, type DoctorReport, type ToldDifference } from '../../contracts/doctor.js';
import { inOneCell, tableLines } from '../markdown.js';

/** Of a text in the details, characters. */
const LONGEST = 300;

/** What people are told after a round. */
export interface Told {
  readonly fresh: readonly ToldDifference[];
  readonly resolved: readonly ToldDifference[];
  /** What they know of now: the next round goes on from it. */
  readonly open: readonly ToldDifference[];
}

/** More at once would drown who is told; the rest is told by the next rounds. */
const MOST_AT_ONCE = 20;

/** @param before what people had been told of and was not over */
export function tellings(before: readonly ToldDifference[], report: DoctorReport): Told {
  const found = new Map(report.differences.map((difference) => [differenceKey(difference), difference]));
  const known = new Map(before.map((told) => [differenceKey(told), told]));
  const again = before.flatMap((told) => {
    const difference = found.get(differenceKey(told));
    return difference === undefined
      ? []
      : [{ untold: told.untold, difference: { ...difference, since: told.since } }];
  });
  const lasting = again.flatMap(({ untold, difference }) => (untold === undefined ? [difference] : []));
  const fresh = [
    ...again.flatMap(({ untold, difference }) => (untold === undefined ? [] : [difference])),
    ...report.differences
      .filter((difference) => !known.has(differenceKey(difference)))
      .map((difference) => ({ ...difference, since: report.at })),
  ].slice(0, MOST_AT_ONCE);
  const gone = before.filter((told) => !found.has(differenceKey(told)));
  // Of a list that was cut short nobody knows what is over.
  const resolved = report.more === 0 ? gone : [];
  const unsure = report.more === 0 ? [] : gone;
  return { fresh, resolved, open: [...lasting, ...unsure, ...fresh] };
}

/** What the next round goes on from when people could not be told: it tells them, under the same keys. */
export const untold = ({ fresh, resolved, open }: Told): readonly ToldDifference[] => [
  ...open.map((difference) =>
    fresh.includes(difference) ? { ...difference, untold: true as const } : difference,
  ),
  ...resolved,
];

/** What an earlier round left; anything else, e.g. of another version of this code, is nothing. */
export function openOf(lastResult: unknown): readonly ToldDifference[] {
  const { open } = (lastResult ?? {}) as { readonly open?: unknown };
  return Array.isArray(open) ? (open as readonly ToldDifference[]).filter(isTold) : [];
}

const isTold = (value: unknown): value is ToldDifference => {
  const { code, model, subject, since } = (value ?? {}) as Partial<Record<keyof ToldDifference, unknown>>;
  return [code, model, subject, since].every((field) => typeof field === 'string');
};

/** Markdown for the Temporal UI. */
export function doctorDetails({
  at,
  models,
  differences,
  more,
  byCode,
  gateways,
  alerts,
}: DoctorReport): string {
  const count = Object.values(byCode).reduce((sum, number) => sum + number, 0);
  const rows = differences
    .slice(0, 50)
    .map(({ code, model, subject, expected, found }) => [
      code,
      model,
      subject,
      expected.slice(0, LONGEST),
      found.slice(0, LONGEST),
    ]);
  const left = count - rows.length;
  return [
    `## ${count === 0 ? 'The parts agree' : `${count} difference(s)`}`,
    '',
    `${models} model(s) at ${at} · gateways: ${gateways.serving} serving, ${gateways.silent.length} silent`,
    ...(count === 0 ? [] : ['', ...tableLines(['what', 'model', '', 'expected', 'found'], rows)]),
    ...(left > 0 || more > 0 ? ['', `and ${left} more`] : []),
    ...(count === 0 ? [] : ['', 'To mend them: `tenure doctor --repair`']),
    ...(alerts?.problems ?? []).map((problem) => `\nAlerts wait: ${inOneCell(problem).slice(0, LONGEST)}`),
  ].join('\n');
}
