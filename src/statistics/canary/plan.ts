import type { CanaryPlan, Guardrail } from '../../contracts/canary.js';

/** What is wrong with a plan, each with field, value and what is allowed; empty when it can be judged. */
export function checkCanaryPlan(plan: CanaryPlan): readonly string[] {
  const problems: string[] = [];
  const need = (ok: boolean, field: string, value: unknown, allowed: string): void => {
    if (!ok) problems.push(`${field} is ${String(value)}: ${allowed}`);
  };
  const { guardrails, steps } = plan;
  need(guardrails.length > 0, 'guardrails', 'empty', 'at least one is needed');
  need(plan.alpha > 0 && plan.alpha < 1, 'alpha', plan.alpha, 'a number between 0 and 1 is needed');
  need(plan.beta > 0 && plan.beta < 1, 'beta', plan.beta, 'a number between 0 and 1 is needed');
  need(['prove', 'watch'].includes(plan.judgement), 'judgement', plan.judgement, 'prove or watch is needed');
  need(steps.length > 0, 'steps', 'empty', 'at least one is needed');
  const names = guardrails.map((g) => g.name);
  guardrails.forEach((g, i) => checkGuardrail(g, `guardrails[${i}]`, names.indexOf(g.name) === i, need));
  steps.forEach((step, i) => {
    const field = `steps[${i}]`;
    const before = steps[i - 1]?.weight ?? 0;
    need(
      step.weight > before && step.weight <= 1,
      `${field}.weight`,
      step.weight,
      `above ${before}, at most 1`,
    );
    need(
      Number.isSafeInteger(step.minKeys) && step.minKeys >= 1,
      `${field}.minKeys`,
      step.minKeys,
      'a whole number from 1',
    );
    const seconds = Number.isFinite(step.minSeconds) && step.minSeconds >= 0;
    need(seconds, `${field}.minSeconds`, step.minSeconds, 'a number from 0 is needed');
  });
  return problems;
}

function checkGuardrail(
  g: Guardrail,
  field: string,
  first: boolean,
  need: (ok: boolean, field: string, value: unknown, allowed: string) => void,
): void {
  need(typeof g.name === 'string' && g.name !== '', `${field}.name`, g.name, 'a name is needed');
  need(first, `${field}.name`, g.name, 'each guardrail needs a name of its own');
  const relative = Number.isFinite(g.relativeMargin) && g.relativeMargin >= 1;
  need(relative, `${field}.relativeMargin`, g.relativeMargin, 'a factor from 1 is needed');
  const absolute = g.absoluteMargin >= 0 && g.absoluteMargin < 1;
  need(absolute, `${field}.absoluteMargin`, g.absoluteMargin, 'a share from 0, below 1, is needed');
  const some = g.relativeMargin > 1 || g.absoluteMargin > 0;
  need(some, `${field}.absoluteMargin`, g.absoluteMargin, 'without any margin nothing can be proven');
  if (g.hardLimit !== undefined) {
    need(
      g.hardLimit > 0 && g.hardLimit <= 1,
      `${field}.hardLimit`,
      g.hardLimit,
      'a share above 0, at most 1, is needed',
    );
  }
  if (g.hardLimitMinimum !== undefined) {
    const minimum = Number.isSafeInteger(g.hardLimitMinimum) && g.hardLimitMinimum >= 1;
    need(minimum, `${field}.hardLimitMinimum`, g.hardLimitMinimum, 'a whole number from 1 is needed');
  }
}
