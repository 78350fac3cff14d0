/** Which subgroups are judged, and what becomes of small ones. No row is dropped: every group of the data is in the answer. */
import type { SubgroupGate } from '../../contracts/manifest.js';

/** Name of the group of rows without a value. */
export const MISSING_GROUP = '(missing)';

/** Counts of one group; the sums of two groups are the counts of both together. */
export interface GroupCounts {
  readonly rows: number;
  /** Rows predicted positive. */
  readonly selected: number;
  /** Rows whose label is positive. */
  readonly positives: number;
  /** Positive rows predicted positive. */
  readonly found: number;
  /** Rows that only the candidate, and only the champion, predicts wrongly. */
  readonly onlyCandidateWrong: number;
  readonly onlyChampionWrong: number;
}

type GroupRole = 'reference' | 'judged' | 'reported' | 'too-small';

export interface Group extends GroupCounts {
  readonly group: string;
  /** Groups of the data in it, with their rows. */
  readonly members: readonly { readonly group: string; readonly rows: number }[];
  /** `reported`: too few rows, shown without judgement. `too-small`: too few rows even after merging, cannot pass. */
  readonly role: GroupRole;
}

/**
 * Merges or sets aside groups below `minRows`, and finds the reference: the named one, else the largest. Order: reference first,
 * then by rows, then by name.
 * @throws RangeError when the named reference is not among the groups
 */
export function arrangeGroups(
  counts: ReadonlyMap<string, GroupCounts>,
  gate: Pick<SubgroupGate, 'minRows' | 'smallGroups' | 'reference'>,
): readonly Group[] {
  const { policy } = gate.smallGroups;
  const merged = new Map<string, { counts: GroupCounts; members: { group: string; rows: number }[] }>();
  for (const [group, own] of [...counts].sort(([a], [b]) => (a < b ? -1 : 1))) {
    const small = own.rows < gate.minRows;
    const name = small && gate.smallGroups.policy === 'merge-into' ? gate.smallGroups.into : group;
    const there = merged.get(name);
    if (there === undefined) merged.set(name, { counts: own, members: [{ group, rows: own.rows }] });
    else {
      there.counts = added(there.counts, own);
      there.members.push({ group, rows: own.rows });
    }
  }
  const bySize = [...merged].sort(([a, x], [b, y]) => y.counts.rows - x.counts.rows || (a < b ? -1 : 1));
  const reference = gate.reference === undefined ? bySize[0]?.[0] : String(gate.reference);
  if (reference === undefined || !merged.has(reference)) {
    const names = bySize.map(([name]) => name).join(', ');
    throw new RangeError(`Reference group ${String(reference)} is not among the groups: ${names}`);
  }
  const roleOf = (name: string, rows: number): GroupRole => {
    if (rows < gate.minRows) return policy === 'report-only' && name !== reference ? 'reported' : 'too-small';
    return name === reference ? 'reference' : 'judged';
  };
  const groups = bySize.map(([group, { counts, members }]) => ({
    group,
    members,
    role: roleOf(group, counts.rows),
    ...counts,
  }));
  return [
    ...groups.filter(({ group }) => group === reference),
    ...groups.filter(({ group }) => group !== reference),
  ];
}

function added(a: GroupCounts, b: GroupCounts): GroupCounts {
  return {
    rows: a.rows + b.rows,
    selected: a.selected + b.selected,
    positives: a.positives + b.positives,
    found: a.found + b.found,
    onlyCandidateWrong: a.onlyCandidateWrong + b.onlyCandidateWrong,
    onlyChampionWrong: a.onlyChampionWrong + b.onlyChampionWrong,
  };
}
