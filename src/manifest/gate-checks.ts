import type { Gate, Metric, SubgroupGate } from '../contracts/manifest.js';
import type { Task } from '../contracts/model.js';
import { checkUnique } from './parts.js';
import type { Complain, Parts } from './parts.js';
import type { Path } from './problems.js';

/** Metrics by the tasks that they are defined for. */
export const METRICS_OF_TASK: Readonly<Record<Task, readonly Metric[]>> = {
  binary: ['auc', 'logLoss', 'brier', 'accuracy', 'ece'],
  multiclass: ['accuracy', 'logLoss', 'macroF1', 'ovrEce'],
  regression: ['mae', 'rmse'],
};

/** Metrics that are shares: thresholds beyond 0..1 are slips, e.g. 87 for .87. */
const SHARES: readonly Metric[] = ['auc', 'brier', 'accuracy', 'ece', 'macroF1', 'ovrEce'];

/** What makes a gate the same as another: two of a kind would have one name in the report. */
function identity(gate: Gate): string {
  switch (gate.kind) {
    case 'metric':
    case 'no-regression':
      return `${gate.kind} of ${gate.metric}`;
    case 'subgroup':
      return `${gate.measure} of ${gate.column}`;
    case 'command':
      return `command ${gate.name}`;
    case 'latency':
    case 'size':
      return gate.kind;
  }
}

/** Rules on validation gates. */
export function checkGates({ task, riskTier, gates, target }: Parts, complain: Complain): void {
  checkUnique(
    gates.map((gate) => gate && identity(gate)),
    (i, key, first) =>
      complain(
        ['validation', 'gates', i],
        key,
        `validation.gates[${first}] is that gate already; one of each is allowed`,
      ),
  );
  for (const [i, gate] of gates.entries()) {
    if (gate === undefined) continue;
    const path: Path = ['validation', 'gates', i];
    if (gate.kind === 'metric' || gate.kind === 'no-regression') checkMetric(gate, task, path, complain);
    if (gate.kind === 'subgroup') checkSubgroup(gate, { task, target, path }, complain);
  }
  const judged = gates.some(
    (gate) => gate === undefined || gate.kind === 'metric' || gate.kind === 'no-regression',
  );
  if (!judged && (riskTier === 'medium' || riskTier === 'high')) {
    complain(
      ['validation', 'gates'],
      gates.map((gate) => gate?.kind),
      `needed in tier ${riskTier}: a gate of kind metric or no-regression`,
    );
  }
}

function checkMetric(
  gate: Extract<Gate, { kind: 'metric' | 'no-regression' }>,
  task: Task | undefined,
  path: Path,
  complain: Complain,
): void {
  const { metric } = gate;
  if (task !== undefined && !METRICS_OF_TASK[task].includes(metric)) {
    complain([...path, 'metric'], metric, `allowed with task ${task}: ${METRICS_OF_TASK[task].join(', ')}`);
  }
  const limits = gate.kind === 'metric' ? { min: gate.min, max: gate.max } : { margin: gate.margin };
  for (const [key, value] of Object.entries(limits)) {
    if (value === undefined) continue;
    if (value < 0) complain([...path, key], value, `${metric} is never below 0; allowed: a number from 0`);
    if (value > 1 && SHARES.includes(metric))
      complain([...path, key], value, `${metric} is never above 1; allowed: a number from 0 to 1`);
  }
  if (gate.kind !== 'metric') return;
  const { min, max } = gate;
  if (min === undefined && max === undefined)
    complain([...path, 'min'], undefined, 'needed: min, max, or both');
  if (min !== undefined && max !== undefined && min > max)
    complain([...path, 'min'], min, `allowed: at most max, ${max}`);
}

function checkSubgroup(
  gate: SubgroupGate,
  { task, target, path }: { task: Task | undefined; target: string | undefined; path: Path },
  complain: Complain,
): void {
  if (task === 'regression') {
    complain([...path, 'kind'], gate.kind, 'allowed with tasks binary and multiclass only');
  } else if (task === 'multiclass' && gate.measure !== 'no-regression') {
    complain([...path, 'measure'], gate.measure, 'allowed with task multiclass: no-regression');
  }
  if (gate.column === target)
    complain([...path, 'column'], gate.column, 'it is the label; allowed: another column of the data set');
  checkUnique(
    gate.exceptions.map(({ group }) => String(group)),
    (i, key, first) =>
      complain([...path, 'exceptions', i, 'group'], key, `exceptions[${first}] is for that group already`),
  );
}
