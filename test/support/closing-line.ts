/** Tests of a run, as mocha counts them. */
export interface Counts {
  readonly passes: number;
  readonly failures: number;
  readonly pending: number;
}

/** The one line that CI systems read. */
export const closingLine = ({ passes, failures, pending }: Counts): string =>
  `${passes} passed, ${failures} failed${pending > 0 ? `, ${pending} skipped` : ''}`;

export const total = (all: readonly Counts[]): Counts => ({
  passes: sum(all.map(({ passes }) => passes)),
  failures: sum(all.map(({ failures }) => failures)),
  pending: sum(all.map(({ pending }) => pending)),
});

const sum = (values: readonly number[]): number => values.reduce((so, value) => so + value, 0);
