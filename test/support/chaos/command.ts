import { Command, InvalidArgumentError } from 'commander';

export interface ChaosArguments {
  readonly releases: number;
  /** Absent: to be drawn. */
  readonly seed?: number;
  readonly json?: true;
}

const MOST_RELEASES = 10_000;
export const MOST_SEED = 2 ** 31 - 1;

/** What `npm run chaos --` takes. Throws commander's errors instead of ending the process. */
export const chaosCommand = (act: (given: ChaosArguments) => Promise<void>): Command =>
  new Command('npm run chaos --')
    .description('Releases under load while every process is killed, and what holds afterwards')
    .option('--releases <number>', 'how many', whole(1, MOST_RELEASES), 20)
    .option('--seed <number>', 'of the kills (drawn and said when absent)', whole(0, MOST_SEED))
    .option('--json', 'print the figures as one JSON document')
    .allowExcessArguments(false)
    .exitOverride()
    .action(act);

const whole =
  (least: number, most: number) =>
  (text: string): number => {
    const value = Number(text);
    if (!/^\d+$/.test(text) || value < least || value > most)
      throw new InvalidArgumentError(`It must be a whole number from ${least} to ${most}.`);
    return value;
  };
