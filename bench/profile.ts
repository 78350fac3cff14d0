/** What it costs to profile rows and to say whether later ones drifted: Tenure beside Evidently and NannyML on one file. */
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { Bench, BenchContext } from './bench.js';
import { python } from './detect/python.js';
import { figure } from './figure.js';
import { type Made, makeRows } from './profile/made.js';
import { compiled } from './support/compiled.js';
import { median } from './support/rounds.js';

const ROWS = 1_000_000;
const ROUNDS = 3;

/** What each tool's process says of itself. */
interface Ran {
  /** Seconds from its start until everything is loaded. */
  readonly imports: number;
  /** Seconds from then on: reading the file, profile, counts, tests. */
  readonly work: number;
  /** Seconds of processor time of the work, over all threads: what a busy machine disturbs least. */
  readonly cpu: number;
  /** Most that was in memory at once. MiB. */
  readonly memory: number;
  /** Columns that it says have changed. */
  readonly drifted: readonly string[];
}

const TOOLS = ['ours', 'evidently', 'nannyml'] as const;
type Tool = (typeof TOOLS)[number];

async function runTool(context: BenchContext, tool: Tool, made: Made): Promise<Ran> {
  if (tool === 'ours') {
    const module = fileURLToPath(await compiled('bench/processes/profile-file'));
    const { stdout } = await promisify(execFile)(process.execPath, [module, JSON.stringify(made)]);
    return JSON.parse(stdout) as Ran;
  }
  return python<Ran>(context, { program: `drift_${tool}`, requirements: tool }, [
    made.reference,
    made.later,
    [...made.numeric, ...made.categorical].join(','),
  ]);
}

const seconds = (value: number): string => `${value.toPrecision(3)} s`;

const profileDrift: Bench = {
  name: 'profile-drift',
  what: 'seconds to read and profile 500,000 rows of 16 columns and to count and judge 500,000 more, each tool in a process of its own, without loading it, and its peak memory, beside Evidently and NannyML',
  figures: ['profile-time-evidently', 'profile-time-nannyml', 'profile-memory'],
  async run(context) {
    const made = await makeRows(context.folder, ROWS);
    const rounds = context.rounds ?? ROUNDS;
    const seen: Readonly<Record<Tool, Ran[]>> = { ours: [], evidently: [], nannyml: [] };
    for (let round = 1; round <= rounds; round += 1) {
      // Each goes first in its turn.
      for (let turn = 0; turn < TOOLS.length; turn += 1) {
        const tool = TOOLS[(round + turn) % TOOLS.length] as Tool;
        const ran = await runTool(context, tool, made);
        seen[tool].push(ran);
        context.say(
          `round ${round} of ${rounds}, ${tool}: ${seconds(ran.work)} after ${seconds(ran.imports)} of loading, ${seconds(ran.cpu)} of CPU, ${Math.round(ran.memory)} MiB`,
        );
      }
    }
    const middle = (tool: Tool, of: 'imports' | 'work' | 'cpu' | 'memory'): number =>
      median(seen[tool].map((ran) => ran[of]));
    const said = (tool: Tool): string => seen[tool][0]?.drifted.join(', ') || 'none';
    const time = (tool: 'evidently' | 'nannyml', bound: number) =>
      figure({
        name: `profile-time-${tool}`,
        unit: 's',
        ours: middle('ours', 'work'),
        theirs: middle(tool, 'work'),
        ratio: median(seen.ours.map(({ work }, i) => work / (seen[tool][i]?.work ?? Number.NaN))),
        aim: { of: 'ratio', at: 'most', bound },
        note: `Loading takes ours ${seconds(middle('ours', 'imports'))} more, ${tool} ${seconds(middle(tool, 'imports'))}; CPU of the work ${seconds(middle('ours', 'cpu'))} beside ${seconds(middle(tool, 'cpu'))}. Changed are ${made.shifted.join(', ')}; ours says ${said('ours')}, ${tool} ${said(tool)}`,
      });
    const [evidently, nannyml] = [middle('evidently', 'memory'), middle('nannyml', 'memory')];
    return [
      time('evidently', 1 / 15),
      time('nannyml', 1 / 4),
      figure({
        name: 'profile-memory',
        unit: 'MiB',
        ours: middle('ours', 'memory'),
        theirs: Math.min(evidently, nannyml),
        aim: { of: 'ratio', at: 'most', bound: 0.5 },
        note: `Theirs is the smaller: Evidently ${Math.round(evidently)}, NannyML ${Math.round(nannyml)}`,
      }),
    ];
  },
};

export const benches: readonly Bench[] = [profileDrift];
