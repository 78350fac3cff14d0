/** Tests of a run, as mocha counts them. */
export interface Counts {
  readonly passes: number;
  readonly failures: number;
  readonly pending: number;
}

/** The last line, which CI systems read, alone on its line; what was skipped is told before. */
export const closingLine = ({ passes, failures, pending }: Counts): string =>
  `${pending > 0 ? `${pending} skipped, because what they need is not on this machine\n` : ''}${passes} passed, ${failures} failed`;

export const total = (all: readonly Counts[]): Counts => ({
  passes: sum(all.map(({ passes }) => passes)),
  failures: sum(all.map(({ failures }) => failures)),
  pending: sum(all.map(({ pending }) => pending)),
});

const sum = (values: readonly number[]): number => values.reduce((so, value) => so + value, 0);
