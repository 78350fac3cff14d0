/**
 * `npm run chaos`: releases under load while worker, gateways, mongod and Temporal are killed at times and places drawn from a seed.
 * The seed is said first; the same seed is the same plan of kills. Progress goes to stderr, the figures to stdout; exit code 0 only
 * when every invariant holds, 2 when it was called wrongly.
 */
import { randomInt } from 'node:crypto';
import { CommanderError } from 'commander';
import { runChaos } from '../test/support/chaos/chaos.js';
import { type ChaosArguments, chaosCommand, MOST_SEED } from '../test/support/chaos/command.js';
import { reportText } from '../test/support/chaos/report.js';

const say = (line: string): void => void process.stderr.write(`${line}\n`);

async function chaos({ releases, seed = randomInt(MOST_SEED), json }: ChaosArguments): Promise<void> {
  say(`Seed ${seed}: the same kills again by npm run chaos -- --releases ${releases} --seed ${seed}`);
  const stopped = new AbortController();
  for (const name of ['SIGINT', 'SIGTERM'] as const)
    process.once(name, () => {
      say(`${name}: ending what was started; once more to end at once`);
      process.once(name, () => process.exit(130));
      stopped.abort(new Error(`Stopped by ${name}`));
    });
  const report = await runChaos({ releases, seed, onProgress: say, signal: stopped.signal });
  process.stdout.write(`${json === true ? JSON.stringify(report) : reportText(report)}\n`);
  process.exitCode = report.violations.length === 0 ? 0 : 1;
}

try {
  await chaosCommand(chaos).parseAsync();
} catch (error) {
  if (error instanceof CommanderError) process.exitCode = error.exitCode === 0 ? 0 : 2;
  else {
    say(error instanceof Error ? error.message : String(error));
    process.exitCode = 1;
  }
}
