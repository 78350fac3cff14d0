/** Which labels of a batch are taken, and why the others are not. Pure. */
import type { GivenLabel, LabelAnswer, LabelRefusal } from '../../contracts/observations.js';
import type { RouteMonitoring } from '../../contracts/routes.js';
import type { WindowRole } from '../../contracts/windows.js';

/** What a version answered to a request. */
export interface Prediction {
  readonly identity: string;
  readonly version: string;
  readonly digest: string;
  readonly role: WindowRole;
  readonly generation: number;
  /** Epoch milliseconds. */
  readonly labelsUntil: number;
  readonly expiresAt: number;
  /** One a row; NaN where there was no single number. */
  readonly scores: readonly number[];
  /** It is that of a row from elsewhere. */
  readonly isObserved: boolean;
}

export interface JoinedLabel {
  /** `<identity>/<row>`. */
  readonly key: string;
  readonly requestId: string;
  readonly row: number;
  /** A class as the manifest has it, or a number. */
  readonly label: string | number;
  /** Epoch milliseconds. */
  readonly at: number;
  readonly prediction: Prediction;
  /** Rows from elsewhere are among what was answered under its id. */
  readonly isObserved: boolean;
  /** It is kept already, and counted, but for another version. */
  readonly isKept: boolean;
}

export interface KeptLabel {
  readonly label: string | number;
  /** Digest of the version with whose row it came; null: it was joined to what was answered. */
  readonly observed: string | null;
}

export interface Decided {
  readonly accepted: readonly JoinedLabel[];
  readonly repeated: number;
  readonly refused: LabelAnswer['refused'];
}

export interface LabelsKnown {
  readonly settings: Pick<RouteMonitoring, 'classes'>;
  readonly identityOf: (requestId: string) => string;
  /** Identity -> what was answered under it. */
  readonly predictions: ReadonlyMap<string, readonly Prediction[]>;
  /** Key -> label that is kept already. */
  readonly labels: ReadonlyMap<string, KeptLabel>;
  /** Epoch milliseconds. */
  readonly now: number;
}

/** Clocks of two machines may differ by so much. */
export const FUTURE_MS = 5 * 60_000;

/** In the order of the batch: of two labels of one row the first counts. */
export function decideLabels(given: readonly GivenLabel[], known: LabelsKnown): Decided {
  const accepted = new Map<string, JoinedLabel>();
  const refused: LabelAnswer['refused'][number][] = [];
  let repeated = 0;
  given.forEach((one, index) => {
    const { id, row } = one;
    const identity = known.identityOf(id);
    const key = `${identity}/${row}`;
    const before = accepted.get(key);
    const kept = before === undefined ? known.labels.get(key) : { label: before.label, observed: null };
    const decided = decide(one, identity, kept, known);
    if (decided === 'repeated') repeated += 1;
    else if ('reason' in decided) refused.push({ index, id, row, ...decided });
    else accepted.set(decided.key, decided);
  });
  return { accepted: [...accepted.values()], repeated, refused };
}

interface Refusal {
  readonly reason: LabelRefusal;
  readonly message: string;
}

function decide(
  { id, row, label, at }: GivenLabel,
  identity: string,
  kept: KeptLabel | undefined,
  known: LabelsKnown,
): JoinedLabel | 'repeated' | Refusal {
  const { settings, now } = known;
  const value = labelOf(label, settings.classes);
  if (value === null) return { reason: 'no-such-class', message: classMessage(label, settings.classes) };
  if (at !== null && at > now + FUTURE_MS)
    return {
      reason: 'future',
      message: `The label's time ${new Date(at).toISOString()} is more than five minutes ahead of ${new Date(now).toISOString()}`,
    };
  const contradiction: Refusal | null =
    kept === undefined || kept.label === value
      ? null
      : { reason: 'contradicts', message: contradictionMessage(id, row, kept.label, value) };
  const found = known.predictions.get(identity) ?? [];
  const [prediction] = found;
  // A row from elsewhere that came with its label is kept by that alone.
  if (prediction === undefined && kept !== undefined) return contradiction ?? 'repeated';
  if (prediction === undefined)
    return {
      reason: 'unknown',
      message: `No request ${id} is known: it was not answered, not kept, is too old, or not stored yet (try again after some seconds)`,
    };
  if (found.some((other) => !isSame(other, prediction)))
    return {
      reason: 'ambiguous',
      message: `${found.length} requests had the id ${id} and got different answers: a label needs an id of its own`,
    };
  if (row >= prediction.scores.length)
    return {
      reason: 'no-such-row',
      message: `Request ${id} had ${prediction.scores.length} rows, from 0: there is no row ${row}`,
    };
  const until = Math.max(...found.map(({ labelsUntil }) => labelsUntil));
  if (now > until)
    return {
      reason: 'too-late',
      message: `Labels of request ${id} could come until ${new Date(until).toISOString()} (labelSeconds of the manifest)`,
    };
  if (contradiction !== null) return contradiction;
  const isKept = kept !== undefined;
  if (isKept && (kept.observed === null || kept.observed === prediction.digest)) return 'repeated';
  const isObserved = found.some((one) => one.isObserved);
  const key = `${identity}/${row}`;
  return { key, requestId: id, row, label: value, at: at ?? now, prediction, isObserved, isKept };
}

export const contradictionMessage = (
  id: string,
  row: number,
  kept: string | number,
  label: string | number,
): string => `Row ${row} of request ${id} has label ${kept} already, which is kept: ${label} contradicts it`;

/** A request that was sent again, and got the same answer. */
const isSame = (a: Prediction, b: Prediction): boolean =>
  a.digest === b.digest &&
  a.scores.length === b.scores.length &&
  a.scores.every((score, row) => Object.is(score, b.scores[row]));

/**
 * A label as the model has it: a class of its list, told by its text (false and true are classes 0 and 1), or a finite number where it
 * has none. Null where it is none.
 */
export function labelOf(label: unknown, classes: RouteMonitoring['classes']): string | number | null {
  if (typeof label !== 'string' && typeof label !== 'number' && typeof label !== 'boolean') return null;
  if (classes.length === 0) {
    const number = typeof label === 'string' && label.trim() !== '' ? Number(label) : label;
    return typeof number === 'number' && Number.isFinite(number) ? number : null;
  }
  const named = classes.find((one) => String(one) === String(label));
  if (named !== undefined) return named;
  if (typeof label === 'number' || !(classes.map(String).join() === '0,1')) return null;
  const text = String(label);
  return text === 'true' ? (classes[1] ?? null) : text === 'false' ? (classes[0] ?? null) : null;
}

export function classMessage(label: unknown, classes: RouteMonitoring['classes']): string {
  const shown = label === undefined ? 'Nothing' : (JSON.stringify(label) ?? 'Nothing').slice(0, 80);
  return classes.length === 0
    ? `${shown} is no label of this model: a finite number is needed`
    : `${shown} is no label of this model: its classes are ${classes.slice(0, 50).join(', ')}`;
}
