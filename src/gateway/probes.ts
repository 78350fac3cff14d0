import type { GuardrailProbe } from '../contracts/routes.js';
import { numberAt, type Tensor } from '../platform/onnx/tensors.js';

/** What is known of an answer when it is judged; `null` when there was none in time. */
export interface Judged {
  readonly outputs: readonly Tensor[];
  /** Inside the thread. */
  readonly elapsedMs: number;
}

/** What a request says about each guardrail; bit i is guardrail i of the table. */
export interface Marks {
  /** Bad, and seen to be: what rolls back, trips and is told. */
  readonly bad: number;
  /** Nothing was seen, because there was no answer: no reason to roll back, but never good either, so it keeps from proving. */
  readonly absent: number;
}

/**
 * A failed request is an error, told as one. For the other guardrails it is absent: neither slow, unless it ran out of time, nor
 * quick. A table that does not watch errors has nothing else to tell one by: there it is bad for every guardrail.
 * @param error kind of error; null for an answer in time. A late answer is an error and was seen
 */
export function markRequest(
  probes: readonly GuardrailProbe[],
  answer: Judged | null,
  error: string | null,
): Marks {
  const failed = error !== null || answer === null;
  const unwatched = failed && !probes.some(({ kind }) => kind === 'errors');
  let bad = 0;
  let absent = 0;
  probes.forEach((probe, i) => {
    const is =
      unwatched ||
      (probe.kind === 'errors'
        ? failed
        : answer === null
          ? probe.kind === 'slow' && error === 'deadline'
          : isBad(probe, answer));
    if (is) bad |= 1 << i;
    else if (answer === null) absent |= 1 << i;
  });
  return { bad, absent };
}

function isBad(probe: GuardrailProbe, { outputs, elapsedMs }: Judged): boolean {
  switch (probe.kind) {
    case 'errors':
      return false;
    case 'slow':
      return elapsedMs > probe.thresholdMs;
    case 'share': {
      const output = outputs.find(({ name }) => name === probe.output);
      const value = output === undefined ? Number.NaN : numberAt(output, probe.index);
      return !Number.isFinite(value) || holds(value, probe.op, probe.value);
    }
  }
}

function holds(value: number, op: '<' | '<=' | '>' | '>=' | '==' | '!=', bound: number): boolean {
  switch (op) {
    case '<':
      return value < bound;
    case '<=':
      return value <= bound;
    case '>':
      return value > bound;
    case '>=':
      return value >= bound;
    case '==':
      return value === bound;
    case '!=':
      return value !== bound;
  }
}

/** First value of the score; NaN when the output is absent. */
export function scoreOf(outputs: readonly Tensor[], scoreOutput: string): number {
  const output = outputs.find(({ name }) => name === scoreOutput);
  return output === undefined ? Number.NaN : numberAt(output, 0);
}

/** Whether all values of the score differ by at most the tolerance. */
export function agrees(
  a: readonly Tensor[],
  b: readonly Tensor[],
  scoreOutput: string,
  tolerance: number,
): boolean {
  const left = a.find(({ name }) => name === scoreOutput);
  const right = b.find(({ name }) => name === scoreOutput);
  if (left === undefined || right === undefined || left.data.length !== right.data.length) return false;
  return Array.from(left.data as ArrayLike<unknown>).every(
    (_, i) => Math.abs(numberAt(left, i) - numberAt(right, i)) <= tolerance,
  );
}
