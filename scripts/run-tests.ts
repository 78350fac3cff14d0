/**
 * Runs the tests in lanes, some side by side, because most of them mostly wait. The first lane's lines are shown as they come, the
 * next one's when it is through. Arguments go to mocha, in every lane.
 * Ends with one line, `N passed, N failed`.
 */
import { spawn } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { scale } from '../test/support/scale.js';
import { addSkippingBundle, buildAnew, SHARED_BUILD } from '../test/support/built.js';
import { closingLine, failureLines, type Outcome, total } from '../test/support/closing-line.js';

/** About half of what is computed when it is simulated with large N. */
const SIMULATIONS = 'test/unit/statistics/!(canary|drift)/**/*.test.ts';
type Lanes = Readonly<Record<string, readonly string[]>>;
/**
 * What mocha is given, the longest first. Whatever is new has a lane: `serving` takes what no other integration has, `computing` what
 * is neither integration nor workflow.
 */
const LANES: Lanes = {
  computing: [
    'test/{unit,oracles,replay}/**/*.test.ts',
    ...scale<readonly string[]>([], ['--ignore', SIMULATIONS]),
  ],
  // With small N it is not worth a process of its own.
  ...scale<Lanes>({}, { simulating: [SIMULATIONS] }),
  deciding: ['test/workflows/**/*.test.ts'],
  serving: [
    'test/integration/!(backup|chaos|client|doctor|faults|floods|hands|incidents|monitors|release|report|retraining)/**/*.test.ts',
  ],
  killing: ['test/integration/{chaos,release}/**/*.test.ts'],
  watching: ['test/integration/{incidents,monitors,report,retraining}/**/*.test.ts'],
  operating: ['test/integration/{backup,client,doctor}/**/*.test.ts'],
  // Ten minutes of two cores, which are not there within twelve minutes: else by `npm run test:faults`.
  ...scale<Lanes>({}, { hanging: ['test/integration/{faults,floods,hands}/**/*.test.ts'] }),
};
/** Two cores are busy with so many: most lanes wait more than they compute. */
const AT_ONCE = 6;

const mocha = fileURLToPath(new URL('../node_modules/mocha/bin/mocha.js', import.meta.url));
const folder = await mkdtemp(join(tmpdir(), 'tenure-lanes-'));
const built = await buildAnew();
await addSkippingBundle(built);

interface Lane {
  readonly name: string;
  readonly counts: Promise<Outcome>;
  /** From now on its lines are shown at once. */
  show(): void;
}

function start(name: string, files: readonly string[]): Lane {
  const countsFile = join(folder, `${name}.json`);
  const child = spawn(
    process.execPath,
    [mocha, ...files, '--reporter-option', `counts=${countsFile}`, ...process.argv.slice(2)],
    { stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, [SHARED_BUILD]: built } },
  );
  const kept: Buffer[] = [];
  let shown = false;
  const take = (chunk: Buffer): void => {
    if (shown) process.stdout.write(chunk);
    else kept.push(chunk);
  };
  child.stdout.on('data', take);
  child.stderr.on('data', take);
  const counts = new Promise<Outcome>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code, signal) => resolve(countsOf(name, countsFile, code, signal)));
  });
  return {
    name,
    counts,
    show: () => {
      shown = true;
      for (const chunk of kept.splice(0)) process.stdout.write(chunk);
    },
  };
}

/** A lane that ended without its counts, or badly in spite of them, counts as one failure more: it must not look passed. */
async function countsOf(
  name: string,
  file: string,
  code: number | null,
  signal: NodeJS.Signals | null,
): Promise<Outcome> {
  let counts: Outcome = { passes: 0, failures: 0, pending: 0, failed: [] };
  try {
    counts = JSON.parse(await readFile(file, 'utf8')) as Outcome;
    if (code === 0 || counts.failures > 0) return counts;
  } catch {
    // Said below.
  }
  const how = { title: `The ${name} tests`, reason: `They ended by ${signal ?? `exit code ${code}`}` };
  return { ...counts, failures: counts.failures + 1, failed: [...counts.failed, how] };
}

try {
  const queue = Object.entries(LANES);
  const lanes: Lane[] = [];
  const startNext = (): void => {
    const [name, files] = queue.shift() ?? [];
    if (name === undefined || files === undefined) return;
    const lane = start(name, files);
    lanes.push(lane);
    const began = performance.now();
    const through = (counts: Outcome): void => {
      const seconds = Math.round((performance.now() - began) / 1_000);
      process.stderr.write(`The ${name} tests are through: ${closingLine(counts)}, ${seconds} s\n`);
      startNext();
    };
    // One that could not be started fails the run where its counts are awaited.
    lane.counts.then(through, () => undefined);
  };
  for (let i = 0; i < AT_ONCE; i += 1) startNext();
  const all: Outcome[] = [];
  for (let i = 0; i < Object.keys(LANES).length; i += 1) {
    // When those before it are through, it has been started.
    const lane = lanes[i]!;
    process.stdout.write(`\nThe ${lane.name} tests\n`);
    lane.show();
    all.push(await lane.counts);
  }
  const counts = total(all);
  process.stdout.write(failureLines(all.flatMap(({ failed }) => failed)));
  process.stdout.write(`${closingLine(counts)}\n`);
  process.exitCode = counts.failures === 0 && counts.passes > 0 ? 0 : 1;
} finally {
  await Promise.all([folder, built].map((path) => rm(path, { recursive: true, force: true })));
}
