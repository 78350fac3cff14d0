/** What phases of a fleet cost. */
import type { Spent } from './stage.js';

/** What is no part of Tenure: rows, people, and the worker of the loops, whose cost is told apart. */
export const OTHERS: readonly string[] = ['feeder', 'clients'];

/** What a phase spends beyond a base, by process; CPU seconds over the phase's length. */
export function beyond(phase: Spent, base: Spent): Readonly<Record<string, number>> {
  const extra = Object.entries(phase.cpu)
    .filter(([name]) => !OTHERS.includes(name))
    .map(([name, cpu]) => [name, cpu - (base.cpu[name] ?? 0) * (phase.seconds / base.seconds)] as const);
  return Object.fromEntries(extra);
}
