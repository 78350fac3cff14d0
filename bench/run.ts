/** `npm run bench`: measures how fast Tenure is, beside what people would use instead. docs/benchmarks.md says how. */
import { cpus, totalmem } from 'node:os';
import { mkdir } from 'node:fs/promises';
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import Table from 'cli-table3';
import { loadConfig } from '../src/config.js';
import { BENCHES, choose } from './benches.js';
import { cells, type Figure, jsonLine } from './figure.js';
import { runBench } from './support/session.js';

const HELP = `Usage: npm run bench -- [--only NAME]... [--json] [--list] [--profile FOLDER] [--rounds N] [--runs N]

  --only NAME       a figure or a bench, or the beginning of its name (gateway, ledger, ...); may be given again
  --json            one line a figure: {"name","ours","theirs","unit","ratio","aim","holds"}; progress on stderr
  --list            which figures there are
  --profile FOLDER  CPU profiles of the processes under test (.cpuprofile); the figures are slower then
  --rounds N        rounds of what is measured side by side, 1 to 1000; its own number when absent. Of fleet: minutes
  --runs N          runs of each simulation (canary), from 100; its own number when absent. Of fleet: models, e.g. 10000

Exit code: 0 when everything ran, also when an aim is not met or something cannot be measured on this machine (it is printed as
such); 1 when a bench failed; 2 for wrong arguments.
`;

const say = (text: string): void => void process.stderr.write(`${text}\n`);
const reasonOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

function parse() {
  const { values } = parseArgs({
    options: {
      only: { type: 'string', multiple: true, default: [] },
      json: { type: 'boolean', default: false },
      list: { type: 'boolean', default: false },
      help: { type: 'boolean', short: 'h', default: false },
      profile: { type: 'string' },
      runs: { type: 'string' },
      rounds: { type: 'string' },
    },
  });
  return {
    ...values,
    runs: wholeNumber('--runs', values.runs, 100, 9_999_999),
    rounds: wholeNumber('--rounds', values.rounds, 1, 1_000),
    chosen: choose(BENCHES, values.only),
  };
}

function wholeNumber(
  name: string,
  text: string | undefined,
  least: number,
  most: number,
): number | undefined {
  if (text === undefined) return undefined;
  const value = /^\d+$/.test(text) ? Number(text) : Number.NaN;
  if (value >= least && value <= most) return value;
  throw new Error(`${name} is ${JSON.stringify(text)}: a whole number from ${least} to ${most} is needed`);
}

function machine(): string {
  const all = cpus();
  const memory = Math.round(totalmem() / 2 ** 30);
  return `${all.length} cores (${all[0]?.model.trim() ?? 'unknown'}), ${memory} GiB, ${process.platform} ${process.arch}, Node.js ${process.version}; load generators and servers share the cores`;
}

function print(figures: readonly Figure[]): void {
  const table = new Table({
    head: ['figure', 'ours', 'theirs', 'unit', 'ratio', 'aim', ''],
    style: { head: [], border: [] },
  });
  table.push(...figures.map((figure) => [...cells(figure)]));
  process.stdout.write(`${table.toString()}\n`);
  for (const { name, note } of figures) if (note !== undefined) process.stdout.write(`${name}: ${note}\n`);
}

async function measure(args: ReturnType<typeof parse>): Promise<boolean> {
  const profiles = args.profile === undefined ? null : resolve(args.profile);
  if (profiles !== null) await mkdir(profiles, { recursive: true });
  const config = loadConfig();
  const seen: Figure[] = [];
  let failed = false;
  say(machine());
  for (const { bench, figures } of args.chosen) {
    say(`${bench.name}: ${bench.what}`);
    try {
      const found = await runBench(bench, { config, profiles, runs: args.runs, rounds: args.rounds, say });
      for (const figure of found.filter(({ name }) => figures.includes(name))) {
        seen.push(figure);
        if (args.json) process.stdout.write(`${jsonLine(figure)}\n`);
        if (args.json && figure.note !== undefined) say(`${figure.name}: ${figure.note}`);
      }
    } catch (error) {
      failed = true;
      say(`${bench.name} failed: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`);
    }
  }
  if (!args.json) print(seen);
  return !failed;
}

async function run(): Promise<number> {
  let args: ReturnType<typeof parse>;
  try {
    args = parse();
  } catch (error) {
    say(`${reasonOf(error)}\n\n${HELP}`);
    return 2;
  }
  if (args.help) process.stdout.write(HELP);
  else if (args.list)
    for (const { bench, figures } of args.chosen)
      process.stdout.write(`${figures.join(', ')}: ${bench.what}\n`);
  else return (await measure(args)) ? 0 : 1;
  return 0;
}

process.exitCode = await run();
