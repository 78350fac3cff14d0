import { Context } from '@temporalio/activity';
import canonicalize from 'canonicalize';
import type { ValidationActivities } from '../../contracts/activities.js';
import type { Gate } from '../../contracts/manifest.js';
import type { GateResult, ValidationReport } from '../../contracts/validation.js';
import { createBench } from './bench.js';
import type { Bench } from './bench.js';
import { commandGate } from './command-gate.js';
import { dataGate, digestGate, latencyGate, schemaGate, sizeGate } from './file-gates.js';
import { goldenRows } from './golden.js';
import { metricGate, noRegressionGate } from './metric-gates.js';
import type { Progress, ValidationDeps } from './ports.js';
import { profileVersion } from './profile.js';
import { evidenceHashOf } from './report.js';
import { judged, runGate, uniqueNames } from './results.js';
import type { Judged } from './results.js';
import { subgroupGate } from './subgroup-gate.js';

export { evidenceHashOf } from './report.js';
export type { GoldenFile } from './golden.js';
export type { ValidationDeps } from './ports.js';

type Input = Parameters<ValidationActivities['validateVersion']>[0];

/** Heartbeats go out so often even while a single step takes long. */
const HEARTBEAT_MS = 5_000;

export function createValidationActivities(deps: ValidationDeps): ValidationActivities {
  return {
    async validateVersion(input) {
      const context = Context.current();
      const signal = context.cancellationSignal;
      let last: unknown = { stage: 'starting' };
      const progress: Progress = {
        signal,
        report: (stage, done, total) => {
          signal.throwIfAborted();
          last = { stage, done, total };
          context.heartbeat(last);
        },
      };
      const timer = setInterval(() => context.heartbeat(last), HEARTBEAT_MS);
      try {
        return await validate(deps, input, progress);
      } finally {
        clearInterval(timer);
      }
    },
  };
}

/** Runs every gate in turn: digest, schema and data always, then the manifest's, then the golden rows; last the profile. */
async function validate(deps: ValidationDeps, input: Input, progress: Progress): Promise<ValidationReport> {
  const { manifest, version } = input;
  const { gates } = manifest.validation;
  const bench = createBench(deps, input, progress);
  try {
    const run = (name: string, gate: () => Promise<Judged>): Promise<GateResult> => {
      progress.report(`gate ${name}`, 0, 0);
      return runGate(name, progress.signal, gate);
    };
    const results = [
      await run('digest', () => digestGate(bench)),
      await run('schema', () => schemaGate(bench)),
      await run('data', () => dataGate(bench)),
    ];
    const names = uniqueNames(gates.map(gateName));
    for (const [i, gate] of gates.entries()) {
      results.push(await run(names[i] ?? gate.kind, () => runManifestGate(gate, bench, deps, input.at)));
    }
    let goldenDigest: string | null = null;
    results.push(
      await run('golden-rows', async () => {
        const file = await goldenRows(bench);
        const stored = await deps.artifacts.put(Buffer.from(canonicalize({ rows: file.rows }) ?? '', 'utf8'));
        goldenDigest = stored.digest;
        return judged('passed', `${file.rows.length} rows with their offline answers are stored`, {
          rows: file.rows.length,
        });
      }),
    );
    const told = results.map((result, i) => withoutRepeat(result, results.slice(0, i)));
    const report = {
      model: manifest.name,
      ...version,
      dataDigest: manifest.validation.dataDigest ?? '',
      rows: await bench.data().then(
        ({ rows }) => rows,
        () => 0,
      ),
      gates: told,
      passed: results.every(({ passed }) => passed),
      goldenDigest,
      profile: await profileVersion(bench, deps),
    };
    return { ...report, evidenceHash: evidenceHashOf(report) };
  } finally {
    await bench.close();
  }
}

/** One cause stops many gates: it is told once, where it was met first. */
function withoutRepeat(result: GateResult, before: readonly GateResult[]): GateResult {
  const first = before.find(({ verdict, summary }) => verdict === 'error' && summary === result.summary);
  return first === undefined || result.verdict !== 'error'
    ? result
    : { ...result, summary: `Could not be judged, for the same reason as gate ${first.gate}` };
}

/** Name of a gate in the report, before it is made unique. */
function gateName(gate: Gate): string {
  switch (gate.kind) {
    case 'metric':
    case 'no-regression':
      return `${gate.kind}:${gate.metric}`;
    case 'subgroup':
      return `subgroup:${gate.column}:${gate.measure}`;
    case 'command':
      return `command:${gate.name}`;
    case 'latency':
    case 'size':
      return gate.kind;
  }
}

function runManifestGate(gate: Gate, bench: Bench, deps: ValidationDeps, at: string): Promise<Judged> {
  switch (gate.kind) {
    case 'metric':
      return metricGate(gate, bench);
    case 'no-regression':
      return noRegressionGate(gate, bench);
    case 'subgroup':
      return subgroupGate(gate, bench, at);
    case 'latency':
      return latencyGate(gate, bench);
    case 'size':
      return sizeGate(gate, bench);
    case 'command':
      return commandGate(gate, bench, deps.commandPath);
  }
}
