/** Tests of a run, as mocha counts them. */
export interface Counts {
  readonly passes: number;
  readonly failures: number;
  readonly pending: number;
}

export interface Failed {
  /** Of the test, and of what it stands in. */
  readonly title: string;
  readonly file?: string;
  /** The error with its stack. */
  readonly reason: string;
}

/** What a lane leaves for those who add lanes up. */
export interface Outcome extends Counts {
  readonly failed: readonly Failed[];
}

/** Told last, since a reader of a long output sees its end. */
export const failureLines = (failed: readonly Failed[]): string =>
  failed
    .map(
      ({ title, file, reason }) =>
        `FAILED ${title}${file === undefined ? '' : `\n  in ${file}`}\n${indented(reason)}\n`,
    )
    .join('\n');

const indented = (text: string): string => text.replaceAll(/^/gm, '  ');

/** The last line, which CI systems read, alone on its line; what was skipped is told before. */
export const closingLine = ({ passes, failures, pending }: Counts): string =>
  `${pending > 0 ? `${pending} skipped, because what they need is not on this machine\n` : ''}${passes} passed, ${failures} failed`;

export const total = (all: readonly Counts[]): Counts => ({
  passes: sum(all.map(({ passes }) => passes)),
  failures: sum(all.map(({ failures }) => failures)),
  pending: sum(all.map(({ pending }) => pending)),
});

const sum = (values: readonly number[]): number => values.reduce((so, value) => so + value, 0);
