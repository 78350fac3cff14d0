/** Making gate results: every gate ends in one, whatever happens to it. */
import type { Json } from '../../contracts/ledger.js';
import type { GateResult } from '../../contracts/validation.js';
import { ModelError } from '../../platform/onnx/errors.js';
import { GateProblem } from './ports.js';

type Detail = GateResult['detail'];

export type Judged = Pick<GateResult, 'verdict' | 'summary' | 'detail'>;

export const judged = (verdict: GateResult['verdict'], summary: string, detail: Detail = {}): Judged => ({
  verdict,
  summary,
  detail,
});

/** Only `passed` and `reported` let a version pass. */
const resultOf = (gate: string, { verdict, summary, detail }: Judged): GateResult => ({
  gate,
  passed: verdict === 'passed' || verdict === 'reported',
  verdict,
  summary,
  detail,
});

/**
 * Runs a gate. What it throws becomes the verdict `error`, so that the others still run; only a cancellation, and failures that have
 * nothing to do with the version (its thread is gone, the store cannot be reached), go on to the caller and are retried.
 */
export async function runGate(
  gate: string,
  signal: AbortSignal,
  run: () => Promise<Judged> | Judged,
): Promise<GateResult> {
  try {
    return resultOf(gate, await run());
  } catch (error) {
    signal.throwIfAborted();
    if (isInfrastructure(error)) throw error;
    return resultOf(gate, judged('error', reasonOf(error), error instanceof GateProblem ? error.detail : {}));
  }
}

/** Failures that say nothing about the version. */
export function isInfrastructure(error: unknown): boolean {
  if (error instanceof ModelError) return ['unavailable', 'overloaded', 'closed'].includes(error.code);
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  return (
    typeof code === 'string' &&
    ['EIO', 'EACCES', 'EPERM', 'EMFILE', 'ENFILE', 'ENOSPC', 'EROFS', 'ESTALE'].includes(code)
  );
}

export const reasonOf = (error: unknown): string =>
  (error instanceof Error ? error.message : String(error)).slice(0, 1000);

/** A number for a report: null for NaN and infinities, which JSON does not have. */
export const finite = (value: number): number | null => (Number.isFinite(value) ? value : null);

/** A number for a sentence. */
export const shown = (value: number): string => String(Number(value.toPrecision(4)));

/** Every number, finite or null. */
export function numbers(values: Readonly<Record<string, number>>): { readonly [key: string]: Json } {
  return Object.fromEntries(Object.entries(values).map(([key, value]) => [key, finite(value)]));
}

/** Gate names are unique within a report: a second gate of the same name gets `#2`. */
export function uniqueNames(names: readonly string[]): readonly string[] {
  const seen = new Map<string, number>();
  return names.map((name) => {
    const count = (seen.get(name) ?? 0) + 1;
    seen.set(name, count);
    return count === 1 ? name : `${name}#${count}`;
  });
}
