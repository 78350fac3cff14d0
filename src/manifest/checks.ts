import type { Approver, InputField } from '../contracts/manifest.js';
import type { Task } from '../contracts/model.js';
import { checkFreezeWindows } from './freeze-checks.js';
import { checkGates } from './gate-checks.js';
import { checkMonitoring } from './monitoring-checks.js';
import { checkUnique } from './parts.js';
import { checkRetraining } from './retraining-checks.js';
import type { Complain, Parts } from './parts.js';
import type { Complaint, Path } from './problems.js';
import { pathInWords, valueInWords } from './problems.js';

/** Rules across fields. */
export function crossChecks(parts: Parts): Complaint[] {
  const complaints: Complaint[] = [];
  const complain: Complain = (path, value, allowed) => {
    complaints.push({ path, message: `${pathInWords(path)} is ${valueInWords(value)}; ${allowed}` });
  };
  checkSchema(parts, complain);
  checkPrediction(parts, complain);
  checkGates(parts, complain);
  for (const point of ['beforeDeploy', 'beforePromote'] as const) checkApproval(parts, point, complain);
  checkSteps(parts, complain);
  checkGuardrails(parts, complain);
  checkServing(parts, complain);
  checkFreezeWindows(parts.freezeWindows, complain);
  checkMonitoring(parts, complain);
  checkRetraining(parts, complain);
  return complaints;
}

function checkSchema({ inputs, outputs, target }: Parts, complain: Complain): void {
  for (const [kind, fields] of Object.entries({ inputs, outputs })) {
    checkUnique(
      fields.map((f) => f?.name),
      (i, key, first) =>
        complain(
          ['schema', kind, i, 'name'],
          key,
          `schema.${kind}[${first}] has that name; each needs one of its own`,
        ),
    );
  }
  const leaked = inputs.findIndex((input) => input !== undefined && input.name === target);
  if (leaked >= 0) {
    complain(
      ['validation', 'target'],
      target,
      `schema.inputs[${leaked}] is the same column; the label cannot be an input`,
    );
  }
  for (const [i, input] of inputs.entries()) {
    if (input !== undefined) checkInput(input, ['schema', 'inputs', i], complain);
  }
}

function checkInput(input: InputField, path: Path, complain: Complain): void {
  const { datatype, min, max, categories } = input;
  const numeric = datatype !== 'BYTES' && datatype !== 'BOOL';
  for (const [key, bound] of Object.entries({ min, max })) {
    if (bound === undefined) continue;
    if (!numeric) complain([...path, key], bound, `datatype ${datatype} has no ${key}; leave it out`);
    else if (datatype === 'INT64' && !Number.isSafeInteger(bound))
      complain([...path, key], bound, 'allowed with INT64: a whole number');
  }
  if (min !== undefined && max !== undefined && min > max)
    complain([...path, 'min'], min, `allowed: at most max, ${max}`);
  if (categories === undefined) return;
  if (datatype === 'BOOL')
    return complain([...path, 'categories'], categories, 'datatype BOOL has none; leave it out');
  checkUnique(
    categories.map((c) => `${typeof c} ${c}`),
    (i) => complain([...path, 'categories', i], categories[i], 'it is there already'),
  );
  for (const [i, category] of categories.entries()) {
    const here: Path = [...path, 'categories', i];
    if (datatype === 'BYTES') {
      if (typeof category !== 'string') complain(here, category, 'allowed with BYTES: text (in quotes)');
    } else if (typeof category !== 'number') complain(here, category, `allowed with ${datatype}: a number`);
    else if (datatype === 'INT64' && !Number.isSafeInteger(category))
      complain(here, category, 'allowed with INT64: a whole number');
    else if ((min !== undefined && category < min) || (max !== undefined && category > max)) {
      complain(here, category, 'allowed: within min and max');
    }
  }
}

function checkPrediction({ task, prediction, outputs }: Parts, complain: Complain): void {
  if (prediction === undefined) return;
  const { classes, score } = prediction;
  checkUnique(classes.map(String), (i) =>
    complain(['prediction', 'classes', i], classes[i], 'it is there already'),
  );
  const path: Path = ['prediction', 'classes'];
  if (task === 'binary' && classes.length !== 2)
    complain(path, classes, 'needed with task binary: two, the negative and the positive');
  if (task === 'multiclass' && classes.length < 2)
    complain(path, classes, 'needed with task multiclass: two at least, in the order of the probabilities');
  if (task === 'regression' && classes.length > 0)
    complain(path, classes, 'task regression has no classes; leave them out');
  checkScore({ task, score, classes: classes.length, outputs }, complain);
}

function checkScore(
  {
    task,
    score,
    classes,
    outputs,
  }: { task: Task | undefined; score: string; classes: number; outputs: Parts['outputs'] },
  complain: Complain,
): void {
  const known = outputs.filter((o) => o !== undefined);
  const output = known.find(({ name }) => name === score);
  if (output === undefined) {
    // A broken output may be the one that is meant.
    if (known.length === outputs.length && known.length > 0) {
      complain(
        ['prediction', 'score'],
        score,
        `allowed: one of schema.outputs, ${known.map(({ name }) => name).join(', ')}`,
      );
    }
    return;
  }
  const path: Path = ['schema', 'outputs', outputs.indexOf(output)];
  if (output.datatype !== 'FP32' && output.datatype !== 'FP64') {
    complain([...path, 'datatype'], output.datatype, 'allowed for the score: FP32, FP64');
  }
  if (task === undefined) return;
  const width = task === 'multiclass' ? classes : 1;
  if (output.width !== width && (task !== 'multiclass' || classes >= 2)) {
    complain(
      [...path, 'width'],
      output.width,
      `needed for the score with task ${task}: ${width}${task === 'multiclass' ? ', the number of classes' : ''}`,
    );
  }
}

function checkApproval(
  { approvals }: Parts,
  name: 'beforeDeploy' | 'beforePromote',
  complain: Complain,
): void {
  const point = approvals[name];
  if (point === undefined || point === null) return;
  const path: Path = ['approval', name];
  const { approvers, quorum, requiredRoles } = point;
  checkUnique(
    approvers.map((a: Approver) => a.name),
    (i, key) => complain([...path, 'approvers', i, 'name'], key, 'the person is on the list already'),
  );
  const persons = new Set(approvers.map((a: Approver) => a.name)).size;
  if (quorum > persons)
    complain([...path, 'quorum'], quorum, `allowed: at most the number of approvers, ${persons}`);
  const roles = [...new Set(approvers.flatMap((a: Approver) => a.roles))];
  for (const [i, role] of requiredRoles.entries()) {
    if (!roles.includes(role)) {
      complain(
        [...path, 'requiredRoles', i],
        role,
        roles.length === 0
          ? 'no approver has a role'
          : `allowed: a role that an approver has, ${roles.join(', ')}`,
      );
    }
  }
}

function checkSteps({ steps = [], canaryMaxSeconds }: Parts, complain: Complain): void {
  for (const [i, { weight }] of steps.entries()) {
    const before = steps[i - 1]?.weight ?? 0;
    if (weight <= before)
      complain(
        ['canary', 'steps', i, 'weight'],
        weight,
        `allowed: above ${before}, the weight of the step before; weights rise strictly`,
      );
  }
  const least = steps.reduce((sum, { minSeconds }) => sum + minSeconds, 0);
  if (canaryMaxSeconds !== undefined && least > canaryMaxSeconds) {
    complain(
      ['canary', 'maxSeconds'],
      canaryMaxSeconds,
      `allowed: at least what the steps take, ${least} seconds`,
    );
  }
}

function checkGuardrails({ guardrails, outputs }: Parts, complain: Complain): void {
  checkUnique(
    guardrails.map((g) => g?.name),
    (i, key, first) =>
      complain(
        ['canary', 'guardrails', i, 'name'],
        key,
        `canary.guardrails[${first}] has that name; each needs one of its own`,
      ),
  );
  for (const [i, guardrail] of guardrails.entries()) {
    if (guardrail === undefined) continue;
    const path: Path = ['canary', 'guardrails', i];
    if (guardrail.relativeMargin === 1 && guardrail.absoluteMargin === 0) {
      complain(
        [...path, 'absoluteMargin'],
        0,
        'without any margin nothing can be proven; allowed: above 0, or a relativeMargin above 1',
      );
    }
    if (guardrail.kind !== 'share') continue;
    const output = outputs.find((o) => o?.name === guardrail.output);
    if (output === undefined) {
      const names = outputs.map((o) => o?.name ?? '?');
      if (!names.includes('?'))
        complain(
          [...path, 'output'],
          guardrail.output,
          `allowed: one of schema.outputs, ${names.join(', ')}`,
        );
      continue;
    }
    if (output.datatype === 'BYTES')
      complain([...path, 'output'], guardrail.output, 'it holds BYTES; allowed: an output of numbers');
    if (guardrail.index >= output.width)
      complain(
        [...path, 'index'],
        guardrail.index,
        `allowed: below the width of ${output.name}, ${output.width}`,
      );
  }
}

function checkServing({ objectives, serving }: Parts, complain: Complain): void {
  if (objectives === undefined || serving === undefined) return;
  if (serving.deadlineMs < objectives.latencyMs) {
    complain(
      ['serving', 'deadlineMs'],
      serving.deadlineMs,
      `allowed: at least objectives.latencyMs, ${objectives.latencyMs}`,
    );
  }
}
