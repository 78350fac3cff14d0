import type { SubgroupGate } from '../../contracts/manifest.js';
import type { GroupCounts } from '../../statistics/metrics/groups.js';
import { item, predictedClasses } from '../../statistics/metrics/scored.js';
import type { Scored } from '../../statistics/metrics/scored.js';
import { judgeSubgroups } from '../../statistics/metrics/subgroups.js';
import type { JudgedGroup, SubgroupJudgement } from '../../statistics/metrics/subgroups.js';
import type { Bench } from './bench.js';
import { GateProblem } from './ports.js';
import { judged, shown } from './results.js';
import type { Judged } from './results.js';

/** @param at workflow time, ISO 8601: exceptions expire by it */
export async function subgroupGate(gate: SubgroupGate, bench: Bench, at: string): Promise<Judged> {
  const { task } = bench.manifest;
  if (task === 'regression' || (task === 'multiclass' && gate.measure !== 'no-regression')) {
    throw new GateProblem(`Measure ${gate.measure} does not fit task ${task}`);
  }
  const candidate = await bench.candidateScores();
  const champion = gate.measure === 'no-regression' ? await bench.championScores() : null;
  if (gate.measure === 'no-regression' && champion === null) {
    return judged('reported', 'There is no champion: nothing to compare with', {
      column: gate.column,
      bound: gate.bound,
    });
  }
  const { groups } = await bench.data();
  const counts = countGroups(groups.get(gate.column) ?? [], candidate, champion);
  const judgement = judgeSubgroups(gate, counts, at);
  const detail = {
    column: gate.column,
    measure: gate.measure,
    bound: gate.bound,
    enforce: gate.enforce,
    ...shownJudgement(judgement),
  };
  const facts = summaryOf(gate, judgement);
  if (!gate.enforce) return judged('reported', `Reported, not enforced: ${facts}`, detail);
  return judged(judgement.verdict, facts, detail);
}

/** Counts of each group in the data; every row is in one. */
function countGroups(
  groups: readonly string[],
  candidate: Scored,
  champion: Scored | null,
): ReadonlyMap<string, GroupCounts> {
  if (candidate.task === 'regression' || champion?.task === 'regression')
    throw new GateProblem('Regression has no subgroup measure');
  const guesses = predictedClasses(candidate);
  const others = champion === null ? guesses : predictedClasses(champion);
  const counts = new Map<string, { -readonly [key in keyof GroupCounts]: number }>();
  groups.forEach((group, row) => {
    let count = counts.get(group);
    if (count === undefined) {
      count = { rows: 0, selected: 0, positives: 0, found: 0, onlyCandidateWrong: 0, onlyChampionWrong: 0 };
      counts.set(group, count);
    }
    const label = item(candidate.labels, row);
    const guess = item(guesses, row);
    const other = item(others, row);
    count.rows += 1;
    if (guess === 1) count.selected += 1;
    if (label === 1) count.positives += 1;
    if (guess === 1 && label === 1) count.found += 1;
    if (guess !== label && other === label) count.onlyCandidateWrong += 1;
    if (guess === label && other !== label) count.onlyChampionWrong += 1;
  });
  return counts;
}

function shownJudgement({ reference, groups, unusedExceptions }: SubgroupJudgement): Judged['detail'] {
  return {
    reference,
    groups: groups.map((group) => ({
      group: group.group,
      members: group.members.map((member) => ({ ...member })),
      verdict: group.verdict,
      estimate: group.estimate,
      lower: group.lower,
      upper: group.upper,
      rowsNeeded: group.rowsNeeded,
      rows: group.rows,
      selected: group.selected,
      positives: group.positives,
      found: group.found,
      onlyCandidateWrong: group.onlyCandidateWrong,
      onlyChampionWrong: group.onlyChampionWrong,
      exception: group.exception === null ? null : { ...group.exception },
    })),
    unusedExceptions: unusedExceptions.map((exception) => ({ ...exception })),
  };
}

const MEASURED = {
  'disparate-impact': 'ratio',
  'equal-opportunity': 'difference',
  'no-regression': 'loss of accuracy',
} as const;

function summaryOf(gate: SubgroupGate, { reference, groups, unusedExceptions }: SubgroupJudgement): string {
  const against = gate.measure === 'no-regression' ? 'against the champion' : `against ${reference}`;
  const told = groups.filter(({ verdict }) => verdict !== 'reference').map((group) => groupText(gate, group));
  const only = told.length === 0 ? 'there is only one group, so nothing to compare' : told.join('; ');
  const unused = unusedExceptions
    .map(({ group }) => `; the exception for ${group} names no group of the data`)
    .join('');
  return `${gate.column}, ${MEASURED[gate.measure]} ${against}, bound ${shown(gate.bound)}: ${only}${unused}`;
}

function groupText(gate: SubgroupGate, group: JudgedGroup): string {
  const { members } = group;
  const merged = members.length > 1 ? ` (${members.map((member) => member.group).join(' + ')})` : '';
  const limit = (value: number | null): string => (value === null ? 'unknown' : shown(value));
  const estimate =
    group.estimate === null
      ? 'not measurable'
      : `${shown(group.estimate)} (${limit(group.lower)} to ${limit(group.upper)})`;
  const next = [
    ...(group.role === 'too-small'
      ? [`fewer than ${gate.minRows} rows: merge more groups, or report them only`]
      : []),
    ...(group.rowsNeeded === null ? [] : [`about ${group.rowsNeeded} rows are needed`]),
    ...exceptionText(group),
  ];
  const tail = next.length === 0 ? '' : `, ${next.join(', ')}`;
  return `${group.group}${merged} ${group.verdict}: ${estimate} on ${group.rows} rows${tail}`;
}

function exceptionText({ exception, verdict }: JudgedGroup): readonly string[] {
  if (exception === null) return [];
  const { reason, approver, expires } = exception;
  if (exception.expired) return [`its exception by ${approver} expired on ${expires}`];
  return verdict === 'excepted' ? [`by ${approver} until ${expires}: ${reason}`] : [];
}
