import type { FailMark } from '../../../src/fail-points/plan.js';
import type { Driven } from './driver.js';
import type { ModelFacts, Violation } from './invariants.js';
import type { Victim } from './plan.js';
import { processOf } from './points.js';

export interface KillCount {
  readonly process: string;
  /** `signal`, at any time, or the fail point at which it died by itself. */
  readonly at: string;
  readonly count: number;
}

export interface ChaosReport {
  readonly seed: number;
  readonly seconds: number;
  readonly releases: number;
  /** By kind of release and how it ended. */
  readonly outcomes: Readonly<Record<string, Readonly<Record<string, number>>>>;
  readonly slowestReleaseSeconds: number;
  readonly kills: readonly KillCount[];
  readonly requests: {
    readonly asked: number;
    readonly answered: number;
    readonly lost: number;
    /** Tried again after the gateway had died. */
    readonly triedAgain: number;
    /** Of one model's users without any answer, milliseconds. */
    readonly longestGapMs: number;
  };
  readonly ledgerEvents: number;
  readonly violations: readonly Violation[];
}

export interface Found {
  readonly seed: number;
  readonly seconds: number;
  readonly killed: readonly Victim[];
  readonly marks: readonly FailMark[];
  readonly driven: readonly Driven[];
  readonly facts: readonly ModelFacts[];
  readonly violations: readonly Violation[];
}

export function reportOf({ seed, seconds, killed, marks, driven, facts, violations }: Found): ChaosReport {
  const outcomes: Record<string, Record<string, number>> = {};
  for (const { kind, outcome } of driven) {
    const ends = (outcomes[kind] ??= {});
    ends[outcome] = (ends[outcome] ?? 0) + 1;
  }
  const answers = facts.map((fact) => fact.answers);
  const sum = (of: (answer: ModelFacts['answers']) => number): number =>
    answers.reduce((total, answer) => total + of(answer), 0);
  const [asked, answered, tries] = [sum((a) => a.asked), sum((a) => a.answered), sum((a) => a.tries)];
  return {
    seed,
    seconds,
    releases: driven.length,
    outcomes,
    slowestReleaseSeconds: Math.round(Math.max(0, ...driven.map((one) => one.seconds))),
    kills: counted([
      ...killed.map((process) => [process, 'signal'] as const),
      ...marks.flatMap(({ point, action }) =>
        action === 'kill' ? [[processOf(point), point] as const] : [],
      ),
    ]),
    requests: {
      asked,
      answered,
      lost: asked - answered,
      triedAgain: tries - asked,
      longestGapMs: Math.max(0, ...answers.map((answer) => answer.longestGapMs)),
    },
    ledgerEvents: facts.reduce((total, { events }) => total + events.length, 0),
    violations,
  };
}

function counted(kills: readonly (readonly [process: string, at: string])[]): readonly KillCount[] {
  const counts = new Map<string, KillCount>();
  for (const [process, at] of kills) {
    const key = `${process} ${at}`;
    counts.set(key, { process, at, count: (counts.get(key)?.count ?? 0) + 1 });
  }
  return [...counts.entries()].sort(([a], [b]) => a.localeCompare(b)).map(([, count]) => count);
}

/** For people. */
export function reportText(report: ChaosReport): string {
  const {
    seed,
    seconds,
    releases,
    outcomes,
    slowestReleaseSeconds,
    kills,
    requests,
    ledgerEvents,
    violations,
  } = report;
  const total = (of: readonly KillCount[]): number => of.reduce((all, { count }) => all + count, 0);
  const bySignal = kills.filter(({ at }) => at === 'signal');
  const atPoints = kills.filter(({ at }) => at !== 'signal');
  return [
    `Seed ${seed}: ${releases} releases in ${seconds} s, the slowest took ${slowestReleaseSeconds} s`,
    ...Object.entries(outcomes).map(([kind, ends]) => row(kind, list(ends))),
    `Kills: ${total(bySignal)} at any time, ${total(atPoints)} at a fail point`,
    ...bySignal.map(({ process, count }) => row(process, `${count}`)),
    ...atPoints.map(({ process, at, count }) => row(process, `${at} ${count}`)),
    `Requests: ${requests.asked} asked, ${requests.answered} answered, ${requests.lost} lost, ${requests.triedAgain} tried ` +
      `again; the longest time without an answer was ${(requests.longestGapMs / 1_000).toFixed(1)} s`,
    `Ledger: ${ledgerEvents} events`,
    violations.length === 0 ? 'Violations: none' : `Violations: ${violations.length}`,
    ...violations.map(({ model, rule, what }) => row(`${model}, ${rule}`, what)),
  ].join('\n');
}

const row = (name: string, text: string): string => `  ${name.padEnd(12)} ${text}`;

const list = (counts: Readonly<Record<string, number>>): string =>
  Object.entries(counts)
    .map(([name, count]) => `${name} ${count}`)
    .join(', ');
