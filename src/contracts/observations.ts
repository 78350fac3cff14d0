/** Labels that come after their requests, and rows that were served elsewhere: plain types of both ways in. */

/** Labels in one batch. */
export const MOST_LABELS = 10_000;

/** A label as it is sent. */
export interface GivenLabel {
  /** The request's id, as its answer's header `tenure-request-id` and the body have it. */
  readonly id: string;
  /** Which row of the request, from 0. */
  readonly row: number;
  readonly label: unknown;
  /** When it became known, epoch milliseconds; null: when it came. */
  readonly at: number | null;
}

/**
 * - `unknown`: no request of the model with this id is known: never answered, not kept, gone, or not stored yet;
 * - `ambiguous`: several requests had this id and got different answers;
 * - `no-such-row`: the request had fewer rows;
 * - `no-such-class`: not a class of the model, or not a number for regression;
 * - `contradicts`: the row has another label, which is kept;
 * - `too-late`: longer after the request than the manifest's `labelSeconds`;
 * - `future`: its time is more than five minutes ahead.
 */
export type LabelRefusal =
  'unknown' | 'ambiguous' | 'no-such-row' | 'no-such-class' | 'contradicts' | 'too-late' | 'future';

export interface LabelAnswer {
  /** Labels that are kept now and were not before. */
  readonly accepted: number;
  /** Of the accepted, those that are counted in a window: of binary models whose version has a reference profile with scores. */
  readonly counted: number;
  /** Labels that were kept before, equal to these. */
  readonly repeated: number;
  readonly refused: readonly {
    /** Place in the batch, from 0. */
    readonly index: number;
    readonly id: string;
    readonly row: number;
    readonly reason: LabelRefusal;
    readonly message: string;
  }[];
}

/** Rows in one batch that is sent over HTTP. */
export const MOST_ROWS = 10_000;

/** A row that was answered elsewhere, as it is sent. */
export interface ObservedRow {
  /** By input; null is missing, a list where the input has several values a row. */
  readonly inputs: Readonly<Record<string, unknown>>;
  /** A number, or the probabilities of all classes. */
  readonly score: unknown;
  /** Undefined: not known yet. */
  readonly label: unknown;
  /** When it was answered, epoch milliseconds. */
  readonly at: number;
  /** By which a label may come later; null: none will. */
  readonly id: string | null;
}

export interface ObservedAnswer {
  readonly batch: string;
  /** True: this very batch was taken before, and nothing was done now. */
  readonly repeated: boolean;
  readonly rows: number;
  readonly labels: number;
  /** Stretches of time that the rows fell into. */
  readonly windows: number;
  /** Rows of it that were kept with their inputs. */
  readonly samples: number;
}
