/** Subgroup bounds, judged on confidence limits: a group passes when its limit shows it, not when its estimate looks like it. */
import type { SubgroupException, SubgroupGate } from '../../contracts/manifest.js';
import { arrangeGroups } from './groups.js';
import type { Group, GroupCounts } from './groups.js';
import type { Limits } from './limits.js';
import { differenceLimits, pairedLimits, ratioLimits } from './melded.js';
import { CONFIDENCE, rowsNeeded } from './no-regression.js';

/** `excepted`: not within the bound, but a documented exception is in force. `reference`, `reported`: not judged. */
type GroupVerdict = 'passed' | 'failed' | 'undecided' | 'excepted' | 'reference' | 'reported';

export interface JudgedGroup extends Group {
  readonly verdict: GroupVerdict;
  /** Ratio to the reference, difference from it, or loss of accuracy; null where there is nothing to measure. */
  readonly estimate: number | null;
  /** One-sided 95 % limits. Null: not known, or without end. */
  readonly lower: number | null;
  readonly upper: number | null;
  /** Rows of the group that would show it with 80 % chance, other groups growing alike; null when more rows cannot. */
  readonly rowsNeeded: number | null;
  /** The exception that names the group, and whether it has run out. */
  readonly exception: (SubgroupException & { readonly expired: boolean }) | null;
}

export interface SubgroupJudgement {
  readonly verdict: 'passed' | 'failed' | 'undecided';
  readonly reference: string;
  readonly groups: readonly JudgedGroup[];
  /** Exceptions for groups that are not there (any more), so that they can be removed. */
  readonly unusedExceptions: readonly SubgroupException[];
}

/**
 * Judges every group. The gate passes only when at least one group was judged and each judged one passed or is excepted; no
 * correction for many groups is needed then, since a violation anywhere must be missed for the gate to pass.
 * @param at ISO 8601, the time that exceptions expire by
 * @throws RangeError for an unknown reference or an exception whose date cannot be read
 */
export function judgeSubgroups(
  gate: Omit<SubgroupGate, 'kind' | 'column' | 'enforce'>,
  counts: ReadonlyMap<string, GroupCounts>,
  at: string,
): SubgroupJudgement {
  const arranged = arrangeGroups(counts, gate);
  const [reference] = arranged;
  if (reference === undefined) throw new RangeError('There are no groups');
  const exceptions = gate.exceptions.map((exception) => ({
    ...exception,
    expired: isExpired(exception, at),
  }));
  const groups = arranged.map((group): JudgedGroup => {
    const exception = exceptions.find((candidate) => String(candidate.group) === group.group) ?? null;
    const limits = limitsOf(gate.measure, group, reference);
    const judged = verdictOf(gate, group, reference, limits);
    const missed = judged === 'failed' || judged === 'undecided';
    return {
      ...group,
      verdict: missed && exception !== null && !exception.expired ? 'excepted' : judged,
      estimate: finite(limits.estimate),
      lower: finite(limits.lower),
      upper: finite(limits.upper),
      rowsNeeded: judged === 'undecided' ? needed(gate, group, limits) : null,
      exception,
    };
  });
  const names = new Set(groups.map(({ group }) => group));
  return {
    verdict: together(groups),
    reference: reference.group,
    groups,
    unusedExceptions: gate.exceptions.filter(({ group }) => !names.has(String(group))),
  };
}

function together(groups: readonly JudgedGroup[]): SubgroupJudgement['verdict'] {
  const verdicts = groups.map(({ verdict }) => verdict);
  if (verdicts.includes('failed')) return 'failed';
  if (verdicts.includes('undecided')) return 'undecided';
  return verdicts.includes('passed') || verdicts.includes('excepted') ? 'passed' : 'undecided';
}

/** A date holds to the end of its day (UTC), a time to the instant. */
function isExpired({ group, expires }: SubgroupException, at: string): boolean {
  const dayOnly = /^\d{4}-\d{2}-\d{2}$/.test(expires);
  const end = Date.parse(dayOnly ? `${expires}T23:59:59.999Z` : expires);
  const now = Date.parse(at);
  if (Number.isNaN(end))
    throw new RangeError(`Exception for group ${group}: expires ${expires} is not an ISO 8601 date`);
  if (Number.isNaN(now)) throw new RangeError(`Time ${at} is not an ISO 8601 time`);
  return now > end;
}

function limitsOf(measure: SubgroupGate['measure'], group: Group, reference: Group): Limits {
  switch (measure) {
    case 'disparate-impact':
      return ratioLimits(
        { successes: group.selected, rows: group.rows },
        { successes: reference.selected, rows: reference.rows },
        CONFIDENCE,
      );
    case 'equal-opportunity':
      return differenceLimits(
        { successes: group.found, rows: group.positives },
        { successes: reference.found, rows: reference.positives },
        CONFIDENCE,
      );
    case 'no-regression':
      return pairedLimits(group.onlyCandidateWrong, group.onlyChampionWrong, group.rows, CONFIDENCE);
  }
}

/** Ratios are bounded both ways (bound to 1/bound), differences by their size, losses from above. NaN anywhere: undecided. */
function verdictOf(
  { measure, bound }: Pick<SubgroupGate, 'measure' | 'bound'>,
  group: Group,
  reference: Group,
  { lower, upper }: Limits,
): GroupVerdict {
  if (group.role === 'reported') return 'reported';
  if (measure === 'no-regression') {
    if (group.role === 'too-small') return 'undecided';
    return upper < bound ? 'passed' : lower > bound ? 'failed' : 'undecided';
  }
  if (group.role === 'reference') return 'reference';
  if (group.role === 'too-small' || reference.role === 'too-small') return 'undecided';
  const [least, most] = measure === 'disparate-impact' ? [bound, 1 / bound] : [-bound, bound];
  if (lower >= least && upper <= most) return 'passed';
  return upper < least || lower > most ? 'failed' : 'undecided';
}

function needed(
  gate: Pick<SubgroupGate, 'measure' | 'bound' | 'minRows'>,
  group: Group,
  limits: Limits,
): number | null {
  if (group.rows < gate.minRows) return gate.minRows;
  const { estimate, lower, upper } = limits;
  if (gate.measure === 'disparate-impact') {
    const log = Math.log(estimate);
    const room = -Math.log(gate.bound) - Math.abs(log);
    return rowsNeeded(room, Math.max(Math.log(upper) - log, log - Math.log(lower)), group.rows);
  }
  if (gate.measure === 'no-regression')
    return rowsNeeded(gate.bound - estimate, upper - estimate, group.rows);
  return rowsNeeded(
    gate.bound - Math.abs(estimate),
    Math.max(upper - estimate, estimate - lower),
    group.rows,
  );
}

const finite = (value: number): number | null => (Number.isFinite(value) ? value : null);
