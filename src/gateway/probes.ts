import type { GuardrailProbe } from '../contracts/routes.js';
import { numberAt, type Tensor } from '../platform/onnx/tensors.js';

/** What is known of an answer when it is judged; `null` when there was none in time. */
export interface Judged {
  readonly outputs: readonly Tensor[];
  /** Inside the thread. */
  readonly elapsedMs: number;
}

/**
 * Bit i: the request was bad for guardrail i. A failed request is bad for all of them: an absent answer is not a quick one,
 * nor one with good values.
 */
export function badMask(probes: readonly GuardrailProbe[], answer: Judged | null, failed: boolean): number {
  return probes.reduce((mask, probe, i) => {
    const bad = failed || answer === null || isBad(probe, answer);
    return bad ? mask | (1 << i) : mask;
  }, 0);
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
