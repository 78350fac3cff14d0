import type { ApprovalDecision } from '../contracts/approvals.js';
import { mayCount, type ApprovalRequest } from './approvals.js';

/** Decisions held at a time; what comes beyond must push something out. */
const MAX_INBOX = 2_000;

export interface Admitted {
  readonly inbox: readonly ApprovalDecision[];
  /** Whether a decision had to be dropped: this one, or one that was held. */
  readonly dropped: boolean;
}

/**
 * Takes a decision in. When the inbox is full, what can least matter is dropped: a stranger's decision before one of a person who
 * may decide somewhere, and that before one which would count now. Among equals it is the newest of whoever sent most of the
 * kind, so that nobody can push others out by sending much.
 * @param request the open request, if any
 * @param deciders names of everybody who may decide at any point of the release
 */
export function admit(
  inbox: readonly ApprovalDecision[],
  decision: ApprovalDecision,
  { request, deciders }: { readonly request: ApprovalRequest | null; readonly deciders: ReadonlySet<string> },
  most: number = MAX_INBOX,
): Admitted {
  if (inbox.length < most) return { inbox: [...inbox, decision], dropped: false };
  const rankOf = (one: ApprovalDecision): number =>
    mayCount(request, one) ? 2 : deciders.has(one.approver) ? 1 : 0;
  const rank = rankOf(decision);
  // The whole of a flood of strangers ends here, without a look at the others.
  if (rank === 0) return { inbox, dropped: true };
  const all = [...inbox, decision];
  const ranks = all.map(rankOf);
  const lowest = Math.min(...ranks);
  const victim = newestOfMost(all, (_, i) => ranks[i] === lowest);
  return { inbox: all.filter((_, i) => i !== victim), dropped: true };
}

/** Whoever says most of one kind loses the newest of it; a person's one rejection is not lost among approvals in the same name. */
function newestOfMost(
  decisions: readonly ApprovalDecision[],
  isMeant: (decision: ApprovalDecision, index: number) => boolean,
): number {
  const groups = new Map<string, { count: number; newest: number }>();
  decisions.forEach((decision, index) => {
    if (!isMeant(decision, index)) return;
    const group = JSON.stringify([decision.approver, decision.decision]);
    groups.set(group, { count: (groups.get(group)?.count ?? 0) + 1, newest: index });
  });
  const largest = [...groups.values()].reduce((a, b) => (b.count > a.count ? b : a));
  return largest.newest;
}
