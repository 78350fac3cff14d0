import type { Effect, FailPoint } from './effects.js';

/** Told of each fail point that is reached, and waited for. */
export type Hook = (point: FailPoint) => Promise<void>;

let hook: Hook | null = null;

/** For `arm.ts`, and for tests. @param next null disarms */
export function setHook(next: Hook | null): void {
  hook = next;
}

/**
 * Has an effect, with a fail point on each side of it; the second is reached only when the effect did not throw. Unarmed, which
 * is always outside of tests, it is the effect alone.
 */
export function effect<T>(name: Effect, act: () => Promise<T>): Promise<T> {
  return hook === null ? act() : watched(hook, name, act);
}

async function watched<T>(reached: Hook, name: Effect, act: () => Promise<T>): Promise<T> {
  await reached(`${name}.before`);
  const result = await act();
  await reached(`${name}.after`);
  return result;
}
